//! What an alias may be called.

use crate::kms::error::KmsError;
use crate::model::kms_name::ALIAS_PREFIX;

const NO_PREFIX: &str = "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";

/// The most characters of an alias.
pub(crate) const MOST_CHARACTERS: usize = 256;
/// What every alias is made of.
pub(crate) const PATTERN: &str = "^[a-zA-Z0-9:/_-]+$";

/// Whether a text is made of what aliases are made of.
pub(crate) fn fits(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    name.bytes().all(is_allowed)
}

/// Refuses a name of other characters, one without the prefix, one that is AWS's, and one that is none.
///
/// # Errors
///
/// `ValidationException`, `NotAuthorizedException`, `InvalidAliasNameException`.
// AWS: unverified. The words but for the prefix; the exceptions are known.
pub(crate) fn check(name: &str) -> Result<(), KmsError> {
    if !fits(name) || name.len() > MOST_CHARACTERS {
        let message = format!("An alias has up to {MOST_CHARACTERS} characters of {PATTERN}");
        return Err(KmsError::validation(message));
    }
    match name.strip_prefix(ALIAS_PREFIX) {
        None => Err(KmsError::validation(NO_PREFIX)),
        Some("") => Err(KmsError::new(
            "InvalidAliasNameException",
            "Alias name is empty.",
        )),
        Some(rest) if rest.starts_with("aws/") => Err(KmsError::new(
            "NotAuthorizedException",
            "Aliases with the prefix alias/aws/ are reserved for AWS services.",
        )),
        Some(_) => Ok(()),
    }
}
