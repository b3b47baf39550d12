//! Why KMS takes no material, or takes none away, and its own words for it.
//!
//! Source: answers recorded from AWS, and <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>

use std::fmt;

/// A refusal that has to do with imported material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImportRefusal {
    /// The key is none of imported material; holds its ARN.
    MadeHere(String),
    /// Keys of this kind take one material for good, and nothing is said of it; holds the member that said something.
    OneMaterial(&'static str),
    /// The material of the key cannot be wrapped so.
    Wrapping {
        /// The algorithm, as on the wire.
        algorithm: String,
        /// The spec of the wrapping key, as on the wire.
        wrapping: String,
        /// The key's spec, as on the wire.
        spec: &'static str,
    },
    /// The token is none of ours, or of another key.
    InvalidToken,
    /// The time of the token has come.
    ExpiredToken,
    /// The material is none for such a key, or not the one that is expected; says why.
    IncorrectMaterial(&'static str),
    /// The key has no such material; holds its id.
    NoSuchMaterial(String),
    /// Another material waits for its rotation.
    RotationPending {
        /// The key's ARN.
        key_arn: String,
        /// The id of the material that was brought.
        brought: String,
        /// The id of the one that waits.
        pending: String,
    },
    /// No material waits for its rotation; holds the key's ARN.
    NothingPending(String),
}

impl ImportRefusal {
    /// KMS's name for it.
    pub(super) fn exception(&self) -> &'static str {
        match self {
            Self::MadeHere(_) | Self::OneMaterial(_) | Self::Wrapping { .. } => {
                "UnsupportedOperationException"
            }
            Self::InvalidToken => "InvalidImportTokenException",
            Self::ExpiredToken => "ExpiredImportTokenException",
            Self::IncorrectMaterial(_) => "IncorrectKeyMaterialException",
            Self::NoSuchMaterial(_) => "NotFoundException",
            Self::RotationPending { .. } | Self::NothingPending(_) => "KMSInvalidStateException",
        }
    }
}

// AWS: unverified. The words, but for those of another origin and of rotations, which were recorded; and the exceptions of
// members, algorithms and ids that do not fit. That all of it is refused is documented.
impl fmt::Display for ImportRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MadeHere(arn) => {
                write!(
                    f,
                    "{arn} origin is AWS_KMS which is not valid for this operation."
                )
            }
            Self::OneMaterial(member) => {
                write!(f, "{member} is valid for symmetric encryption keys alone.")
            }
            Self::Wrapping {
                algorithm,
                wrapping,
                spec,
            } => write!(
                f,
                "Wrapping algorithm {algorithm} with a wrapping key of the spec {wrapping} is not supported for key spec {spec}."
            ),
            Self::InvalidToken => f.write_str(
                "The import token is invalid, or is associated with a different KMS key.",
            ),
            Self::ExpiredToken => f.write_str("The import token has expired."),
            Self::IncorrectMaterial(why) => f.write_str(why),
            Self::NoSuchMaterial(id) => write!(f, "Key material '{id}' does not exist"),
            Self::RotationPending {
                key_arn,
                brought,
                pending,
            } => write!(
                f,
                "New key material (id: {brought}) cannot be imported into KMS key {key_arn}, because another key material (id: {pending}) is pending rotation."
            ),
            Self::NothingPending(arn) => write!(
                f,
                "No available key material pending rotation for the key: {arn}."
            ),
        }
    }
}
