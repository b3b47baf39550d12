//! Why KMS refuses: each situation with its data, and KMS's own words for it.
//!
//! S3 repeats these words to its callers, so they are told here once for both protocols.
//!
//! Source: answers recorded from AWS, and the exceptions of <https://docs.aws.amazon.com/kms/latest/APIReference/>.

use std::fmt;

use crate::keyring::import_refusal::ImportRefusal;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Something that can be no id was given for a key; holds it.
    InvalidKeyId(String),
    /// An ARN names another region, or no key at all; holds the region, or the ARN.
    InvalidArn(String),
    /// There is no such key; holds its ARN.
    NoSuchKey(String),
    /// There is no such alias; holds its ARN.
    NoSuchAlias(String),
    /// An alias's ARN was given where only keys are taken.
    AliasNotTaken,
    /// The key is disabled; holds its ARN.
    Disabled(String),
    /// The key waits for its deletion; holds its ARN.
    PendingDeletion(String),
    /// The key waits for the deletion of its replicas; holds its ARN.
    PendingReplicaDeletion(String),
    /// The key waits for its material; holds its ARN.
    PendingImport(String),
    /// The key does not wait for its deletion; holds its ARN.
    NotPendingDeletion(String),
    /// Keys of imported material cannot do this; holds the ARN.
    ImportedMaterial(String),
    /// The key is none that can have replicas; holds its ARN.
    NotPrimary(String),
    /// There is such a key in the region already; holds its ARN.
    ReplicaExists(String),
    /// Material cannot be brought so, or taken away.
    Import(ImportRefusal),
    /// Keys of this spec never turn.
    NeverTurns,
    /// The key is made for something else.
    WrongUsage {
        /// The key's ARN.
        key_arn: String,
        /// What it is made for, as on the wire.
        usage: &'static str,
        /// KMS's operation.
        operation: &'static str,
    },
    /// The algorithm is not the key's.
    WrongAlgorithm {
        /// The algorithm, as on the wire.
        algorithm: &'static str,
        /// The key's spec, as on the wire.
        spec: &'static str,
    },
    /// The code is not the message's.
    InvalidMac,
    /// The signature is not the message's.
    InvalidSignature,
    /// The digest is none of the algorithm's hash function; holds the algorithm, as on the wire.
    DigestLength(&'static str),
    /// The algorithm takes messages of another type.
    MessageType {
        /// The algorithm, as on the wire.
        algorithm: &'static str,
        /// The type that it takes, as on the wire.
        wanted: &'static str,
    },
    /// The public half of a peer is none that the key can agree with; holds the key's spec, as on the wire.
    BadPublicKey(&'static str),
    /// The plaintext is longer than the key can encrypt.
    PlaintextTooLong {
        /// The algorithm, as on the wire.
        algorithm: &'static str,
        /// The key's spec, as on the wire.
        spec: &'static str,
        /// The most bytes of a plaintext.
        most: usize,
    },
    /// An encryption context was given for a pair, to which nothing can be bound.
    ContextOfPair,
    /// The key has no public half.
    NoPublicKey,
    /// The ciphertext is none of ours, was changed, or is bound to another context.
    InvalidCiphertext,
    /// The ciphertext is under a key that is not here.
    UnknownCiphertext,
    /// The ciphertext is under another key than the one that was named.
    IncorrectKey,
    /// Policies do not let the caller do this.
    NotAllowed {
        /// His ARN.
        caller: String,
        /// The action, without `kms:`.
        action: &'static str,
        /// The key's ARN, or the alias's; `*` for no key, and empty for one that is not made yet.
        key_arn: String,
        /// Whose policy it was, in AWS's words.
        reason: String,
    },
    /// The key is in another account.
    ForeignAccount {
        /// The caller's ARN.
        caller: String,
        /// The action, without `kms:`.
        action: &'static str,
    },
    /// The name of the alias is taken; holds its ARN.
    AliasExists(String),
    /// The key has as many aliases as it may have.
    TooManyAliases,
    /// The alias stands for a key of another kind.
    OtherKind,
    /// The key would have more tags than it may have.
    TooManyTags,
    /// There is no such grant on the key; holds its id.
    NoSuchGrant(String),
    /// Something that can be no id was given for a grant.
    InvalidGrantId,
    /// Something was given for the token of a grant that is none of ours.
    InvalidGrantToken,
    /// A grant was to name what is nobody; holds it.
    InvalidPrincipal(String),
    /// The key has as many grants as it may have.
    TooManyGrants,
    /// The key was rotated on demand as often as it may be; holds its ARN.
    TooManyRotations(String),
}

impl Refusal {
    /// KMS's name for it, without which no SDK knows it.
    pub(crate) fn exception(&self) -> &'static str {
        match self {
            Self::InvalidKeyId(_)
            | Self::InvalidArn(_)
            | Self::NoSuchKey(_)
            | Self::NoSuchAlias(_)
            | Self::NoSuchGrant(_) => "NotFoundException",
            Self::AliasNotTaken | Self::InvalidPrincipal(_) => "InvalidArnException",
            Self::InvalidGrantId => "InvalidGrantIdException",
            Self::InvalidGrantToken => "InvalidGrantTokenException",
            Self::Disabled(_) => "DisabledException",
            Self::PendingDeletion(_)
            | Self::PendingReplicaDeletion(_)
            | Self::PendingImport(_)
            | Self::NotPendingDeletion(_) => "KMSInvalidStateException",
            Self::ImportedMaterial(_)
            | Self::NotPrimary(_)
            | Self::NeverTurns
            | Self::NoPublicKey => "UnsupportedOperationException",
            Self::Import(refusal) => refusal.exception(),
            Self::WrongUsage { .. } | Self::WrongAlgorithm { .. } => "InvalidKeyUsageException",
            Self::InvalidMac => "KMSInvalidMacException",
            Self::InvalidSignature => "KMSInvalidSignatureException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::UnknownCiphertext | Self::NotAllowed { .. } | Self::ForeignAccount { .. } => {
                "AccessDeniedException"
            }
            Self::AliasExists(_) | Self::ReplicaExists(_) => "AlreadyExistsException",
            Self::OtherKind
            | Self::DigestLength(_)
            | Self::MessageType { .. }
            | Self::ContextOfPair
            | Self::BadPublicKey(_)
            | Self::PlaintextTooLong { .. } => "ValidationException",
            Self::TooManyTags => "TagException",
            Self::TooManyAliases | Self::TooManyRotations(_) | Self::TooManyGrants => {
                "LimitExceededException"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidKeyId(name) => write!(f, "Invalid keyId '{name}'"),
            Self::InvalidArn(name) => write!(f, "Invalid arn {name}"),
            Self::NoSuchKey(arn) => write!(f, "Key '{arn}' does not exist"),
            Self::NoSuchAlias(arn) => write!(f, "Alias {arn} is not found."),
            Self::AliasNotTaken => f.write_str("Key Aliases are not supported for this operation."),
            Self::Disabled(arn) => write!(f, "{arn} is disabled."),
            Self::PendingDeletion(arn) => write!(f, "{arn} is pending deletion."),
            Self::PendingReplicaDeletion(arn) => write!(f, "{arn} is pending replica deletion."),
            Self::PendingImport(arn) => write!(f, "{arn} is pending import."),
            Self::NotPendingDeletion(arn) => write!(f, "{arn} is not pending deletion."),
            Self::ImportedMaterial(arn) => {
                write!(f, "{arn} origin is EXTERNAL which is not valid for this operation.")
            }
            Self::NotPrimary(arn) => write!(f, "{arn} is not a multi-region primary key."),
            // AWS: unverified. The words; the exception is documented.
            Self::ReplicaExists(arn) => write!(f, "Key '{arn}' already exists"),
            Self::Import(refusal) => refusal.fmt(f),
            Self::WrongUsage {
                key_arn,
                usage,
                operation,
            } => write!(f, "{key_arn} key usage is {usage} which is not valid for {operation}."),
            Self::WrongAlgorithm { algorithm, spec } => {
                write!(f, "Algorithm {algorithm} is incompatible with key spec {spec}.")
            }
            // AWS says nothing here: that would help whoever guesses. Unverified for `NoPublicKey`.
            Self::InvalidCiphertext
            | Self::InvalidMac
            | Self::InvalidSignature
            | Self::NeverTurns
            | Self::NoPublicKey => Ok(()),
            Self::DigestLength(algorithm) => {
                write!(f, "Digest is invalid length for algorithm {algorithm}.")
            }
            // AWS: unverified. Exception and words; that it is not supported is documented.
            Self::ContextOfPair => f.write_str("An encryption context is valid for symmetric encryption keys alone."),
            // AWS: unverified. Exception and words; that it is refused is documented.
            Self::MessageType { algorithm, wanted } => {
                write!(f, "Algorithm {algorithm} requires message type {wanted}.")
            }
            // AWS: unverified. Exception and words; no exception of its own is documented.
            Self::BadPublicKey(spec) => write!(f, "The public key is not a DER-encoded public key of the key spec {spec}."),
            Self::PlaintextTooLong {
                algorithm,
                spec,
                most,
            } => write!(f, "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."),
            Self::UnknownCiphertext => f.write_str("The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."),
            Self::IncorrectKey => f.write_str("The key ID in the request does not identify a CMK that can perform this operation."),
            Self::NotAllowed { caller, action, key_arn, reason } if key_arn.is_empty() => write!(f, "User: {caller} is not authorized to perform: kms:{action} {reason}"),
            Self::NotAllowed { caller, action, key_arn, reason } => write!(f, "User: {caller} is not authorized to perform: kms:{action} on resource: {key_arn} {reason}"),
            Self::ForeignAccount { caller, action } => write!(f, "User: {caller} is not authorized to perform: kms:{action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"),
            Self::AliasExists(arn) => write!(f, "An alias with the name {arn} already exists"),
            // AWS: unverified. The words for too many aliases.
            Self::TooManyAliases => f.write_str("You have exceeded the number of aliases that a KMS key may have."),
            // AWS: unverified. Exception and words; that it is refused is documented.
            Self::OtherKind => f.write_str("The current and the new KMS key of an alias must have the same key usage."),
            // AWS: unverified. The words about grants, but for those about principals.
            Self::NoSuchGrant(id) => write!(f, "Grant ID {id} not found"),
            Self::InvalidGrantId => f.write_str("The grant ID is not valid."),
            Self::InvalidGrantToken => f.write_str("The grant token is not valid."),
            Self::TooManyGrants => f.write_str("You have exceeded the number of grants that a KMS key may have."),
            Self::InvalidPrincipal(name) => write!(f, "ARN does not refer to a valid principal: {name}"),
            Self::TooManyTags => f.write_str("Too many tags"),
            Self::TooManyRotations(arn) => write!(f, "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {arn}"),
        }
    }
}

impl From<ImportRefusal> for Refusal {
    fn from(refusal: ImportRefusal) -> Self {
        Self::Import(refusal)
    }
}
