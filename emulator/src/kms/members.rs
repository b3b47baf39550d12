//! Reads the members of a request, and collects what is wrong with them.
//!
//! KMS names everything that is wrong in one answer. So a reader here always gives a value; one that stands in for a bad
//! member is never used, since [`Members::check`] refuses the request before the operation's turn.
//!
//! Source: answers recorded from AWS, and its service model for the bounds.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::kms::error::KmsError;
use crate::model::context::EncryptionContext;
use crate::model::timestamp::Timestamp;
use crate::wire::encoding::parse_base64;

/// The most bytes of an encryption context as JSON.
const MOST_CONTEXT: usize = 8_192;
/// The bounds of a key's name in characters.
const KEY_ID: RangeInclusive<usize> = 1..=2_048;

/// For whom an answer is encrypted: an attested enclave, of which there are none here. No operation takes it, and none may
/// answer in the clear where it was asked for.
const RECIPIENT: &str = "Recipient";

/// The members of a request.
#[derive(Debug, Default)]
pub(crate) struct Members {
    values: Map<String, Value>,
    violations: Vec<String>,
    tokens: Vec<String>,
    /// A member of another JSON type than it must have: that is found before all else.
    mistyped: Option<String>,
}

impl Members {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// `SerializationException` for what is no JSON object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, KmsError> {
        let values = if body.is_empty() {
            Some(Map::new())
        } else {
            serde_json::from_slice(body).ok()
        };
        let values = values.ok_or_else(|| KmsError::new("SerializationException", ""))?;
        Ok(Self {
            values,
            ..Self::default()
        })
    }

    /// Refuses a request with anything wrong in it.
    ///
    /// # Errors
    ///
    /// `SerializationException`, `ValidationException`; `UnsupportedOperationException` for a recipient.
    // AWS: unverified. The words for a member of another type.
    pub(crate) fn check(self) -> Result<(), KmsError> {
        if let Some(name) = self.mistyped {
            let message = format!("The value of {name} cannot be converted to its type");
            return Err(KmsError::new("SerializationException", message));
        }
        let count = self.violations.len();
        if count == 0 && self.values.contains_key(RECIPIENT) {
            // AWS: unverified. The words: there, an enclave would get what nobody else may see.
            return Err(KmsError::unsupported(format!(
                "{RECIPIENT} is not supported."
            )));
        }
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "error" } else { "errors" };
        let violations = self.violations.join("; ");
        Err(KmsError::validation(format!(
            "{count} validation {plural} detected: {violations}"
        )))
    }

    /// A key's name, which must be there.
    pub(crate) fn key_id(&mut self, name: &str) -> String {
        self.text(name, KEY_ID)
    }

    /// A key's name, where it is there.
    pub(crate) fn maybe_key_id(&mut self, name: &str) -> Option<String> {
        self.maybe_text(name, KEY_ID)
    }

    /// A text of so many characters, which must be there.
    pub(crate) fn text(&mut self, name: &str, length: RangeInclusive<usize>) -> String {
        let found = self.maybe_text(name, length);
        self.demand(name, found)
    }

    /// A text of so many characters, where it is there.
    pub(crate) fn maybe_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            return self.mistype(name);
        };
        self.check_length(&path(name), Some(&text), text.chars().count(), &length);
        Some(text)
    }

    /// Bytes, so many of them, which must be there. This copy is wiped when it is dropped; the request's own text, from
    /// which it was decoded, lives as long as the request.
    pub(crate) fn blob(&mut self, name: &str, length: RangeInclusive<usize>) -> Zeroizing<Vec<u8>> {
        let found = self.maybe_blob(name, length);
        self.demand(name, found)
    }

    fn maybe_blob(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let Value::String(text) = self.take(name)? else {
            return self.mistype(name);
        };
        let text = Zeroizing::new(text);
        let Some(bytes) = parse_base64(&text).map(Zeroizing::new) else {
            return self.mistype(name);
        };
        self.check_length(&path(name), None, bytes.len(), &length);
        Some(bytes)
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = self.take(name)?.as_i64() else {
            return self.mistype(name);
        };
        let value = format!("Value '{number}' at '{}'", path(name));
        let (low, high) = (i64::from(*bounds.start()), i64::from(*bounds.end()));
        if number < low {
            self.violate(&value, format!("have value greater than or equal to {low}"));
        } else if number > high {
            self.violate(&value, format!("have value less than or equal to {high}"));
        }
        u32::try_from(number).ok()
    }

    /// A time, in seconds since the epoch.
    pub(crate) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let seconds = self.take(name)?.as_f64();
        let Some(seconds) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        else {
            return self.mistype(name);
        };
        let millis = u64::try_from(seconds.as_millis()).unwrap_or(u64::MAX);
        Some(Timestamp::from_unix_millis(millis))
    }

    /// A boolean, false where it is not there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => self.mistype::<bool>(name).unwrap_or_default(),
        }
    }

    /// Whether a boolean is true, which is read again later.
    pub(crate) fn has_flag(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Value::Bool(true))
    }

    /// One of these words, which must be there.
    pub(crate) fn choice_of(&mut self, name: &str, choices: &[&'static str]) -> &'static str {
        let Some(value) = self.take(name) else {
            return self.demand(name, None);
        };
        self.choose(name, value, choices).unwrap_or_default()
    }

    /// One of these words, where it is there.
    pub(crate) fn choice(&mut self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let value = self.take(name)?;
        self.choose(name, value, choices)
    }

    fn choose(
        &mut self,
        name: &str,
        value: Value,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let Value::String(word) = value else {
            return self.mistype(name);
        };
        let found = choices.iter().copied().find(|choice| *choice == word);
        if found.is_none() {
            let value = format!("Value '{word}' at '{}'", path(name));
            let choices = choices.join(", ");
            self.violate(&value, format!("satisfy enum value set: [{choices}]"));
        }
        found
    }

    /// The encryption context, empty where it is not there.
    pub(crate) fn context(&mut self, name: &str) -> EncryptionContext {
        let pairs = match self.take(name) {
            None => Some(BTreeMap::new()),
            Some(pairs) => serde_json::from_value(pairs).ok(),
        };
        let pairs = pairs.or_else(|| self.mistype(name)).unwrap_or_default();
        let context = EncryptionContext::new(pairs);
        // AWS: unverified. How a larger one is refused; the bound is documented.
        let length = context.canonical().len();
        self.check_length(&path(name), None, length, &(0..=MOST_CONTEXT));
        context
    }

    /// A list of texts, each of so many characters, which must be there.
    pub(crate) fn texts(&mut self, name: &str, length: RangeInclusive<usize>) -> Vec<String> {
        let found = self.maybe_texts(name, length);
        self.demand(name, found)
    }

    fn maybe_texts(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<Vec<String>> {
        let Ok(texts) = serde_json::from_value::<Vec<String>>(self.take(name)?) else {
            return self.mistype(name);
        };
        for (index, text) in texts.iter().enumerate() {
            let path = format!("{}.{}.member", path(name), index + 1);
            self.check_length(&path, Some(text), text.chars().count(), &length);
        }
        Some(texts)
    }

    /// An object; `None` where it is not there.
    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        let Value::Object(object) = self.take(name)? else {
            return self.mistype(name);
        };
        Some(object)
    }

    /// Whether a text is there that nobody may see, of so many characters.
    pub(crate) fn has_secret(&mut self, name: &str, length: RangeInclusive<usize>) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::String(text)) => {
                let text = Zeroizing::new(text);
                self.check_length(&path(name), None, text.chars().count(), &length);
                true
            }
            Some(_) => self.mistype::<bool>(name).unwrap_or_default(),
        }
    }

    /// A list of some of these words, which must be there.
    pub(crate) fn choices_of(&mut self, name: &str, choices: &[&'static str]) -> Vec<&'static str> {
        let found = self.maybe_choices_of(name, choices);
        self.demand(name, found)
    }

    /// A list of some of these words, where it is there.
    // AWS: unverified. The words for one that is none of them are those of other services.
    pub(crate) fn maybe_choices_of(
        &mut self,
        name: &str,
        choices: &[&'static str],
    ) -> Option<Vec<&'static str>> {
        let words: Vec<String> = self.read(name)?;
        let known = |word: &String| choices.iter().copied().find(|choice| choice == word);
        let chosen: Vec<_> = words.iter().filter_map(known).collect();
        if chosen.len() != words.len() {
            let value = format!("Value '[{}]' at '{}'", words.join(", "), path(name));
            let choices = choices.join(", ");
            let rule =
                format!("satisfy constraint: [Member must satisfy enum value set: [{choices}]]");
            self.violate(&value, rule);
        }
        Some(chosen)
    }

    /// Whatever has this shape; `None` where it is not there.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let read = serde_json::from_value(self.take(name)?);
        read.ok().or_else(|| self.mistype(name))
    }

    /// A list of objects; `None` where it is not there.
    pub(crate) fn objects(&mut self, name: &str) -> Option<Vec<Map<String, Value>>> {
        self.read(name)
    }

    /// A text of an object in a list, which must be there; `within` is the path of the object.
    pub(crate) fn text_of(
        &mut self,
        object: &Map<String, Value>,
        (within, name): (&str, &str),
        length: &RangeInclusive<usize>,
    ) -> String {
        let path = format!("{within}.{}", path(name));
        match object.get(name) {
            None | Some(Value::Null) => self.demand(&path, None),
            Some(Value::String(text)) => {
                self.check_length(&path, Some(text), text.chars().count(), length);
                text.clone()
            }
            Some(_) => self.mistype::<String>(&path).unwrap_or_default(),
        }
    }

    /// Reads the tokens of grants that the caller knows of. A grant works without them; what is none is refused.
    pub(crate) fn grant_tokens(&mut self) {
        let tokens = self
            .maybe_texts("GrantTokens", 1..=8_192)
            .unwrap_or_default();
        if tokens.len() > 10 {
            let value = format!("Value '[{}]' at 'grantTokens'", tokens.join(", "));
            self.violate(&value, "have length less than or equal to 10".to_owned());
        }
        self.tokens = tokens;
    }

    /// The tokens that were read.
    pub(crate) fn take_tokens(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tokens)
    }

    /// Notes a member that is not as it must be, by its path within the request; `value` is left out of what is secret.
    fn check_length(
        &mut self,
        path: &str,
        value: Option<&str>,
        length: usize,
        bounds: &RangeInclusive<usize>,
    ) {
        let value = value.map_or_else(String::new, |value| format!(" '{value}'"));
        let value = format!("Value{value} at '{path}'");
        let (least, most) = (bounds.start(), bounds.end());
        if length < *least {
            let rule = format!("have length greater than or equal to {least}");
            self.violate(&value, rule);
        } else if length > *most {
            let rule = format!("have length less than or equal to {most}");
            self.violate(&value, rule);
        }
    }

    /// Notes a text that does not match a pattern.
    pub(crate) fn mismatch(&mut self, name: &str, text: &str, pattern: &str) {
        let value = format!("Value '{text}' at '{}'", path(name));
        let rule = format!("satisfy regular expression pattern: {pattern}");
        self.violate(&value, rule);
    }

    /// Notes that a member is missing which must be there.
    pub(crate) fn demand<T: Default>(&mut self, name: &str, found: Option<T>) -> T {
        if found.is_none() && self.mistyped.is_none() {
            let value = format!("Value null at '{}'", path(name));
            self.violations.push(format!(
                "{value} failed to satisfy constraint: Member must not be null"
            ));
        }
        found.unwrap_or_default()
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn violate(&mut self, value: &str, rule: impl Display) {
        self.violations.push(format!(
            "{value} failed to satisfy constraint: Member must {rule}"
        ));
    }

    fn mistype<T>(&mut self, name: &str) -> Option<T> {
        self.mistyped.get_or_insert_with(|| name.to_owned());
        None
    }
}

/// A member as KMS's refusals call it: its name with a small first letter.
fn path(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str, read: impl FnOnce(&mut Members)) -> String {
        let mut members = Members::parse(body.as_bytes()).unwrap();
        read(&mut members);
        members.check().unwrap_err().to_string()
    }

    #[test]
    fn json_that_is_too_deep_is_none() {
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));

        assert!(Members::parse(nested(100).as_bytes()).is_ok());
        for deep in [nested(200), nested(100_000), "[".repeat(200_000)] {
            let refused = Members::parse(deep.as_bytes()).unwrap_err();

            assert_eq!(refused.exception, "SerializationException");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let message = refused(r#"{"NumberOfBytes":1025,"KeySpec":"AES"}"#, |members| {
            members.key_id("KeyId");
            members.choice("KeySpec", &["AES_256", "AES_128"]);
            members.number("NumberOfBytes", 1..=1_024);
        });

        assert_eq!(
            message,
            "ValidationException: 3 validation errors detected: \
             Value null at 'keyId' failed to satisfy constraint: Member must not be null; \
             Value 'AES' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]; \
             Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024"
        );
    }

    #[test]
    fn a_secret_that_is_too_long_is_not_repeated() {
        let message = refused(r#"{"Plaintext":"c2VjcmV0"}"#, |members| {
            members.blob("Plaintext", 1..=4);
        });

        assert_eq!(
            message,
            "ValidationException: 1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4"
        );
    }

    #[test]
    fn a_member_of_another_type_cannot_be_read() {
        for body in [
            r#"{"Limit":"5"}"#,
            r#"{"KeyId":5}"#,
            r#"{"EncryptionContext":[]}"#,
        ] {
            let message = refused(body, |members| {
                members.number("Limit", 1..=5);
                members.maybe_key_id("KeyId");
                members.context("EncryptionContext");
            });
            assert!(message.starts_with("SerializationException"), "{message}");
        }
    }
}
