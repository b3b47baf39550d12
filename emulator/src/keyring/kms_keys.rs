//! Looking up KMS keys by the four forms of their names.
//!
//! There are none yet: every look-up ends in KMS's own words for a key that is not there.
//!
//! Source: answers recorded from AWS in February 2026.

use crate::keyring::data_keys::Keyring;
use crate::keyring::error::KeyringError;

/// The key that S3 uses where none is named.
const DEFAULT_ALIAS: &str = "alias/aws/s3";

/// A KMS key. None can be made yet.
#[derive(Debug)]
pub(crate) enum KmsKey {}

impl Keyring {
    /// Finds a key by id, key ARN, alias name or alias ARN, as seen from a region and an account.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotFound`].
    #[expect(
        clippy::unused_self,
        reason = "the keys that it looks through come with KMS"
    )]
    pub(crate) fn find_kms_key(
        &self,
        name: Option<&str>,
        region: &str,
        account: &str,
    ) -> Result<KmsKey, KeyringError> {
        Err(KeyringError::NotFound(missing(
            name.unwrap_or(DEFAULT_ALIAS),
            region,
            account,
        )))
    }
}

fn missing(name: &str, region: &str, account: &str) -> String {
    let arn = |resource: &str| format!("arn:aws:kms:{region}:{account}:{resource}");
    match name.strip_prefix("arn:") {
        Some(rest) => {
            let foreign = rest.split(':').nth(2).filter(|found| *found != region);
            match (foreign, name.contains(":alias/")) {
                (Some(foreign), _) => format!("Invalid arn {foreign}"),
                (None, true) => format!("Alias {name} is not found."),
                (None, false) => format!("Key '{name}' does not exist"),
            }
        }
        None if name.starts_with("alias/") => format!("Alias {} is not found.", arn(name)),
        None if is_key_id(name) => format!("Key '{}' does not exist", arn(&format!("key/{name}"))),
        None => format!("Invalid keyId '{name}'"),
    }
}

/// A UUID, or `mrk-` and 32 hex digits.
fn is_key_id(name: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = name.strip_prefix("mrk-") {
        return digits.len() == 32 && hex(digits);
    }
    let groups: Vec<_> = name.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| hex(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

    #[test]
    fn a_missing_key_is_named_as_kms_names_it() {
        let arn = format!("arn:aws:kms:us-east-1:000000000000:key/{ID}");
        let foreign = format!("arn:aws:kms:us-west-2:000000000000:key/{ID}");
        let cases = [
            ("fake-key-id", "Invalid keyId 'fake-key-id'".to_owned()),
            ("aws/s3", "Invalid keyId 'aws/s3'".to_owned()),
            (ID, format!("Key '{arn}' does not exist")),
            (&arn, format!("Key '{arn}' does not exist")),
            (&foreign, "Invalid arn us-west-2".to_owned()),
            (
                "alias/x",
                "Alias arn:aws:kms:us-east-1:000000000000:alias/x is not found.".to_owned(),
            ),
        ];
        for (name, message) in cases {
            assert_eq!(missing(name, "us-east-1", "000000000000"), message);
        }
    }
}
