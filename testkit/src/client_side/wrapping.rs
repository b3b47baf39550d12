//! The data key of an object, wrapped: under a key of KMS, or under an AES key that the caller holds.
//!
//! Source: `kms_keyring.py` of `amazon-s3-encryption-client-python` 4.0.0, `AesKeyring.java` of the Java client.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

use crate::client_side::cipher::{
    GCM_IV_BYTES, Key, key_of, open_ecb, open_gcm, random, seal_gcm, unwrap_key,
};
use crate::client_side::error::ClientSideError;

/// Names and values: an encryption context, or the description of a wrapping key.
pub(crate) type Pairs = BTreeMap<String, String>;

/// Binds KMS's ciphertext to the algorithm of the body; the client adds it to the caller's context.
pub(crate) const RESERVED: &str = "aws:x-amz-cek-alg";
/// What `kms` put into the context by itself.
pub(crate) const RESERVED_OF_OLD: &str = "kms_cmk_id";

/// A data key as it lies beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrappedKey {
    pub(crate) bytes: Vec<u8>,
    pub(crate) wrapping: Wrapping,
}

/// How a data key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// By KMS, under a context that is bound to the algorithm of the body.
    KmsContext,
    /// By KMS as V1's clients did; only read.
    Kms,
    /// AES-GCM; the IV of 12 bytes stands before it.
    AesGcm,
    /// RFC 3394; only read.
    AesWrap,
    /// AES-ECB with padding; only read.
    Aes,
}

/// Every wrapping with its name in V1 and V2, and in V3 where that has it.
const NAMES: [(Wrapping, &str, Option<&str>); 5] = [
    (Wrapping::KmsContext, "kms+context", Some("12")),
    (Wrapping::Kms, "kms", None),
    (Wrapping::AesGcm, "AES/GCM", Some("02")),
    (Wrapping::AesWrap, "AESWrap", None),
    (Wrapping::Aes, "AES", None),
];

impl Wrapping {
    /// Reads V1's and V2's name.
    ///
    /// # Errors
    ///
    /// [`ClientSideError::UnknownWrapping`].
    pub(crate) fn parse(name: &str) -> Result<Self, ClientSideError> {
        let found = NAMES.iter().find(|(_, known, _)| *known == name);
        found
            .map(|(wrapping, ..)| *wrapping)
            .ok_or_else(|| ClientSideError::UnknownWrapping(name.to_owned()))
    }

    /// Reads V3's name.
    ///
    /// # Errors
    ///
    /// [`ClientSideError::UnknownWrapping`].
    pub(crate) fn parse_v3(name: &str) -> Result<Self, ClientSideError> {
        let found = NAMES.iter().find(|(.., known)| *known == Some(name));
        found
            .map(|(wrapping, ..)| *wrapping)
            .ok_or_else(|| ClientSideError::UnknownWrapping(name.to_owned()))
    }

    /// Its name in V1 and V2.
    pub(crate) fn name(self) -> &'static str {
        let named = NAMES.iter().find(|(known, ..)| *known == self);
        named.map_or("", |(_, name, _)| name)
    }

    /// Its name in V3; V1's and V2's where that has none.
    pub(crate) fn name_v3(self) -> &'static str {
        let named = NAMES.iter().find(|(known, ..)| *known == self);
        named.and_then(|(.., name)| *name).unwrap_or(self.name())
    }
}

/// What wraps and unwraps data keys.
#[derive(Clone)]
pub(crate) enum WrappingKey {
    /// A key of KMS, by id, ARN or alias.
    Kms {
        client: aws_sdk_kms::Client,
        key_id: String,
    },
    /// A key that the caller holds.
    Aes(Key),
}

/// A data key in the clear, as it goes beside its object, and what it is bound to.
pub(crate) struct Generated {
    pub(crate) key: Key,
    pub(crate) wrapped: WrappedKey,
    pub(crate) pairs: Pairs,
}

impl WrappingKey {
    /// Makes a data key for a body that will be encrypted with `algorithm`.
    ///
    /// # Errors
    ///
    /// [`ClientSideError::Kms`].
    pub(crate) async fn generate(
        &self,
        algorithm: &str,
        mut pairs: Pairs,
    ) -> Result<Generated, ClientSideError> {
        let (key, wrapped) = match self {
            Self::Kms { client, key_id } => {
                pairs.insert(RESERVED.to_owned(), algorithm.to_owned());
                generate_in_kms(client, key_id, &pairs).await?
            }
            Self::Aes(wrapping) => {
                let (key, iv) = (Key::new(random()), random::<GCM_IV_BYTES>());
                let sealed = seal_gcm(wrapping, &iv, algorithm.as_bytes(), key.as_slice());
                let bytes = [&iv[..], &sealed].concat();
                let wrapping = Wrapping::AesGcm;
                (key, WrappedKey { bytes, wrapping })
            }
        };
        Ok(Generated {
            key,
            wrapped,
            pairs,
        })
    }

    /// Opens the data key of a body that is encrypted with `algorithm`.
    ///
    /// # Errors
    ///
    /// `Kms`, `DataKeyRefused`, `OtherWrapping`.
    pub(crate) async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        algorithm: &str,
        pairs: &Pairs,
    ) -> Result<Key, ClientSideError> {
        let bytes = wrapped.bytes.as_slice();
        let key = match (self, wrapped.wrapping) {
            (Self::Kms { client, key_id }, Wrapping::KmsContext | Wrapping::Kms) => {
                decrypt_in_kms((client, key_id), bytes, pairs).await?
            }
            (Self::Aes(key), Wrapping::AesGcm) => open_wrapped(key, algorithm, bytes),
            (Self::Aes(key), Wrapping::AesWrap) => unwrap_key(key, bytes),
            (Self::Aes(key), Wrapping::Aes) => open_ecb(key, bytes),
            (_, other) => return Err(ClientSideError::OtherWrapping(other.name().to_owned())),
        };
        key.ok_or(ClientSideError::DataKeyRefused)
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms { key_id, .. } => f.debug_tuple("Kms").field(key_id).finish(),
            Self::Aes(_) => f.write_str("Aes(…)"),
        }
    }
}

/// One call makes the key and wraps it.
async fn generate_in_kms(
    client: &aws_sdk_kms::Client,
    key_id: &str,
    context: &Pairs,
) -> Result<(Key, WrappedKey), ClientSideError> {
    let call = client.generate_data_key().key_id(key_id);
    let call = call.key_spec(DataKeySpec::Aes256);
    let call = call.set_encryption_context(Some(context.clone().into_iter().collect()));
    let answer = call.send().await;
    let answer = answer.map_err(|error| ClientSideError::kms(&error))?;
    let key = answer.plaintext().and_then(|key| key_of(key.as_ref()));
    let bytes = answer.ciphertext_blob().map(|blob| blob.as_ref().to_vec());
    let wrapped = WrappedKey {
        bytes: bytes.unwrap_or_default(),
        wrapping: Wrapping::KmsContext,
    };
    Ok((key.ok_or(ClientSideError::DataKeyRefused)?, wrapped))
}

/// `None` where it is no AES-256 key.
async fn decrypt_in_kms(
    (client, key_id): (&aws_sdk_kms::Client, &str),
    wrapped: &[u8],
    context: &Pairs,
) -> Result<Option<Key>, ClientSideError> {
    let call = client.decrypt().key_id(key_id);
    let call = call.ciphertext_blob(Blob::new(wrapped));
    let call = call.set_encryption_context(Some(context.clone().into_iter().collect()));
    let answer = call.send().await;
    let answer = answer.map_err(|error| ClientSideError::kms(&error))?;
    Ok(answer.plaintext().and_then(|key| key_of(key.as_ref())))
}

fn open_wrapped(key: &Key, algorithm: &str, wrapped: &[u8]) -> Option<Key> {
    let (iv, sealed) = wrapped.split_first_chunk()?;
    let opened = zeroize::Zeroizing::new(open_gcm(key, iv, algorithm.as_bytes(), sealed)?);
    key_of(&opened)
}
