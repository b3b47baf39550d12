//! Conditions: under which circumstances a statement counts.
//!
//! Operators are all to hold, so are keys of one operator, and of the values of a key any one does. Of a negated operator's
//! values none may match.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use crate::policy::comparison::{Comparison, Order, TextMatch, compares};
use crate::policy::keys::{ContextKeys, normal};
use crate::policy::template::Template;

const NAMES: &[(&str, Test)] = &[
    ("StringEquals", is(Comparison::Text(TextMatch::Exact))),
    ("StringNotEquals", not(Comparison::Text(TextMatch::Exact))),
    (
        "StringEqualsIgnoreCase",
        is(Comparison::Text(TextMatch::IgnoringCase)),
    ),
    (
        "StringNotEqualsIgnoreCase",
        not(Comparison::Text(TextMatch::IgnoringCase)),
    ),
    ("StringLike", is(Comparison::Text(TextMatch::Pattern))),
    ("StringNotLike", not(Comparison::Text(TextMatch::Pattern))),
    ("NumericEquals", is(Comparison::Number(Order::Equal))),
    ("NumericNotEquals", not(Comparison::Number(Order::Equal))),
    ("NumericLessThan", is(Comparison::Number(Order::Less))),
    (
        "NumericLessThanEquals",
        is(Comparison::Number(Order::AtMost)),
    ),
    ("NumericGreaterThan", is(Comparison::Number(Order::Greater))),
    (
        "NumericGreaterThanEquals",
        is(Comparison::Number(Order::AtLeast)),
    ),
    ("DateEquals", is(Comparison::Date(Order::Equal))),
    ("DateNotEquals", not(Comparison::Date(Order::Equal))),
    ("DateLessThan", is(Comparison::Date(Order::Less))),
    ("DateLessThanEquals", is(Comparison::Date(Order::AtMost))),
    ("DateGreaterThan", is(Comparison::Date(Order::Greater))),
    (
        "DateGreaterThanEquals",
        is(Comparison::Date(Order::AtLeast)),
    ),
    ("Bool", is(Comparison::Bool)),
    ("BinaryEquals", is(Comparison::Binary)),
    ("IpAddress", is(Comparison::IpAddress)),
    ("NotIpAddress", not(Comparison::IpAddress)),
    ("ArnEquals", is(Comparison::Arn)),
    ("ArnLike", is(Comparison::Arn)),
    ("ArnNotEquals", not(Comparison::Arn)),
    ("ArnNotLike", not(Comparison::Arn)),
    ("Null", Test::IsAbsent),
];

/// What is asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    /// Whether it is there at all.
    IsAbsent,
    /// How its values compare.
    Compares {
        comparison: Comparison,
        is_negated: bool,
    },
}

/// How the values of a key are taken that can have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// `ForAnyValue:`.
    Any,
    /// `ForAllValues:`.
    All,
}

/// An operator of conditions: `ForAnyValue:StringLikeIfExists`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// As it was written.
    pub(super) name: String,
    quantifier: Option<Quantifier>,
    test: Test,
    if_exists: bool,
}

/// A condition on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The key as it was written.
    pub(super) key: String,
    /// The values of which one is to match.
    pub(super) values: Vec<Template>,
    normal_key: String,
}

const fn is(comparison: Comparison) -> Test {
    Test::Compares {
        comparison,
        is_negated: false,
    }
}

const fn not(comparison: Comparison) -> Test {
    Test::Compares {
        comparison,
        is_negated: true,
    }
}

impl Operator {
    /// Reads the name of one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (None, name),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::Any), rest),
            Some(("ForAllValues", rest)) => (Some(Quantifier::All), rest),
            Some(_) => return None,
        };
        let base = rest.strip_suffix("IfExists");
        let wanted = base.unwrap_or(rest);
        let (_, test) = NAMES.iter().find(|(known, _)| *known == wanted)?;
        let if_exists = base.is_some();
        (!(if_exists && *test == Test::IsAbsent)).then(|| Self {
            name: name.to_owned(),
            quantifier,
            test: *test,
            if_exists,
        })
    }

    /// How it compares; `None` for `Null`.
    pub(super) fn comparison(&self) -> Option<Comparison> {
        match self.test {
            Test::IsAbsent => None,
            Test::Compares { comparison, .. } => Some(comparison),
        }
    }

    /// Whether variables have a meaning in its values.
    pub(super) fn takes_variables(&self) -> bool {
        matches!(
            self.comparison(),
            Some(Comparison::Text(_) | Comparison::Arn | Comparison::Bool)
        )
    }

    /// Whether a condition holds.
    pub(super) fn holds(&self, condition: &Condition, keys: &ContextKeys) -> bool {
        let actual = keys.values(&condition.normal_key);
        let expected = &condition.values;
        let (comparison, is_negated) = match self.test {
            Test::IsAbsent => {
                let wanted = if actual.is_empty() { "true" } else { "false" };
                let is_wanted = |value: &Template| value.source.eq_ignore_ascii_case(wanted);
                return expected.iter().any(is_wanted);
            }
            Test::Compares {
                comparison,
                is_negated,
            } => (comparison, is_negated),
        };
        if actual.is_empty() {
            return self.holds_of_nothing(is_negated);
        }
        // AWS: unverified. That of a value which cannot be read a negated operator says that it does not match.
        let fits = |actual: &String| {
            let mut expected = expected.iter();
            expected.any(|expected| compares(comparison, expected, actual, keys)) != is_negated
        };
        // AWS: unverified. How several values are taken without a quantifier.
        match self.quantifier {
            Some(Quantifier::All) => actual.iter().all(fits),
            None if is_negated => actual.iter().all(fits),
            Some(Quantifier::Any) | None => actual.iter().any(fits),
        }
    }

    fn holds_of_nothing(&self, is_negated: bool) -> bool {
        match self.quantifier {
            None => is_negated || self.if_exists,
            // Some value has to match, and `IfExists` makes none: so AWS was seen to decide.
            Some(Quantifier::Any) => false,
            Some(Quantifier::All) => true,
        }
    }
}

impl Condition {
    /// A condition on a key.
    pub(super) fn new(key: &str, values: Vec<Template>) -> Self {
        Self {
            key: key.to_owned(),
            values,
            normal_key: normal(key),
        }
    }

    /// Whether it is on this key.
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.normal_key == normal(key)
    }
}
