//! Temporary credentials. All that a session is lies sealed in its token, so that no table is kept of them: they outlive a
//! restart over the same root key, and work until they expire.
//!
//! A token is a version byte and the session as JSON under Tink's AEAD, in base64. The secret key follows from the access
//! key, and the access key tells whether it is one of ours: its second half is a code over the first.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::auth::iam_names::Tags;
use crate::crypto::aead::{Aead, IV_BYTES};
use crate::crypto::digest::{equal, hmac_sha256};
use crate::crypto::subkey::subkey;
use crate::model::timestamp::Timestamp;
use crate::wire::encoding::{base64, parse_base64};

/// What the root key gives a key for.
pub(crate) const PURPOSE: &str = "strongroom/sessions/1";
/// What every access key of a session begins with.
const PREFIX: &str = "ASIA";
/// The first byte of a token; bound into it.
const VERSION: &[u8] = b"\x01";
/// Of a secret key: 40 characters in base64.
const SECRET_BYTES: usize = 30;
/// Five bytes in base32.
const HALF: usize = 8;
/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Begins sessions, and knows them again.
pub(crate) struct Sessions {
    seal: Aead,
    names: Zeroizing<[u8; 32]>,
    secrets: Zeroizing<[u8; 32]>,
}

/// A session, as its token holds it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    /// Its access key.
    pub(crate) access_key: String,
    /// When it began.
    pub(crate) issued: Timestamp,
    /// When it ends.
    pub(crate) expires: Timestamp,
    /// Whose it is.
    pub(crate) of: SessionOf,
    /// Its own tags, and those that it inherited.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(crate) tags: Tags,
    /// The keys of those tags that a next session inherits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transitive: Vec<String>,
    /// The policy that caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Box<RawValue>>,
    /// Who it says to be behind all roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
}

/// Whose a session is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum SessionOf {
    /// Somebody's in a role.
    Role {
        /// The role's ARN.
        arn: String,
        /// The name of the session.
        name: String,
    },
    /// That of a user or a root; holds the access key that is for good.
    Owner(String),
    /// A federated user's.
    Federated {
        /// The access key of who made it.
        by: String,
        /// Its name.
        name: String,
    },
}

impl Sessions {
    /// Over a key that serves nothing else.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            seal: Aead::derive(key),
            names: subkey(key, "strongroom/sessions/names/1"),
            secrets: subkey(key, "strongroom/sessions/secrets/1"),
        }
    }

    /// A new access key, of five random bytes.
    pub(crate) fn access_key(&self, random: [u8; 5]) -> String {
        let begin = format!("{PREFIX}{}", base32(random));
        let code = self.code(&begin);
        begin + &code
    }

    /// Whether it is the access key of a session that was begun here.
    pub(crate) fn is_ours(&self, access_key: &str) -> bool {
        let split = access_key.split_at_checked(PREFIX.len() + HALF);
        split.is_some_and(|(begin, code)| {
            begin.starts_with(PREFIX) && equal(self.code(begin).as_bytes(), code.as_bytes())
        })
    }

    /// The secret key that belongs to an access key.
    pub(crate) fn secret_key(&self, access_key: &str) -> Zeroizing<String> {
        let code = Zeroizing::new(hmac_sha256(&*self.secrets, access_key.as_bytes()));
        Zeroizing::new(base64(&code[..SECRET_BYTES]))
    }

    /// The token of a session. An `iv` must never serve twice.
    pub(crate) fn token(&self, iv: [u8; IV_BYTES], session: &Session) -> Zeroizing<String> {
        let json = serde_json::to_vec(session).expect("a session has string keys alone");
        let sealed = self.seal.seal(iv, &json, VERSION);
        Zeroizing::new(base64(&[VERSION, &sealed].concat()))
    }

    /// The session that a token holds; `None` for what is no token of ours.
    pub(crate) fn open(&self, token: &str) -> Option<Session> {
        let bytes = parse_base64(token)?;
        let sealed = bytes.strip_prefix(VERSION)?;
        let json = self.seal.open(sealed, VERSION).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn code(&self, begin: &str) -> String {
        let code = hmac_sha256(&*self.names, begin.as_bytes());
        let (first, _) = code.split_first_chunk().expect("a code has 32 bytes");
        base32(*first)
    }
}

fn base32(bytes: [u8; 5]) -> String {
    let bits = bytes
        .iter()
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let sign = |place: usize| {
        let five = u8::try_from(bits >> (5 * place) & 31).expect("five bits are within a byte");
        char::from(BASE32[usize::from(five)])
    };
    (0..HALF).rev().map(sign).collect()
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(access_key: &str) -> Session {
        Session {
            access_key: access_key.to_owned(),
            issued: Timestamp::from_unix_millis(1),
            expires: Timestamp::from_unix_millis(2),
            of: SessionOf::Owner("AK".to_owned()),
            tags: Tags::new(),
            transitive: Vec::new(),
            policy: Some(RawValue::from_string(r#"{"Statement":[]}"#.to_owned()).unwrap()),
            source_identity: None,
        }
    }

    /// RFC 4648 §10 has `foobar`; this is its first half.
    #[test]
    fn base32_has_its_published_value() {
        assert_eq!(base32(*b"fooba"), "MZXW6YTB");
    }

    #[test]
    fn keys_look_like_awss() {
        let sessions = Sessions::new(&[1; 32]);

        let key = sessions.access_key([2; 5]);

        assert_eq!((key.len(), &key[..4]), (20, "ASIA"));
        assert_eq!(sessions.secret_key(&key).len(), 40);
        assert_ne!(sessions.access_key([3; 5]), key);
    }

    #[test]
    fn a_key_is_known_by_whom_it_was_begun_by_alone() {
        let sessions = Sessions::new(&[1; 32]);
        let key = sessions.access_key([2; 5]);

        assert!(sessions.is_ours(&key));
        assert!(!Sessions::new(&[2; 32]).is_ours(&key));
        for other in [
            "",
            "ASIA",
            "AKIAIOSFODNN7EXAMPLE",
            "ASIAIOSFODNN7EXAMPLE",
            "ÄÄÄÄÄÄÄ",
            &key[..19],
        ] {
            assert!(!sessions.is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_token_opens_to_what_was_sealed() {
        let sessions = Sessions::new(&[1; 32]);

        let token = sessions.token([7; IV_BYTES], &session("ASIA"));

        let opened = sessions.open(&token).unwrap();
        assert_eq!(opened.access_key, "ASIA");
        assert_eq!(opened.policy.unwrap().get(), r#"{"Statement":[]}"#);
        assert!(Sessions::new(&[2; 32]).open(&token).is_none());
        assert!(!format!("{sessions:?}").contains('1'));
    }

    proptest! {
        #[test]
        fn a_changed_token_opens_to_nothing(position: prop::sample::Index, other in "[A-Za-z0-9+/]") {
            let sessions = Sessions::new(&[1; 32]);
            let token = sessions.token([7; IV_BYTES], &session("ASIA"));
            let position = position.index(token.trim_end_matches('=').len());
            let mut changed = token.to_string();
            changed.replace_range(position..=position, &other);
            prop_assume!(parse_base64(&changed) != parse_base64(&token));
            prop_assert!(sessions.open(&changed).is_none());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let sessions = Sessions::new(&[1; 32]);
            prop_assert!(sessions.open(&text).is_none());
            prop_assert!(!sessions.is_ours(&text));
        }
    }
}
