//! The metadata of an encrypted object, parsed and rendered.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::client_side::content::{CBC, COMMITTED, Content, GCM};
use crate::client_side::error::ClientSideError;
use crate::client_side::format::{
    COMMITMENT, CONTENT_ALGORITHM, CONTENT_ALGORITHM_V3, CONTEXT_V3, DESCRIPTION, DESCRIPTION_V3,
    Format, IV, KEY_V1, KEY_V2, KEY_V3, MESSAGE_ID, Metadata, TAG_BITS, WRAPPING, WRAPPING_V3,
    format_of,
};
use crate::client_side::wrapping::{Pairs, WrappedKey, Wrapping};

/// The length of a GCM tag, as V2 writes it down.
const GCM_TAG_BITS: &str = "128";
/// V1 does not always name its wrapping: a longer data key is wrapped by RSA, as the Java client guesses.
const LONGEST_AES_WRAPPED_BYTES: usize = 48;

/// What the metadata of an object tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// How the body is encrypted.
    pub(crate) content: Content,
    /// The data key.
    pub(crate) wrapped: WrappedKey,
    /// Under KMS the encryption context; else the description of the wrapping key.
    pub(crate) pairs: Pairs,
}

impl Envelope {
    /// Reads the metadata of an object.
    ///
    /// # Errors
    ///
    /// Those of [`format_of`], `NotEncrypted`, `Missing`, `Malformed`, `UnknownContentAlgorithm`, `UnknownWrapping`.
    pub(crate) fn parse(metadata: &Metadata) -> Result<Self, ClientSideError> {
        let fields = Fields(metadata);
        match format_of(metadata)? {
            Format::V1 => fields.v1(),
            Format::V2 => fields.v2(),
            Format::V3 => fields.v3(),
            Format::InstructionFile | Format::None => Err(ClientSideError::NotEncrypted),
        }
    }

    /// The metadata of an object: V3's where its content is committed to its key, else V2's.
    pub(crate) fn render(&self) -> Metadata {
        let wrapping = self.wrapped.wrapping;
        let algorithm = self.content.algorithm().to_owned();
        let wrapped = BASE64_STANDARD.encode(&self.wrapped.bytes);
        let pairs = serde_json::to_string(&self.pairs).expect("strings are JSON");
        let v2 = |iv: &[u8]| {
            vec![
                (CONTENT_ALGORITHM, algorithm.clone()),
                (KEY_V2, wrapped.clone()),
                (WRAPPING, wrapping.name().to_owned()),
                (DESCRIPTION, pairs.clone()),
                (IV, BASE64_STANDARD.encode(iv)),
            ]
        };
        let fields = match &self.content {
            Content::Cbc { iv } => v2(iv),
            Content::Gcm { iv } => [v2(iv), vec![(TAG_BITS, GCM_TAG_BITS.to_owned())]].concat(),
            Content::Committed {
                message_id,
                commitment,
            } => vec![
                (CONTENT_ALGORITHM_V3, algorithm),
                (KEY_V3, wrapped),
                (WRAPPING_V3, wrapping.name_v3().to_owned()),
                (pairs_v3(wrapping), pairs),
                (COMMITMENT, BASE64_STANDARD.encode(commitment)),
                (MESSAGE_ID, BASE64_STANDARD.encode(message_id)),
            ],
        };
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// Metadata whose format is known.
struct Fields<'a>(&'a Metadata);

impl Fields<'_> {
    fn v1(&self) -> Result<Envelope, ClientSideError> {
        let bytes = self.base64(KEY_V1)?;
        let wrapping = match self.find(WRAPPING) {
            Some(name) => Wrapping::parse(name)?,
            None if bytes.len() > LONGEST_AES_WRAPPED_BYTES => Wrapping::parse("RSA")?,
            None => Wrapping::Aes,
        };
        let content = match self.find(CONTENT_ALGORITHM) {
            None | Some(CBC) => Content::Cbc {
                iv: self.bytes(IV)?,
            },
            Some(other) => return Err(unknown(other)),
        };
        Ok(Envelope {
            content,
            wrapped: WrappedKey { bytes, wrapping },
            pairs: self.pairs(DESCRIPTION)?,
        })
    }

    fn v2(&self) -> Result<Envelope, ClientSideError> {
        let content = match self.text(CONTENT_ALGORITHM)? {
            CBC => Content::Cbc {
                iv: self.bytes(IV)?,
            },
            GCM if self.text(TAG_BITS)? == GCM_TAG_BITS => Content::Gcm {
                iv: self.bytes(IV)?,
            },
            GCM => return Err(ClientSideError::Malformed(TAG_BITS)),
            other => return Err(unknown(other)),
        };
        let wrapped = WrappedKey {
            bytes: self.base64(KEY_V2)?,
            wrapping: Wrapping::parse(self.text(WRAPPING)?)?,
        };
        Ok(Envelope {
            content,
            wrapped,
            pairs: self.pairs(DESCRIPTION)?,
        })
    }

    fn v3(&self) -> Result<Envelope, ClientSideError> {
        let content = match self.text(CONTENT_ALGORITHM_V3)? {
            COMMITTED => Content::Committed {
                message_id: self.bytes(MESSAGE_ID)?,
                commitment: self.bytes(COMMITMENT)?,
            },
            other => return Err(unknown(other)),
        };
        let wrapped = WrappedKey {
            bytes: self.base64(KEY_V3)?,
            wrapping: Wrapping::parse_v3(self.text(WRAPPING_V3)?)?,
        };
        Ok(Envelope {
            content,
            pairs: self.pairs(pairs_v3(wrapped.wrapping))?,
            wrapped,
        })
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn text(&self, name: &'static str) -> Result<&str, ClientSideError> {
        self.find(name).ok_or(ClientSideError::Missing(name))
    }

    fn base64(&self, name: &'static str) -> Result<Vec<u8>, ClientSideError> {
        let decoded = BASE64_STANDARD.decode(self.text(name)?);
        decoded.map_err(|_| ClientSideError::Malformed(name))
    }

    fn bytes<const LENGTH: usize>(
        &self,
        name: &'static str,
    ) -> Result<[u8; LENGTH], ClientSideError> {
        let bytes = self.base64(name)?;
        let malformed = |_| ClientSideError::Malformed(name);
        bytes.try_into().map_err(malformed)
    }

    /// A JSON object of strings; AWS's clients take one that is not there for empty.
    fn pairs(&self, name: &'static str) -> Result<Pairs, ClientSideError> {
        let json = self.find(name).unwrap_or("{}");
        serde_json::from_str(json).map_err(|_| ClientSideError::Malformed(name))
    }
}

/// Where V3 keeps the pairs of a wrapping.
fn pairs_v3(wrapping: Wrapping) -> &'static str {
    match wrapping {
        Wrapping::KmsContext | Wrapping::Kms => CONTEXT_V3,
        Wrapping::AesGcm | Wrapping::AesWrap | Wrapping::Aes => DESCRIPTION_V3,
    }
}

fn unknown(algorithm: &str) -> ClientSideError {
    ClientSideError::UnknownContentAlgorithm(algorithm.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(content: Content, wrapping: Wrapping) -> Envelope {
        Envelope {
            content,
            wrapped: WrappedKey {
                bytes: vec![7; 60],
                wrapping,
            },
            pairs: [("team".to_owned(), "r\"ed".to_owned())].into(),
        }
    }

    fn committed() -> Content {
        Content::Committed {
            message_id: [1; 28],
            commitment: [2; 28],
        }
    }

    fn changed(mut metadata: Metadata, name: &str, value: &str) -> Metadata {
        metadata.insert(name.to_owned(), value.to_owned());
        metadata
    }

    #[test]
    fn what_is_rendered_is_parsed() {
        let envelopes = [
            envelope(committed(), Wrapping::KmsContext),
            envelope(committed(), Wrapping::AesGcm),
            envelope(Content::Gcm { iv: [3; 12] }, Wrapping::KmsContext),
            envelope(Content::Gcm { iv: [3; 12] }, Wrapping::AesGcm),
            envelope(Content::Cbc { iv: [4; 16] }, Wrapping::Kms),
            envelope(Content::Cbc { iv: [4; 16] }, Wrapping::AesWrap),
        ];

        for envelope in envelopes {
            assert_eq!(Envelope::parse(&envelope.render()), Ok(envelope));
        }
    }

    #[test]
    fn each_bad_value_is_named() {
        let v3 = envelope(committed(), Wrapping::KmsContext).render();
        let v2 = envelope(Content::Gcm { iv: [3; 12] }, Wrapping::AesGcm).render();
        let cases = [
            (&v3, KEY_V3, "?", ClientSideError::Malformed(KEY_V3)),
            (
                &v3,
                MESSAGE_ID,
                "AA==",
                ClientSideError::Malformed(MESSAGE_ID),
            ),
            (
                &v3,
                CONTEXT_V3,
                "[]",
                ClientSideError::Malformed(CONTEXT_V3),
            ),
            (&v3, CONTENT_ALGORITHM_V3, "114", unknown("114")),
            (
                &v3,
                WRAPPING_V3,
                "22",
                ClientSideError::UnknownWrapping("22".to_owned()),
            ),
            (&v2, TAG_BITS, "96", ClientSideError::Malformed(TAG_BITS)),
            (&v2, CONTENT_ALGORITHM, "AES", unknown("AES")),
            (&v2, KEY_V3, "", ClientSideError::TwoFormats),
        ];

        for (metadata, name, value, error) in cases {
            let metadata = changed(metadata.clone(), name, value);
            assert_eq!(Envelope::parse(&metadata), Err(error), "{name}");
        }
    }

    #[test]
    fn v1_guesses_its_wrapping_by_its_length() {
        let of = |bytes: usize| {
            let fields = [
                (KEY_V1, BASE64_STANDARD.encode(vec![0; bytes])),
                (IV, BASE64_STANDARD.encode([0; 16])),
                (DESCRIPTION, "{}".to_owned()),
            ];
            let metadata = fields.map(|(name, value)| (name.to_owned(), value)).into();
            Envelope::parse(&metadata).map(|envelope| envelope.wrapped.wrapping)
        };

        assert_eq!(of(48), Ok(Wrapping::Aes));
        let rsa = ClientSideError::UnknownWrapping("RSA".to_owned());
        assert_eq!(of(256), Err(rsa));
    }
}
