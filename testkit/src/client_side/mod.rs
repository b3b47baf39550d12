//! Objects as AWS's S3 encryption clients write and read them: encrypted before S3 sees a byte, their wrapped data key beside
//! them as metadata. The server knows nothing of it.
//!
//! | file | what it owns |
//! |---|---|
//! | `client.rs` | `ClientSide`: writes and reads objects |
//! | `format.rs` | the names of the metadata, and which of the formats they spell |
//! | `envelope.rs` | the metadata of an object, parsed and rendered |
//! | `content.rs` | the body: how each format encrypts it |
//! | `wrapping.rs` | the data key: under a key of KMS, or under a key that the caller holds |
//! | `instruction.rs` | metadata that lies in an object of its own |
//! | `cipher.rs` | the primitives |
//! | `error.rs` | what can be wrong |
//!
//! Source: <https://docs.aws.amazon.com/amazon-s3-encryption-client/latest/developerguide/what-is-s3-encryption-client.html>,
//! <https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/s3-encryption>, and what
//! `amazon-s3-encryption-client-python` 4.0.0 and `amazon-s3-encryption-client-java` 4.0.1 do.

pub(crate) mod cipher;
pub(crate) mod client;
pub(crate) mod content;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod instruction;
pub(crate) mod wrapping;
