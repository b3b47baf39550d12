//! JSON as policies have it: no name twice in an object, and no deeper than a policy goes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::policy::flaw::Flaw;

/// The most bytes of a text that is looked at: more than any service takes.
const MOST_BYTES: usize = 131_072;
/// A policy has four levels of objects and one of lists in them.
const DEEPEST: usize = 8;

/// A value; objects keep the order of their members.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// `null`.
    Null,
    /// A text; or a number or a boolean, which conditions may write without quotes.
    Scalar {
        /// What it says.
        text: String,
        /// Whether it stands in quotes.
        is_quoted: bool,
    },
    /// `[…]`.
    List(Vec<Json>),
    /// `{…}`.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The text of a scalar, and whether it stands in quotes.
    pub(super) fn scalar(&self) -> Option<(&String, bool)> {
        match self {
            Self::Scalar { text, is_quoted } => Some((text, *is_quoted)),
            _ => None,
        }
    }
}

/// Reads an object.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Json)>, Flaw> {
    if text.len() > MOST_BYTES {
        return Err(Flaw::TooLong);
    }
    if !text.trim_start().starts_with('{') {
        return Err(Flaw::NoObject);
    }
    match serde_json::from_str(text) {
        Ok(Json::Object(members)) => {
            check(&members, 1)?;
            Ok(members)
        }
        _ => Err(Flaw::BrokenJson),
    }
}

fn check(members: &[(String, Json)], depth: usize) -> Result<(), Flaw> {
    let mut names: Vec<_> = members.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Flaw::DuplicateName(twice[0].clone()));
    }
    members
        .iter()
        .try_for_each(|(_, value)| check_value(value, depth + 1))
}

fn check_value(value: &Json, depth: usize) -> Result<(), Flaw> {
    match value {
        Json::List(_) | Json::Object(_) if depth > DEEPEST => Err(Flaw::TooDeep),
        Json::List(values) => values
            .iter()
            .try_for_each(|value| check_value(value, depth + 1)),
        Json::Object(members) => check(members, depth),
        Json::Null | Json::Scalar { .. } => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

fn bare(value: &impl ToString) -> Json {
    Json::Scalar {
        text: value.to_string(),
        is_quoted: false,
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(bare(&value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(bare(&value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(bare(&value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(bare(&value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar {
            text: value.to_owned(),
            is_quoted: true,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_in_an_object() {
        let twice = |text| parse(text).unwrap_err();

        assert_eq!(
            twice(r#"{"a":1,"a":1}"#),
            Flaw::DuplicateName("a".to_owned())
        );
        assert_eq!(
            twice(r#"{"a":[{"b":1,"c":2,"b":3}]}"#),
            Flaw::DuplicateName("b".to_owned())
        );
        assert!(parse(r#"{"a":{"a":1},"A":1}"#).is_ok());
    }

    #[test]
    fn what_is_no_object_is_told_from_what_is_broken() {
        for text in ["", "[]", "nothing", "\"{\""] {
            assert_eq!(parse(text), Err(Flaw::NoObject), "{text}");
        }
        for text in ["{", "{}}", "{\"a\"}", "{'a':1}"] {
            assert_eq!(parse(text), Err(Flaw::BrokenJson), "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |depth| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));

        assert!(parse(&nested(DEEPEST - 1)).is_ok());
        assert_eq!(parse(&nested(DEEPEST)), Err(Flaw::TooDeep));
        assert_eq!(parse(&nested(10_000)), Err(Flaw::BrokenJson));
        let long = format!("{{}}{}", " ".repeat(MOST_BYTES));
        assert_eq!(parse(&long), Err(Flaw::TooLong));
    }
}
