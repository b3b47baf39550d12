//! Who filled in a browser's form: the signature of its policy, in version 4 or 2, or nobody.
//!
//! What is signed is the policy's text in base64, as it was sent; so a signature is checked before the policy is read.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>; refusals recorded from AWS
//! or quoted from it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::auth::authenticator::{Authenticator, Identified, PSEUDO_REGION, SECURITY_TOKEN};
use crate::auth::customer_keys;
use crate::auth::error::{AuthError, Mismatch};
use crate::auth::identity::{Caller, Identity};
use crate::auth::payload::PayloadSigning;
use crate::auth::post_policy::{PolicyError, PostPolicy};
use crate::auth::sigv2;
use crate::auth::sigv4::{self, ALGORITHM, Credential};
use crate::crypto::digest::equal;
use crate::model::timestamp::Timestamp;
use crate::wire::forms::Fields;

const POLICY: &str = "policy";
const CREDENTIAL: &str = "X-Amz-Credential";
const DATE: &str = "X-Amz-Date";
/// What version 4 needs, in the order in which a missing one is told.
// AWS: unverified. Only that the algorithm comes before the credential was seen.
const VERSION_4: [&str; 4] = ["X-Amz-Algorithm", CREDENTIAL, "X-Amz-Signature", DATE];
const VERSION_2: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// Why a form is refused before anybody asks where it goes.
#[derive(Debug)]
pub(crate) enum FormAuthError {
    /// It lacks a field.
    Missing(&'static str),
    /// A field says what it must not.
    Field {
        /// Which.
        name: &'static str,
        /// As it was sent.
        value: String,
        /// What AWS says of it.
        message: String,
    },
    /// Its signature proves nothing.
    Auth(AuthError),
    /// Its policy does not let it in.
    Policy(PolicyError),
}

/// Who filled in a form, and how large its file may be, in bytes.
#[derive(Debug)]
pub(crate) struct IdentifiedForm {
    pub(crate) by: Identified,
    pub(crate) size_bytes: RangeInclusive<u64>,
}

impl Authenticator {
    /// Finds out who filled in a form for a bucket, and checks its policy. A form that is not signed is anonymous, with a
    /// policy or without; where signatures are not verified, neither is the policy's expiry.
    ///
    /// # Errors
    ///
    /// [`FormAuthError`].
    pub(crate) fn identify_form(
        &self,
        fields: &Fields,
        bucket: &str,
        now: Timestamp,
    ) -> Result<IdentifiedForm, FormAuthError> {
        let by = if sends_any(fields, &VERSION_4) {
            self.by_form(fields, now)?
        } else if sends_any(fields, &VERSION_2) {
            self.by_old_form(fields, now)?
        } else if self.verifies && sends_any(fields, &[SECURITY_TOKEN]) {
            return Err(AuthError::NoAccessKey.into());
        } else {
            self.unscoped(self.nobody())
        };
        let mut size_bytes = 0..=u64::MAX;
        if let (Caller::Known(_), Some(policy)) = (&by.caller, fields.find(POLICY)) {
            let policy = PostPolicy::parse(policy)?;
            if self.verifies {
                policy.check_time(now)?;
            }
            size_bytes = policy.check(fields, bucket)?;
        }
        Ok(IdentifiedForm { by, size_bytes })
    }

    fn by_form(&self, fields: &Fields, now: Timestamp) -> Result<Identified, FormAuthError> {
        let policy = require(fields, POLICY)?;
        let [algorithm, credential, signature, date] = require_all(fields, VERSION_4)?;
        if algorithm != ALGORITHM {
            // AWS: unverified. These are the words for a presigned request.
            let message =
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"";
            return Err(refuse(VERSION_4[0], algorithm, message));
        }
        let scope = parse_credential(credential)?;
        if Timestamp::parse_amz_date(date).is_none() {
            let message = "X-Amz-Date must be formated via ISO8601 Long format";
            return Err(refuse(DATE, date, message));
        }
        let token = fields.find(SECURITY_TOKEN);
        let caller = self.find(&scope.access_key, token, now)?;
        let key = scope.signing_key(&caller.secret_key);
        self.verify_form(&caller, policy, (&sigv4::sign(&key, policy), signature))?;
        self.refuse_token(&caller, token)?;
        Ok(Identified {
            caller: Caller::Known(caller),
            region: scope.region,
            payload: PayloadSigning::Unsigned,
            is_version_4: true,
        })
    }

    fn by_old_form(&self, fields: &Fields, now: Timestamp) -> Result<Identified, FormAuthError> {
        let policy = require(fields, POLICY)?;
        let [access_key, signature] = require_all(fields, VERSION_2)?;
        let token = fields.find(SECURITY_TOKEN);
        let caller = self.find(access_key, token, now)?;
        let ours = sigv2::sign(&caller.secret_key, policy);
        self.verify_form(&caller, policy, (&ours, signature))?;
        self.refuse_token(&caller, token)?;
        Ok(self.unscoped(Caller::Known(caller)))
    }

    /// A caller whose signature, if there is one, says nothing of the region.
    fn unscoped(&self, caller: Caller) -> Identified {
        Identified {
            caller,
            region: self.region.clone(),
            payload: PayloadSigning::Unsigned,
            is_version_4: !self.verifies,
        }
    }

    fn verify_form(
        &self,
        caller: &Arc<Identity>,
        policy: &str,
        (ours, theirs): (&str, &str),
    ) -> Result<(), AuthError> {
        if !self.verifies || equal(ours.as_bytes(), theirs.as_bytes()) {
            return Ok(());
        }
        Err(AuthError::Mismatch(Box::new(Mismatch {
            access_key: caller.access_key.clone(),
            string_to_sign: customer_keys::mask_policy(policy),
            signature: theirs.to_owned(),
            canonical_request: None,
        })))
    }
}

fn sends_any(fields: &Fields, names: &[&str]) -> bool {
    names.iter().any(|name| fields.find(name).is_some())
}

fn require<'f>(fields: &'f Fields, name: &'static str) -> Result<&'f str, FormAuthError> {
    fields.find(name).ok_or(FormAuthError::Missing(name))
}

fn require_all<'f, const N: usize>(
    fields: &'f Fields,
    names: [&'static str; N],
) -> Result<[&'f str; N], FormAuthError> {
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = require(fields, name)?;
    }
    Ok(values)
}

/// Source: the words for an empty key and for a wrong region are quoted from AWS, the others from versity/versitygw.
fn parse_credential(text: &str) -> Result<Credential, FormAuthError> {
    let refuse = |message: &str| refuse(CREDENTIAL, text, message);
    if text.starts_with('/') {
        return Err(refuse(
            "a non-empty Access Key (AKID) must be provided in the credential.",
        ));
    }
    let Some(credential) = Credential::parse(text) else {
        return Err(refuse(
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ));
    };
    if credential.service != "s3" {
        let service = &credential.service;
        return Err(refuse(&format!(
            "incorrect service \"{service}\". This endpoint belongs to \"s3\"."
        )));
    }
    if credential.region == PSEUDO_REGION {
        return Err(refuse(&format!(
            "the region '{PSEUDO_REGION}' is wrong; expecting 'us-east-1'"
        )));
    }
    Ok(credential)
}

fn refuse(name: &'static str, value: &str, message: &str) -> FormAuthError {
    FormAuthError::Field {
        name,
        value: value.to_owned(),
        message: message.to_owned(),
    }
}

impl From<AuthError> for FormAuthError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<PolicyError> for FormAuthError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::identities::Identities;
    use crate::auth::sessions::Sessions;
    use crate::wire::encoding::base64;

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SCOPE: &str = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request";
    const SIGNED_AT: &str = "20151229T000000Z";
    /// The policy of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>, and its signature there.
    const EXAMPLE: &str = r#"{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}"#;
    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

    fn authenticator(verifies: bool) -> Authenticator {
        let identities = Identities::new(Identity::root("123456789012", KEY, SECRET));
        Authenticator::new(identities, Sessions::new(&[7; 32]), "us-east-1", verifies)
    }

    fn identify_at(
        date: &str,
        verifies: bool,
        fields: &Fields,
    ) -> Result<IdentifiedForm, FormAuthError> {
        let now = Timestamp::parse_amz_date(date).unwrap();
        authenticator(verifies).identify_form(fields, "sigv4examplebucket", now)
    }

    fn identify(fields: &Fields) -> Result<IdentifiedForm, FormAuthError> {
        identify_at(SIGNED_AT, true, fields)
    }

    /// The documentation's form, with some fields of other values; `None` leaves one out.
    fn form(changes: &[(&str, Option<&str>)]) -> Fields {
        let policy = base64(EXAMPLE.replace('\n', "\r\n").as_bytes());
        let fields = [
            ("key", "user/user1/a.jpg"),
            ("acl", "public-read"),
            (
                "success_action_redirect",
                "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
            ),
            ("Content-Type", "image/jpeg"),
            ("x-amz-meta-uuid", "14365123651274"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-meta-tag", ""),
            ("X-Amz-Credential", SCOPE),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Date", SIGNED_AT),
            ("Policy", policy.as_str()),
            ("X-Amz-Signature", SIGNATURE),
        ];
        of(&fields, changes)
    }

    /// A form of version 2.
    fn old_form(changes: &[(&str, Option<&str>)]) -> Fields {
        let json = r#"{"expiration": "2015-12-30T12:00:00Z", "conditions": [{"bucket": "sigv4examplebucket"}, {"key": "k"}]}"#;
        let policy = base64(json.as_bytes());
        let signature = sigv2::sign(SECRET, &policy);
        let fields = [
            ("key", "k"),
            ("awsaccesskeyid", KEY),
            ("policy", policy.as_str()),
            ("signature", signature.as_str()),
        ];
        of(&fields, changes)
    }

    fn of(fields: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Fields {
        let mut filled = Fields::default();
        for (name, value) in fields {
            let change = changes.iter().find(|(other, _)| other == name);
            if let Some(value) = change.map_or(Some(*value), |(_, value)| *value) {
                filled.push(name, value);
            }
        }
        filled
    }

    fn message(refused: Result<IdentifiedForm, FormAuthError>) -> String {
        match refused.unwrap_err() {
            FormAuthError::Missing(name) => name.to_owned(),
            FormAuthError::Auth(error) => error.to_string(),
            FormAuthError::Field { message, .. }
            | FormAuthError::Policy(
                PolicyError::Unreadable(message) | PolicyError::Broken(message),
            ) => message,
        }
    }

    #[test]
    fn awss_example_is_let_in() {
        let form = identify(&form(&[])).unwrap();

        assert_eq!(form.by.caller.arn(), "arn:aws:iam::123456789012:root");
        assert_eq!(form.by.region, "us-east-1");
        assert!(form.by.is_version_4);
    }

    #[test]
    fn version_2_is_taken_and_does_not_pass_for_4() {
        let form = identify(&old_form(&[])).unwrap();

        assert!(matches!(form.by.caller, Caller::Known(_)));
        assert!(!form.by.is_version_4);
    }

    #[test]
    fn another_signature_tells_what_should_be_signed() {
        for fields in [
            form(&[("X-Amz-Signature", Some("0"))]),
            old_form(&[("signature", Some("0"))]),
            form(&[("Policy", Some("no policy"))]),
        ] {
            let refused = identify(&fields).unwrap_err();

            let FormAuthError::Auth(AuthError::Mismatch(mismatch)) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(
                Some(mismatch.string_to_sign.as_str()),
                fields.find("policy")
            );
            assert_eq!(mismatch.access_key, KEY);
            assert_eq!(mismatch.canonical_request, None);
        }
    }

    #[test]
    fn all_fields_of_a_signature_or_none_are_sent() {
        for name in ["X-Amz-Algorithm", CREDENTIAL, "X-Amz-Signature", DATE] {
            assert_eq!(message(identify(&form(&[(name, None)]))), name);
        }
        let sparse = form(&[("X-Amz-Algorithm", None), (CREDENTIAL, None)]);
        assert_eq!(message(identify(&sparse)), "X-Amz-Algorithm");
        assert_eq!(message(identify(&form(&[("Policy", None)]))), "policy");
        let keyless = old_form(&[("awsaccesskeyid", None)]);
        assert_eq!(message(identify(&keyless)), "AWSAccessKeyId");
        let unsigned = old_form(&[("signature", None)]);
        assert_eq!(message(identify(&unsigned)), "Signature");
    }

    #[test]
    fn a_form_that_is_not_signed_is_anonymous() {
        for fields in [
            Fields::from([("key", "k")]),
            old_form(&[("awsaccesskeyid", None), ("signature", None)]),
        ] {
            let form = identify(&fields).unwrap();

            assert!(matches!(form.by.caller, Caller::Anonymous));
        }
    }

    #[test]
    fn bad_credentials_are_told() {
        let with = |credential: &str| message(identify(&form(&[(CREDENTIAL, Some(credential))])));

        assert!(with("a/us-east-1/s3/aws4_request").starts_with("the Credential is mal-formed"));
        assert!(with(&SCOPE.replace("s3", "ec2")).starts_with("incorrect service \"ec2\""));
        assert!(with("/20151229/us-east-1/s3/aws4_request").starts_with("a non-empty Access Key"));
        let wrong = "the region 'aws-global' is wrong; expecting 'us-east-1'";
        assert_eq!(with(&SCOPE.replace("us-east-1", "aws-global")), wrong);
        assert!(with(&SCOPE.replace("AKIA", "AKIB")).starts_with("nobody has the access key AKIB"));
        let date = form(&[(DATE, Some("2015-12-29"))]);
        assert!(message(identify(&date)).starts_with("X-Amz-Date must be"));
        let algorithm = form(&[("X-Amz-Algorithm", Some("AWS4-HMAC-SHA1"))]);
        assert!(message(identify(&algorithm)).starts_with("X-Amz-Algorithm only supports"));
    }

    #[test]
    fn unknown_tokens_are_refused() {
        let mut fields = form(&[]);
        fields.push("x-amz-security-token", "t");

        let refused = identify(&fields).unwrap_err();

        assert!(matches!(
            refused,
            FormAuthError::Auth(AuthError::BadToken(_))
        ));
    }

    #[test]
    fn a_policy_lasts_until_its_expiration() {
        let late = identify_at("20151230T120000Z", true, &form(&[]));

        assert_eq!(message(late), "Policy expired.");
        assert!(identify_at("20151230T115959Z", true, &form(&[])).is_ok());
    }

    #[test]
    fn a_signed_policy_is_kept_to() {
        let broken = identify(&form(&[("Content-Type", Some("text/plain"))]));

        let condition = "Policy Condition failed: [\"starts-with\", \"$Content-Type\", \"image/\"]";
        assert_eq!(message(broken), condition);
    }

    #[test]
    fn everybody_is_believed_where_nothing_is_verified() {
        let late = "20260101T000000Z";
        for fields in [
            form(&[("X-Amz-Signature", Some("0"))]),
            old_form(&[
                ("signature", Some("0")),
                ("awsaccesskeyid", Some("anybody")),
            ]),
            Fields::from([("key", "k")]),
        ] {
            let form = identify_at(late, false, &fields).unwrap();

            assert!(matches!(form.by.caller, Caller::Known(_)));
            assert!(form.by.is_version_4);
        }
    }

    #[test]
    fn conditions_are_kept_to_even_where_nothing_is_verified() {
        let broken = identify_at(SIGNED_AT, false, &old_form(&[("key", Some("other"))]));

        let condition = "Policy Condition failed: [\"eq\", \"$key\", \"k\"]";
        assert_eq!(message(broken), condition);
    }
}
