//! The policy of a browser's form: what its owner allows the browser to send, until when.
//!
//! Conditions hold for the fields as they are after `${filename}` was replaced. Names and operators are read whatever their
//! case, values are not. Every field needs a condition that names it, and so does the bucket.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>; the refusals are AWS's as
//! recorded or quoted, and where nobody has seen one, versity/versitygw's, which imitate them.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::auth::customer_keys;
use crate::model::timestamp::Timestamp;
use crate::wire::encoding::parse_base64;
use crate::wire::forms::Fields;

/// Fields that need no condition, in lower case; neither does one that begins with [`IGNORED`].
const EXEMPT: [&str; 5] = [
    "awsaccesskeyid",
    "signature",
    "policy",
    "x-amz-signature",
    "file",
];
const IGNORED: &str = "x-ignore-";
const BUCKET: &str = "bucket";
const EQUALS: &str = "eq";
const STARTS_WITH: &str = "starts-with";
const LENGTH: &str = "content-length-range";
const NO_JSON: &str = "Invalid JSON.";

/// A policy, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PostPolicy {
    expires: Timestamp,
    conditions: Vec<Condition>,
}

/// Why a form is refused by its policy, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PolicyError {
    /// The policy cannot be read.
    Unreadable(String),
    /// The form does not keep to it.
    Broken(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// A field is a value, or begins with it.
    Field {
        operator: &'static str,
        /// With its dollar sign.
        field: String,
        value: String,
    },
    /// The size of the file in bytes, both bounds inclusive, as they were written.
    Length { least: String, most: String },
}

impl PostPolicy {
    /// Reads the field `policy`: JSON in base64.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Unreadable`].
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.is_empty() {
            return unreadable("Expecting '{' but found End-of-Input");
        }
        let unbroken: String = text.split_ascii_whitespace().collect();
        let Some(json) = parse_base64(&unbroken) else {
            return unreadable("invalid Base64 encoding.");
        };
        let json = String::from_utf8_lossy(&json);
        let Ok(Value::Object(members)) = serde_json::from_str(&without_escapes(&json)) else {
            return unreadable(NO_JSON);
        };
        let known = |name: &str| matches!(name, "expiration" | "conditions");
        if let Some(other) = members.keys().find(|name| !known(name)) {
            return unreadable(format!("Unexpected: '{}'", other.to_lowercase()));
        }
        let expires = match members.get("expiration") {
            None => return unreadable("Policy missing expiration."),
            Some(expiration) => parse_expiration(expiration)?,
        };
        let conditions = match members.get("conditions") {
            None => return unreadable("Policy missing conditions."),
            Some(Value::Array(conditions)) => conditions.iter().map(Condition::parse),
            Some(_) => return unreadable("Invalid 'conditions' value: must be a List."),
        };
        Ok(Self {
            expires,
            conditions: conditions.collect::<Result<_, _>>()?,
        })
    }

    /// Checks that it still holds.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Broken`].
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), PolicyError> {
        if now < self.expires {
            Ok(())
        } else {
            Err(PolicyError::Broken("Policy expired.".to_owned()))
        }
    }

    /// Checks the fields of a form for a bucket, and gives the bounds of its file's size in bytes.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Broken`] with the first condition that does not hold, else with a field that none names.
    pub(super) fn check(
        &self,
        fields: &Fields,
        bucket: &str,
    ) -> Result<RangeInclusive<u64>, PolicyError> {
        let (mut least, mut most) = (0, u64::MAX);
        for condition in &self.conditions {
            let bounds = condition.bounds(fields, bucket).ok_or_else(|| {
                PolicyError::Broken(format!("Policy Condition failed: {}", condition.render()))
            })?;
            least = least.max(*bounds.start());
            most = most.min(*bounds.end());
        }
        let names = fields.iter().map(|(name, _)| name).chain([BUCKET]);
        match names.into_iter().find(|name| !self.allows(name)) {
            Some(extra) => Err(PolicyError::Broken(format!("Extra input fields: {extra}"))),
            None => Ok(least..=most),
        }
    }

    fn allows(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        EXEMPT.contains(&lower.as_str())
            || lower.starts_with(IGNORED)
            || self
                .conditions
                .iter()
                .any(|condition| condition.names(name))
    }
}

impl Condition {
    fn parse(condition: &Value) -> Result<Self, PolicyError> {
        match condition {
            Value::Object(members) => match members.iter().next() {
                Some((name, value)) if members.len() == 1 => Self::parse_simple(name, value),
                _ => unreadable(
                    "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                ),
            },
            Value::Array(items) => Self::parse_list(items),
            _ => unreadable("Invalid condition test: must be a List or Object."),
        }
    }

    fn parse_simple(name: &str, value: &Value) -> Result<Self, PolicyError> {
        match value {
            Value::String(value) => Ok(Self::Field {
                operator: EQUALS,
                field: format!("${name}"),
                value: value.clone(),
            }),
            Value::Null => unreadable(NO_JSON),
            _ => unreadable("Invalid Simple-Condition: value must be a string."),
        }
    }

    fn parse_list(items: &[Value]) -> Result<Self, PolicyError> {
        let Some((first, operands)) = items.split_first() else {
            return unreadable("Invalid Condition: missing operation identifier.");
        };
        let Some(word) = first.as_str() else {
            return unreadable(NO_JSON);
        };
        let known = [EQUALS, STARTS_WITH, LENGTH];
        let Some(operator) = known.into_iter().find(|op| op.eq_ignore_ascii_case(word)) else {
            return unreadable(format!("Invalid Condition: unknown operation '{word}'."));
        };
        let [one, other] = operands else {
            return unreadable(format!("Invalid {operator}: wrong number of arguments."));
        };
        if operator == LENGTH {
            return Ok(Self::Length {
                least: parse_bound(one)?,
                most: parse_bound(other)?,
            });
        }
        match (one, other) {
            (Value::String(field), Value::String(value)) => Ok(Self::Field {
                operator,
                field: field.clone(),
                value: value.clone(),
            }),
            _ => unreadable(NO_JSON),
        }
    }

    /// The sizes of the file that it allows; `None` where it does not hold.
    fn bounds(&self, fields: &Fields, bucket: &str) -> Option<RangeInclusive<u64>> {
        match self {
            Self::Length { least, most } => Some(least.parse().ok()?..=most.parse().ok()?),
            Self::Field {
                operator,
                field,
                value,
            } => {
                let name = field.strip_prefix('$')?;
                let values: Vec<_> = if name.eq_ignore_ascii_case(BUCKET) {
                    vec![bucket]
                } else {
                    fields.all(name).collect()
                };
                let holds = |sent: &&str| match *operator {
                    EQUALS => *sent == value,
                    _ if name.eq_ignore_ascii_case("content-type") => sent
                        .split(',')
                        .all(|kind| kind.trim_start().starts_with(value)),
                    _ => sent.starts_with(value.as_str()),
                };
                (!values.is_empty() && values.iter().all(holds)).then_some(0..=u64::MAX)
            }
        }
    }

    fn names(&self, name: &str) -> bool {
        match self {
            Self::Length { .. } => false,
            Self::Field { field, .. } => field
                .strip_prefix('$')
                .is_some_and(|known| known.eq_ignore_ascii_case(name)),
        }
    }

    /// As AWS quotes it in a refusal: a list of strings, whichever form it had. A customer's key is masked.
    fn render(&self) -> String {
        let words = match self {
            Self::Field {
                operator,
                field,
                value,
            } => {
                let name = field.trim_start_matches('$');
                let masked = customer_keys::is_carried_by(name);
                let value = if masked { customer_keys::MASK } else { value };
                [operator, field.as_str(), value]
            }
            Self::Length { least, most } => [LENGTH, least, most],
        };
        let quoted = words.map(|word| Value::from(word).to_string());
        format!("[{}]", quoted.join(", "))
    }
}

fn unreadable<T>(message: impl Into<String>) -> Result<T, PolicyError> {
    Err(PolicyError::Unreadable(message.into()))
}

fn parse_expiration(expiration: &Value) -> Result<Timestamp, PolicyError> {
    let text = expiration
        .as_str()
        .map_or_else(|| expiration.to_string(), str::to_owned);
    match Timestamp::parse_iso8601(&text) {
        Some(expires) => Ok(expires),
        None => unreadable(format!("Invalid 'expiration' value: '{text}'")),
    }
}

/// A bound of the size: a number, or a string that should hold one.
fn parse_bound(bound: &Value) -> Result<String, PolicyError> {
    match bound {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_u64() => Ok(number.to_string()),
        // AWS: unverified. The message has been seen, and what could it be about but a sign.
        Value::Number(number) if number.is_i64() => {
            unreadable("Token - must be enclosed in quotes.")
        }
        _ => unreadable(NO_JSON),
    }
}

/// A policy may write `\$` and `\v`, which JSON does not know.
fn without_escapes(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    let mut signs = json.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            plain.push(sign);
            continue;
        }
        match signs.next() {
            Some('$') => plain.push('$'),
            Some('v') => plain.push_str("\\u000b"),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::wire::encoding::base64;

    /// A policy for the bucket `photos` and any key, with these conditions behind.
    fn policy(conditions: &Value) -> Result<PostPolicy, PolicyError> {
        let mut all = vec![
            json!({"bucket": "photos"}),
            json!(["starts-with", "$key", ""]),
        ];
        all.extend(conditions.as_array().unwrap().iter().cloned());
        parse(&json!({"expiration": "2026-03-15T13:23:28Z", "conditions": all}).to_string())
    }

    fn parse(json: &str) -> Result<PostPolicy, PolicyError> {
        PostPolicy::parse(&base64(json.as_bytes()))
    }

    fn unread(json: &str) -> String {
        match parse(json).unwrap_err() {
            PolicyError::Unreadable(message) => message,
            broken @ PolicyError::Broken(_) => panic!("{broken:?}"),
        }
    }

    fn check<const N: usize>(
        conditions: &Value,
        fields: [(&str, &str); N],
    ) -> Result<RangeInclusive<u64>, String> {
        let checked = policy(conditions)
            .unwrap()
            .check(&Fields::from(fields), "photos");
        checked.map_err(|error| match error {
            PolicyError::Broken(message) => message,
            unread @ PolicyError::Unreadable(_) => panic!("{unread:?}"),
        })
    }

    fn failed(condition: &str) -> Result<RangeInclusive<u64>, String> {
        Err(format!("Policy Condition failed: {condition}"))
    }

    const ANY: Result<RangeInclusive<u64>, String> = Ok(0..=u64::MAX);

    #[test]
    fn json_that_is_too_deep_is_none() {
        assert_eq!(unread(&"[".repeat(10_000)), NO_JSON);
    }

    #[test]
    fn a_customers_key_is_not_quoted() {
        let name = "x-amz-server-side-encryption-customer-key";
        let conditions = json!([["starts-with", format!("${name}"), "secret"]]);

        let checked = check(&conditions, [("key", "k"), (name, "other")]);

        let quoted = format!("[\"starts-with\", \"${name}\", \"***\"]");
        assert_eq!(checked, failed(&quoted));
    }

    #[test]
    fn conditions_are_met_by_value_or_by_its_beginning() {
        let equal = json!([["eq", "$x-amz-meta-a", "b"]]);
        let begins = json!([["starts-with", "$x-amz-meta-a", "ab"]]);

        assert_eq!(check(&equal, [("key", "k"), ("x-amz-meta-a", "b")]), ANY);
        assert_eq!(
            check(&equal, [("key", "k"), ("x-amz-meta-a", "B")]),
            failed(r#"["eq", "$x-amz-meta-a", "b"]"#)
        );
        assert_eq!(check(&begins, [("key", "k"), ("x-amz-meta-a", "abc")]), ANY);
        assert_eq!(
            check(&begins, [("key", "k"), ("x-amz-meta-a", "a")]),
            failed(r#"["starts-with", "$x-amz-meta-a", "ab"]"#)
        );
    }

    #[test]
    fn the_case_of_names_and_operators_does_not_matter() {
        let conditions = json!([["StArTs-WiTh", "$SUCCESS_action_status", "2"], {"aCl": "x"}]);

        let checked = check(
            &conditions,
            [("KEY", "k"), ("success_action_status", "201"), ("Acl", "x")],
        );

        assert_eq!(checked, ANY);
    }

    #[test]
    fn a_field_that_is_not_sent_meets_no_condition() {
        let checked = check(
            &json!([["starts-with", "$Content-Type", ""]]),
            [("key", "k")],
        );

        assert_eq!(checked, failed(r#"["starts-with", "$Content-Type", ""]"#));
    }

    #[test]
    fn every_value_of_a_field_has_to_meet_its_condition() {
        let fields = [("key", "k"), ("acl", "private"), ("acl", "public-read")];

        let checked = check(&json!([{"acl": "private"}]), fields);

        assert_eq!(checked, failed(r#"["eq", "$acl", "private"]"#));
    }

    #[test]
    fn every_field_and_the_bucket_need_a_condition() {
        let extra = |name: &str| Err(format!("Extra input fields: {name}"));
        let exempt = [
            ("key", "k"),
            ("Policy", "p"),
            ("AWSAccessKeyId", "a"),
            ("X-Amz-Signature", "s"),
            ("signature", "s"),
            ("x-ignore-this", "i"),
        ];
        let unbound = parse(r#"{"expiration":"2026-03-15T13:23:28Z","conditions":[{"key":"k"}]}"#);

        assert_eq!(check(&json!([]), exempt), ANY);
        assert_eq!(
            check(&json!([]), [("key", "k"), ("Acl", "x")]),
            extra("Acl")
        );
        let broken = unbound
            .unwrap()
            .check(&Fields::from([("key", "k")]), "photos");
        assert_eq!(
            broken,
            Err(PolicyError::Broken("Extra input fields: bucket".to_owned()))
        );
    }

    #[test]
    fn a_policy_is_for_its_bucket_whatever_the_form_says() {
        let policy = policy(&json!([])).unwrap();
        let fields = Fields::from([("key", "k"), ("bucket", "photos")]);

        assert!(policy.check(&fields, "photos").is_ok());
        assert!(policy.check(&fields, "others").is_err());
    }

    /// Source: the documentation's section on content types with commas.
    #[test]
    fn each_of_several_content_types_has_to_begin_so() {
        let images = json!([["starts-with", "$Content-Type", "image/"]]);
        let of = |kinds: &'static str| check(&images, [("key", "k"), ("content-type", kinds)]);

        assert_eq!(of("image/png,image/gif, image/jpeg"), ANY);
        assert!(of("image/png,text/plain").is_err());
    }

    #[test]
    fn sizes_are_numbers_or_strings_of_digits() {
        let range = |least: Value, most: Value| {
            check(
                &json!([["content-length-range", least, most]]),
                [("key", "k")],
            )
        };

        assert_eq!(range(json!(5), json!(10)), Ok(5..=10));
        assert_eq!(range(json!("5"), json!("10")), Ok(5..=10));
        assert_eq!(
            range(json!("test"), json!("10")),
            failed(r#"["content-length-range", "test", "10"]"#)
        );
    }

    #[test]
    fn a_refusal_quotes_as_json_does() {
        let name = r#"filename="a.png""#;

        let checked = check(&json!([{"Content-Disposition": name}]), [("key", "k")]);

        assert_eq!(
            checked,
            failed(r#"["eq", "$Content-Disposition", "filename=\"a.png\""]"#)
        );
    }

    #[test]
    fn a_condition_without_the_dollar_sign_never_holds() {
        let checked = check(&json!([["eq", "acl", "x"]]), [("key", "k"), ("acl", "x")]);

        assert_eq!(checked, failed(r#"["eq", "acl", "x"]"#));
    }

    #[test]
    fn a_policy_ends_at_its_expiration() {
        let policy = policy(&json!([])).unwrap();
        let end = Timestamp::parse_iso8601("2026-03-15T13:23:28Z").unwrap();
        let second = std::time::Duration::from_secs(1);

        assert!(policy.check_time(end.minus(second)).is_ok());
        assert_eq!(
            policy.check_time(end),
            Err(PolicyError::Broken("Policy expired.".to_owned()))
        );
    }

    #[test]
    fn what_is_no_policy_is_told() {
        let with = |conditions: &str| {
            unread(&format!(
                r#"{{"expiration":"2026-03-15T13:23:28.000Z","conditions":{conditions}}}"#
            ))
        };

        assert_eq!(unread("[]"), "Invalid JSON.");
        assert_eq!(unread("{"), "Invalid JSON.");
        assert_eq!(unread(r#"{"Statement":[]}"#), "Unexpected: 'statement'");
        assert_eq!(unread(r#"{"EXPIRATION":""}"#), "Unexpected: 'expiration'");
        assert_eq!(unread(r#"{"conditions":[]}"#), "Policy missing expiration.");
        assert_eq!(
            unread(r#"{"expiration":"2026-03-15 13:23:28","conditions":[]}"#),
            "Invalid 'expiration' value: '2026-03-15 13:23:28'"
        );
        assert_eq!(
            unread(r#"{"expiration":"2026-03-15T13:23:28Z"}"#),
            "Policy missing conditions."
        );
        assert_eq!(with("{}"), "Invalid 'conditions' value: must be a List.");
        assert_eq!(
            with(r#"["a"]"#),
            "Invalid condition test: must be a List or Object."
        );
        for two in ["[{}]", r#"[{"a":"b","c":"d"}]"#] {
            let message = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
            assert_eq!(with(two), message);
        }
        let message = "Invalid Simple-Condition: value must be a string.";
        assert_eq!(with(r#"[{"Content-Length":5}]"#), message);
        assert_eq!(with(r#"[{"a":null}]"#), "Invalid JSON.");
        assert_eq!(
            with("[[]]"),
            "Invalid Condition: missing operation identifier."
        );
        let message = "Invalid Condition: unknown operation 'ends-with'.";
        assert_eq!(with(r#"[["ends-with","$key","x"]]"#), message);
        let message = "Invalid content-length-range: wrong number of arguments.";
        assert_eq!(with(r#"[["content-length-range",0]]"#), message);
        assert_eq!(
            with(r#"[["content-length-range",0,512.0]]"#),
            "Invalid JSON."
        );
        let message = "Token - must be enclosed in quotes.";
        assert_eq!(with(r#"[["content-length-range",-1,0]]"#), message);
    }

    #[test]
    fn a_policy_is_base64() {
        let told = |text: &str| PostPolicy::parse(text).unwrap_err();

        assert_eq!(
            told("{}"),
            PolicyError::Unreadable("invalid Base64 encoding.".to_owned())
        );
        assert_eq!(
            told(""),
            PolicyError::Unreadable("Expecting '{' but found End-of-Input".to_owned())
        );
    }

    /// Source: the documentation's table of characters that a policy must escape.
    #[test]
    fn dollar_signs_may_be_escaped() {
        let json = r#"{"expiration":"2026-03-15T13:23:28Z","conditions":[{"bucket":"photos"},["eq","\$key","\\\$a\v"]]}"#;

        let checked = parse(json)
            .unwrap()
            .check(&Fields::from([("key", "\\$a\u{b}")]), "photos");

        assert_eq!(checked, Ok(0..=u64::MAX));
    }

    proptest! {
        #[test]
        fn a_form_keeps_to_a_policy_made_of_it(
            values in prop::collection::btree_map("[a-z-]{1,9}", "\\PC{0,9}", 0..5),
            other in "\\PC{1,9}",
        ) {
            let mut fields = Fields::from([("key", "k")]);
            let mut conditions = Vec::new();
            for (name, value) in &values {
                let name = format!("x-amz-meta-{name}");
                conditions.push(json!({name.as_str(): value}));
                fields.push(&name, value);
            }
            let policy = policy(&conditions.into()).unwrap();

            prop_assert!(policy.check(&fields, "photos").is_ok());
            fields.push("x-amz-meta-a", &other);
            let same = values.get("a").is_some_and(|value| *value == other);
            prop_assert_eq!(policy.check(&fields, "photos").is_ok(), same);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", json in "[\\[\\]{}\":,a-z$\\\\0-9-]*") {
            let _ = PostPolicy::parse(&text);
            let _ = parse(&json);
        }
    }
}
