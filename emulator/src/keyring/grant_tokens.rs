//! Tokens of grants: opaque, versioned, another one at each time, all as good.
//!
//! A grant works at once here, so that nobody needs one; but what is presented has to be one.

use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::model::kms_grant::{GrantId, KmsGrant};
use crate::model::kms_name::KeyId;

/// The first byte of a token.
const VERSION: u8 = 1;
/// What the rest is bound to.
const CONTEXT: &[u8] = b"strongroom/grant-token/1";

/// The grant that a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenGrant {
    /// The region of its key.
    pub(super) region: String,
    /// Its key.
    pub(super) key: KeyId,
    /// Its id.
    pub(super) id: GrantId,
}

impl Keyring {
    /// A new token for a grant.
    pub(crate) fn grant_token(&self, grant: &KmsGrant) -> Vec<u8> {
        let named = format!("{} {} {}", grant.region, grant.key, grant.id);
        let sealed = self
            .root
            .seal(self.entropy.bytes(), named.as_bytes(), CONTEXT);
        [&[VERSION], &sealed[..]].concat()
    }

    /// Refuses what is no token of ours; its grant may be gone.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidGrantToken`].
    pub(crate) fn check_grant_token(&self, token: &[u8]) -> Result<(), Refusal> {
        self.grant_of_token(token).map(drop)
    }

    /// The grant that a token names.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidGrantToken`].
    pub(super) fn grant_of_token(&self, token: &[u8]) -> Result<TokenGrant, Refusal> {
        let named = token
            .strip_prefix(&[VERSION])
            .and_then(|sealed| self.root.open(sealed, CONTEXT).ok());
        let named = named.ok_or(Refusal::InvalidGrantToken)?;
        parse(&named).ok_or(Refusal::InvalidGrantToken)
    }
}

fn parse(named: &[u8]) -> Option<TokenGrant> {
    let mut parts = std::str::from_utf8(named).ok()?.splitn(3, ' ');
    Some(TokenGrant {
        region: parts.next()?.to_owned(),
        key: KeyId::parse(parts.next()?)?,
        id: GrantId::parse(parts.next()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::keyring;
    use crate::model::kms_grant::{GrantConstraints, GrantPrincipal, GrantTerms};
    use crate::model::timestamp::Timestamp;

    fn grant() -> KmsGrant {
        KmsGrant {
            id: GrantId([7; 32]),
            region: "us-east-1".to_owned(),
            key: KeyId::of_parts(false, [1; 16]),
            terms: GrantTerms {
                name: None,
                grantee: GrantPrincipal::Arn("arn:aws:iam::000000000000:user/ann".to_owned()),
                retiring: None,
                operations: Vec::new(),
                constraints: GrantConstraints::default(),
            },
            issuer: "000000000000".to_owned(),
            created: Timestamp::default(),
        }
    }

    #[test]
    fn tokens_of_a_grant_differ_and_name_it_all_the_same() {
        let keyring = keyring(1);

        let tokens = [(); 2].map(|()| keyring.grant_token(&grant()));

        assert_ne!(tokens[0], tokens[1]);
        for token in tokens {
            assert_eq!(keyring.grant_of_token(&token).unwrap().id, grant().id);
        }
    }

    #[test]
    fn what_was_changed_or_is_anothers_is_no_token() {
        let keyring = keyring(1);
        let token = keyring.grant_token(&grant());

        for place in 0..token.len() {
            let mut changed = token.clone();
            changed[place] ^= 1;
            let refused = keyring.check_grant_token(&changed);
            assert_eq!(refused, Err(Refusal::InvalidGrantToken), "{place}");
        }
        let elsewhere = crate::keyring::fixtures::keyring(2);
        assert!(elsewhere.check_grant_token(&token).is_err());
        assert!(keyring.check_grant_token(b"").is_err());
    }
}
