//! Writes and reads objects as AWS's S3 encryption clients do.

use std::collections::HashMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::client_side::cipher::Key;
use crate::client_side::content::{COMMITTED, Content, GCM};
use crate::client_side::envelope::Envelope;
use crate::client_side::error::ClientSideError;
use crate::client_side::format::{Format, INSTRUCTION_FILE, KEY_V3, Metadata, format_of};
use crate::client_side::instruction::{SUFFIX, join, part};
use crate::client_side::wrapping::{
    Generated, Pairs, RESERVED, RESERVED_OF_OLD, Wrapping, WrappingKey,
};

/// Encrypts objects before S3 sees them, and decrypts them after: in the formats of AWS's S3 encryption clients.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use strongroom_testkit::{ClientSide, Strongroom};
///
/// let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
/// let secrets = ClientSide::kms(&aws.kms_client(), "alias/app").context("team", "red");
///
/// secrets.put(&aws.s3_client(), "photos", "cat", b"meow").await?;
///
/// assert_eq!(secrets.get(&aws.s3_client(), "photos", "cat").await?, b"meow");
/// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
/// ```
///
/// It writes V3, as AWS's clients do since their version 4, or V2; it reads both, V1, and what lies in instruction files.
/// It has no commitment policy and no switch for what is legacy: a test reads whatever it finds. Bodies are whole in memory,
/// and RSA is not built here.
#[derive(Clone, Debug)]
pub struct ClientSide {
    key: WrappingKey,
    context: Pairs,
    is_v2: bool,
}

/// An object as it goes to S3: for a client that is not the SDK's, which sends both in its own way.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use strongroom_testkit::{ClientSide, Written};
///
/// let Written { body, metadata } = ClientSide::aes([7; 32]).write(b"meow").await?;
///
/// assert_ne!(body[..4], *b"meow");
/// assert_eq!(metadata["x-amz-c"], "115");
/// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The ciphertext: 16 bytes longer than the plaintext.
    pub body: Vec<u8>,
    /// The user metadata, without `x-amz-meta-`.
    pub metadata: HashMap<String, String>,
}

impl ClientSide {
    /// Wraps data keys under a key of KMS: its id, its ARN, its alias, or its alias's ARN. Reads what `kms+context` and `kms`
    /// wrapped.
    ///
    /// ```
    /// # use strongroom_testkit::{ClientSide, blocking::Strongroom};
    /// let aws = Strongroom::builder().kms_key("alias/app").start_blocking();
    /// let secrets = ClientSide::kms(&aws.kms_client(), "alias/app");
    /// ```
    pub fn kms(client: &aws_sdk_kms::Client, key_id: &str) -> Self {
        Self::of(WrappingKey::Kms {
            client: client.clone(),
            key_id: key_id.to_owned(),
        })
    }

    /// Wraps data keys under an AES-256 key of the caller's own, with AES-GCM. Reads what `AESWrap` and `AES` wrapped, too.
    ///
    /// ```
    /// # use strongroom_testkit::ClientSide;
    /// let secrets = ClientSide::aes(*b"a wrapping key of thirty-2 bytes");
    /// ```
    pub fn aes(key: [u8; 32]) -> Self {
        Self::of(WrappingKey::Aes(Key::new(key)))
    }

    fn of(key: WrappingKey) -> Self {
        Self {
            key,
            context: Pairs::new(),
            is_v2: false,
        }
    }

    /// Adds a pair to the encryption context: who reads has to give the same pairs. Under an AES key it describes that key, and
    /// nothing checks it, as in AWS's clients.
    ///
    /// ```
    /// # use strongroom_testkit::ClientSide;
    /// let secrets = ClientSide::aes([7; 32]).context("team", "red");
    /// ```
    #[must_use]
    pub fn context(mut self, name: &str, value: &str) -> Self {
        self.context.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Writes V2 (`AES/GCM/NoPadding`) instead of V3.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::ClientSide;
    /// let written = ClientSide::aes([7; 32]).v2().write(b"meow").await?;
    /// assert_eq!(written.metadata["x-amz-cek-alg"], "AES/GCM/NoPadding");
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn v2(mut self) -> Self {
        self.is_v2 = true;
        self
    }

    /// Encrypts a body.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::ClientSide;
    /// let written = ClientSide::aes([7; 32]).write(b"meow").await?;
    /// assert_eq!(written.body.len(), 4 + 16);
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// `ReservedContext`, `ContextNotAscii`, `Kms`.
    pub async fn write(&self, plaintext: &[u8]) -> Result<Written, ClientSideError> {
        self.check_context()?;
        let algorithm = if self.is_v2 { GCM } else { COMMITTED };
        let Generated {
            key,
            wrapped,
            pairs,
        } = self.key.generate(algorithm, self.context.clone()).await?;
        let (content, body) = if self.is_v2 {
            Content::seal_gcm(&key, plaintext)
        } else {
            Content::seal_committed(&key, plaintext)
        };
        let envelope = Envelope {
            content,
            wrapped,
            pairs,
        };
        let metadata = envelope.render();
        Ok(Written { body, metadata })
    }

    /// Decrypts a body. What lies in an instruction file has to be among the metadata.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::ClientSide;
    /// let secrets = ClientSide::aes([7; 32]);
    /// let written = secrets.write(b"meow").await?;
    /// assert_eq!(secrets.read(&written.metadata, &written.body).await?, b"meow");
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Any but `S3`, `NoInstructionFile`, `BadInstructionFile`.
    pub async fn read(
        &self,
        metadata: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<Vec<u8>, ClientSideError> {
        self.check_context()?;
        let envelope = Envelope::parse(metadata)?;
        let Envelope {
            content,
            wrapped,
            pairs,
        } = &envelope;
        self.compare_context(wrapped.wrapping, pairs)?;
        let unwrapped = self.key.unwrap(wrapped, content.algorithm(), pairs);
        content.open(&unwrapped.await?, body)
    }

    /// Encrypts an object and puts it.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::{ClientSide, Strongroom};
    /// # let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
    /// let (s3, secrets) = (aws.s3_client(), ClientSide::kms(&aws.kms_client(), "alias/app"));
    /// secrets.put(&s3, "photos", "cat", b"meow").await?;
    /// aws.assert_client_side_encrypted("photos", "cat");
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ClientSide::write`], and `S3`.
    pub async fn put(
        &self,
        s3: &Client,
        bucket: &str,
        key: &str,
        plaintext: &[u8],
    ) -> Result<(), ClientSideError> {
        send(s3, bucket, key, self.write(plaintext).await?).await
    }

    /// Encrypts an object and puts it with its wrapped data key in a file of its own, `KEY.instruction`. The file goes first, so
    /// that a new object can be read from its first moment on.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::{ClientSide, Strongroom};
    /// # let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
    /// let (s3, secrets) = (aws.s3_client(), ClientSide::kms(&aws.kms_client(), "alias/app"));
    /// secrets.put_with_instruction_file(&s3, "photos", "cat", b"meow").await?;
    /// aws.assert_client_side_encrypted("photos", "cat");
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ClientSide::put`].
    pub async fn put_with_instruction_file(
        &self,
        s3: &Client,
        bucket: &str,
        key: &str,
        plaintext: &[u8],
    ) -> Result<(), ClientSideError> {
        let written = self.write(plaintext).await?;
        let (metadata, file) = part(written.metadata);
        let file = Written {
            body: file.into_bytes(),
            metadata: [(INSTRUCTION_FILE.to_owned(), String::new())].into(),
        };
        send(s3, bucket, &format!("{key}{SUFFIX}"), file).await?;
        let body = written.body;
        send(s3, bucket, key, Written { body, metadata }).await
    }

    /// Gets an object and decrypts it; where its metadata have no data key, they are looked for in `KEY.instruction`.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::{ClientSide, Strongroom};
    /// # let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
    /// let (s3, secrets) = (aws.s3_client(), ClientSide::kms(&aws.kms_client(), "alias/app"));
    /// secrets.put(&s3, "photos", "cat", b"meow").await?;
    /// assert_eq!(secrets.get(&s3, "photos", "cat").await?, b"meow");
    /// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Any.
    pub async fn get(
        &self,
        s3: &Client,
        bucket: &str,
        key: &str,
    ) -> Result<Vec<u8>, ClientSideError> {
        let Written { body, mut metadata } = fetch(s3, bucket, key).await?;
        if lies_apart(&metadata)? {
            let name = format!("{key}{SUFFIX}");
            let file = fetch(s3, bucket, &name).await;
            let file = file.map_err(|error| unless_missing(error, &name))?;
            metadata = join(metadata, &file.body, &name)?;
        }
        self.read(&metadata, &body).await
    }

    fn check_context(&self) -> Result<(), ClientSideError> {
        if self.context.contains_key(RESERVED) {
            return Err(ClientSideError::ReservedContext);
        }
        let mut texts = self.context.iter().flat_map(|(name, value)| [name, value]);
        match texts.find(|text| !text.is_ascii()) {
            Some(text) => Err(ClientSideError::ContextNotAscii(text.clone())),
            None => Ok(()),
        }
    }

    /// Compares the context with the stored one. With `kms`, whose context is the client's own, AWS's clients take none from
    /// the caller.
    fn compare_context(&self, wrapping: Wrapping, stored: &Pairs) -> Result<(), ClientSideError> {
        let is_same = match wrapping {
            Wrapping::KmsContext => {
                let mut callers = stored.clone();
                callers.retain(|name, _| name != RESERVED && name != RESERVED_OF_OLD);
                callers == self.context
            }
            Wrapping::Kms => self.context.is_empty(),
            Wrapping::AesGcm | Wrapping::AesWrap | Wrapping::Aes => true,
        };
        is_same
            .then_some(())
            .ok_or(ClientSideError::ContextMismatch)
    }
}

/// Whether the data key is not among the metadata.
fn lies_apart(metadata: &Metadata) -> Result<bool, ClientSideError> {
    Ok(match format_of(metadata)? {
        Format::V1 | Format::V2 => false,
        Format::V3 => !metadata.contains_key(KEY_V3),
        Format::InstructionFile | Format::None => true,
    })
}

fn unless_missing(error: ClientSideError, name: &str) -> ClientSideError {
    match error {
        ClientSideError::S3 { code, .. } if code == "NoSuchKey" => {
            ClientSideError::NoInstructionFile(name.to_owned())
        }
        other => other,
    }
}

async fn send(
    s3: &Client,
    bucket: &str,
    key: &str,
    written: Written,
) -> Result<(), ClientSideError> {
    let put = s3.put_object().bucket(bucket).key(key);
    let put = put.set_metadata(Some(written.metadata));
    let sent = put.body(ByteStream::from(written.body)).send().await;
    sent.map_err(|error| ClientSideError::s3(&error))?;
    Ok(())
}

async fn fetch(s3: &Client, bucket: &str, key: &str) -> Result<Written, ClientSideError> {
    let got = s3.get_object().bucket(bucket).key(key).send().await;
    let got = got.map_err(|error| ClientSideError::s3(&error))?;
    let metadata = got.metadata.unwrap_or_default();
    let body = got.body.collect().await;
    let body = body.map_err(|error| ClientSideError::cut_off(&error))?;
    Ok(Written {
        body: body.to_vec(),
        metadata,
    })
}

/// Objects that Python's `cryptography` 48 made: data key `bytes(range(32))`, IVs and message id counted likewise, wrapped
/// under `KEY`, plaintext `PLAINTEXT`. In its words, with `K` for the data key and `W` for the wrapping key:
///
/// - V3: `AESGCM(W).encrypt(iv, K, b"115")`, then `AESGCM(derived).encrypt(b"\1" * 12, plaintext, b"\0\x73")`, derived as in
///   `cipher.rs`.
/// - V2: `AESGCM(W).encrypt(iv, K, b"AES/GCM/NoPadding")`, then `AESGCM(K).encrypt(iv, plaintext, None)`.
/// - CBC: `PKCS7(128)` and `modes.CBC(bytes(range(16)))`; `aes_key_wrap(W, K)`; `PKCS7(128)` and `modes.ECB()` under `W`.
#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;

    const KEY: &[u8; 32] = b"a wrapping key of thirty-2 bytes";
    const PLAINTEXT: &[u8] = b"a secret";
    const CBC_BODY: &str = "88CUlG9xe+I815QFFQDXiQ==";
    const CBC_IV: (&str, &str) = ("x-amz-iv", "AAECAwQFBgcICQoLDA0ODw==");

    async fn read(fields: &[(&str, &str)], body: &str) -> Result<Vec<u8>, ClientSideError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let metadata = fields.iter().map(owned).collect();
        let body = BASE64_STANDARD.decode(body).unwrap();
        ClientSide::aes(*KEY).read(&metadata, &body).await
    }

    #[tokio::test]
    async fn v3_of_another_writer_is_read() {
        let fields = [
            ("x-amz-c", "115"),
            ("x-amz-w", "02"),
            ("x-amz-m", r#"{"key": "one"}"#),
            ("x-amz-d", "csQUeFo642FTStnkYag3VvzMFdwPhTU2AVVEKA=="),
            ("x-amz-i", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="),
            (
                "x-amz-3",
                "AAECAwQFBgcICQoLrgr95usQ4fBtF4YdV04yhuSgNPW+evclHQCtwffOhP0Yim4xXH6bzTs7WKdBkeji",
            ),
        ];

        let read = read(&fields, "1HRWC+EAON+91LDj7ByaaXPybBat04rR").await;

        assert_eq!(read.as_deref(), Ok(PLAINTEXT));
    }

    #[tokio::test]
    async fn v2_of_another_writer_is_read() {
        let fields = [
            ("x-amz-cek-alg", "AES/GCM/NoPadding"),
            ("x-amz-wrap-alg", "AES/GCM"),
            ("x-amz-tag-len", "128"),
            ("x-amz-matdesc", "{}"),
            ("x-amz-iv", "AAECAwQFBgcICQoL"),
            (
                "x-amz-key-v2",
                "AAECAwQFBgcICQoLrgr95usQ4fBtF4YdV04yhuSgNPW+evclHQCtwffOhP2ZAXqatZTwRDwFA5ljjgOF",
            ),
        ];

        let read = read(&fields, "JiKlfqaXp2+hbrFK/5+2dPLT+iq00lc1").await;

        assert_eq!(read.as_deref(), Ok(PLAINTEXT));
    }

    #[tokio::test]
    async fn v2_of_old_is_read_with_its_wrapped_key() {
        let fields = [
            CBC_IV,
            ("x-amz-cek-alg", "AES/CBC/PKCS5Padding"),
            ("x-amz-wrap-alg", "AESWrap"),
            ("x-amz-matdesc", "{}"),
            (
                "x-amz-key-v2",
                "10l4edlcEX6ASLrwWZLOShX47BBab8BZCArefJoVtJ9h7TeC0TeuZg==",
            ),
        ];

        assert_eq!(read(&fields, CBC_BODY).await.as_deref(), Ok(PLAINTEXT));
    }

    #[tokio::test]
    async fn v1_is_read() {
        let fields = [
            CBC_IV,
            ("x-amz-matdesc", "{}"),
            ("x-amz-unencrypted-content-length", "8"),
            (
                "x-amz-key",
                "/CzDmFlVT36NK0B0g2x3EF/eeFzkDzYfugqaO0vPaTMSe6w26IL492W2N+3izjdX",
            ),
        ];

        assert_eq!(read(&fields, CBC_BODY).await.as_deref(), Ok(PLAINTEXT));
    }

    #[tokio::test]
    async fn a_wrapping_key_is_never_shown() {
        let shown = format!("{:?}", ClientSide::aes(*KEY));

        assert_eq!(
            shown,
            "ClientSide { key: Aes(…), context: {}, is_v2: false }"
        );
    }
}
