//! What can be wrong with an encrypted object, with its keys, or with what is asked of it.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};

/// Why an object could not be written or read.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use strongroom_testkit::{ClientSide, ClientSideError};
///
/// let written = ClientSide::aes([7; 32]).write(b"meow").await?;
/// let read = ClientSide::aes([8; 32]).read(&written.metadata, &written.body).await;
///
/// assert_eq!(read, Err(ClientSideError::DataKeyRefused));
/// # Ok::<(), ClientSideError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientSideError {
    /// The metadata hold keys of two formats: AWS's clients refuse them too, as somebody may have mixed them on purpose.
    TwoFormats,
    /// The metadata hold no key of any format.
    NotEncrypted,
    /// A format's metadata lack this key.
    Missing(&'static str),
    /// The value of this key is no base64 or JSON of strings, or has the wrong length.
    Malformed(&'static str),
    /// The body is encrypted in a way that no format knows: the value of `x-amz-cek-alg` or `x-amz-c`.
    UnknownContentAlgorithm(String),
    /// The data key is wrapped in a way that is not built here (RSA), or that no format knows.
    UnknownWrapping(String),
    /// The data key is wrapped in this way, which needs a key of another kind than the client has.
    OtherWrapping(String),
    /// The caller's context names `aws:x-amz-cek-alg`, which belongs to the client.
    ReservedContext,
    /// This name or value of the caller's context is not ASCII: S3 would hand it back encoded.
    ContextNotAscii(String),
    /// The caller's context is not the one that the object was written under.
    ContextMismatch,
    /// Neither the object nor this key, its instruction file, holds an encrypted data key.
    NoInstructionFile(String),
    /// This instruction file is no JSON object of the format's keys, or holds what must stand on the object.
    BadInstructionFile(String),
    /// The wrapping key does not open the data key: another key wrapped it, or it was changed.
    DataKeyRefused,
    /// The data key is not the one that the object is committed to.
    CommitmentMismatch,
    /// The body does not belong to its data key, or was changed. One word for all causes: a padding tells nothing more.
    BodyRefused,
    /// KMS refused.
    Kms {
        /// The exception: `IncorrectKeyException`.
        code: String,
        /// What KMS said.
        message: String,
    },
    /// S3 refused.
    S3 {
        /// The code: `MetadataTooLarge`.
        code: String,
        /// What S3 said.
        message: String,
    },
}

impl ClientSideError {
    /// A refusal of KMS, or the failure to reach it.
    pub(crate) fn kms(error: &(impl ProvideErrorMetadata + Error)) -> Self {
        let (code, message) = told(error);
        Self::Kms { code, message }
    }

    /// A body of S3 that ended too early, or that its checksum does not fit.
    pub(crate) fn cut_off(error: &dyn Error) -> Self {
        Self::S3 {
            code: String::new(),
            message: error.to_string(),
        }
    }

    /// A refusal of S3, or the failure to reach it.
    pub(crate) fn s3(error: &(impl ProvideErrorMetadata + Error)) -> Self {
        let (code, message) = told(error);
        Self::S3 { code, message }
    }
}

/// Code and message; without a code, the chain of causes is the message.
fn told(error: &(impl ProvideErrorMetadata + Error)) -> (String, String) {
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().map(str::to_owned);
    let causes = || DisplayErrorContext(error).to_string();
    (code, message.unwrap_or_else(causes))
}

impl fmt::Display for ClientSideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoFormats => f.write_str("the metadata hold keys of two formats"),
            Self::NotEncrypted => f.write_str("the metadata hold no key of any format"),
            Self::Missing(key) => write!(f, "the metadata lack `{key}`"),
            Self::Malformed(key) => write!(f, "`{key}` cannot be read"),
            Self::UnknownContentAlgorithm(name) => write!(f, "unknown content algorithm `{name}`"),
            Self::UnknownWrapping(name) => write!(f, "unknown wrapping `{name}`"),
            Self::OtherWrapping(name) => {
                write!(f, "wrapping `{name}` needs a key of another kind")
            }
            Self::ReservedContext => {
                f.write_str("`aws:x-amz-cek-alg` is reserved for the S3 encryption client")
            }
            Self::ContextNotAscii(text) => write!(f, "`{text}` in the context is not ASCII"),
            Self::ContextMismatch => {
                f.write_str("the object was written under another encryption context")
            }
            Self::NoInstructionFile(key) => write!(
                f,
                "neither the object nor its instruction file `{key}` holds a data key"
            ),
            Self::BadInstructionFile(key) => write!(f, "instruction file `{key}` was changed"),
            Self::DataKeyRefused => f.write_str("the wrapping key does not open the data key"),
            Self::CommitmentMismatch => f.write_str("the object is not committed to this data key"),
            Self::BodyRefused => f.write_str("the body does not belong to its data key"),
            Self::Kms { code, message } => write!(f, "KMS: {code}: {message}"),
            Self::S3 { code, message } => write!(f, "S3: {code}: {message}"),
        }
    }
}

impl Error for ClientSideError {}
