//! A grant on a KMS key, as it is stored: what it lets somebody do beside the key's policy, and under which constraints.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>,
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::kms_key::{KeySpec, KmsKey};
use crate::model::kms_name::KeyId;
use crate::model::timestamp::Timestamp;

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsGrant {
    /// Its id.
    pub(crate) id: GrantId,
    /// The region of its key.
    pub(crate) region: String,
    /// Its key.
    pub(crate) key: KeyId,
    /// What it gives.
    pub(crate) terms: GrantTerms,
    /// The account of whoever made it.
    pub(crate) issuer: String,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// What a grant gives, to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantTerms {
    /// A name by which whoever makes it again finds it.
    pub(crate) name: Option<String>,
    /// Who may.
    pub(crate) grantee: GrantPrincipal,
    /// Who may end it, beside the account that made it.
    pub(crate) retiring: Option<GrantPrincipal>,
    /// What, each once.
    pub(crate) operations: Vec<GrantOperation>,
    /// Under which constraints.
    pub(crate) constraints: GrantConstraints,
}

/// Somebody whom a grant names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum GrantPrincipal {
    /// An account, a user, a role, or a session, by ARN.
    Arn(String),
    /// A service of AWS.
    Service(String),
}

/// What a grant asks of a request. What is not there asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantConstraints {
    /// `EncryptionContextEquals`: the encryption context is this one.
    pub(crate) equals: Option<BTreeMap<String, String>>,
    /// `EncryptionContextSubset`: the encryption context holds these pairs.
    pub(crate) subset: Option<BTreeMap<String, String>>,
    /// `SourceArn`: a service asks for this resource.
    pub(crate) source_arn: Option<String>,
}

/// The id of a grant: 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct GrantId(#[serde(with = "hex::serde")] pub(crate) [u8; 32]);

/// What a grant can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum GrantOperation {
    Decrypt,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyWithoutPlaintext,
    ReEncryptFrom,
    ReEncryptTo,
    Sign,
    Verify,
    GetPublicKey,
    CreateGrant,
    RetireGrant,
    DescribeKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateMac,
    VerifyMac,
    DeriveSharedSecret,
}

impl GrantTerms {
    /// Whether somebody who makes a grant again means the same one: the order of operations does not matter.
    pub(crate) fn are_same(&self, other: &Self) -> bool {
        let operations = |terms: &Self| terms.operations.iter().copied().collect::<BTreeSet<_>>();
        operations(self) == operations(other)
            && (&self.name, &self.grantee, &self.retiring, &self.constraints)
                == (
                    &other.name,
                    &other.grantee,
                    &other.retiring,
                    &other.constraints,
                )
    }

    /// Whether whoever may give grants by these terms may give that: the same operations or fewer, under constraints
    /// that are as strict or stricter.
    pub(crate) fn cover(&self, given: &Self) -> bool {
        let mut operations = given.operations.iter();
        operations.all(|operation| self.operations.contains(operation))
            && self.constraints.cover(&given.constraints)
    }
}

impl GrantConstraints {
    /// Whether a request under this encryption context meets those that are about it. Of names the case does not count,
    /// of values it does.
    pub(crate) fn meet(&self, context: &BTreeMap<String, String>) -> bool {
        let context = folded(context);
        let equals = self.equals.as_ref().map(folded);
        let subset = self.subset.as_ref().map(folded);
        equals.is_none_or(|equals| equals == context)
            && subset.is_none_or(|subset| subset.is_subset(&context))
    }

    /// Whether every request that meets the others meets these too.
    fn cover(&self, others: &Self) -> bool {
        let equals = others.equals.as_ref().map(folded);
        let promised = others.equals.iter().chain(&others.subset).map(folded);
        let promised = promised.fold(BTreeSet::new(), |all, some| &all | &some);
        let source = self.source_arn.as_ref();
        source.is_none_or(|arn| others.source_arn.as_ref() == Some(arn))
            && (self.equals.as_ref()).is_none_or(|own| equals == Some(folded(own)))
            && (self.subset.as_ref()).is_none_or(|own| folded(own).is_subset(&promised))
    }
}

/// Pairs without regard to the case of names.
fn folded(pairs: &BTreeMap<String, String>) -> BTreeSet<(String, &str)> {
    let fold = |(name, value): (&String, _)| (name.to_lowercase(), value);
    let pairs = pairs.iter().map(|(name, value)| (name, value.as_str()));
    pairs.map(fold).collect()
}

impl GrantPrincipal {
    /// As it was named.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Arn(name) | Self::Service(name) => name,
        }
    }

    /// Under what its grants are filed: a role without its path, which the ARN of a session does not have either. No two
    /// roles of an account differ in their paths alone.
    pub(crate) fn filed(&self) -> String {
        let name = self.name();
        match name.split_once(":role/") {
            Some((account, role)) => {
                let role = role.rsplit('/').next().unwrap_or(role);
                format!("{account}:role/{role}")
            }
            None => name.to_owned(),
        }
    }
}

impl GrantId {
    /// Reads one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl GrantOperation {
    /// All of them, in AWS's order.
    pub(crate) const ALL: [Self; 17] = [
        Self::Decrypt,
        Self::Encrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::ReEncryptFrom,
        Self::ReEncryptTo,
        Self::Sign,
        Self::Verify,
        Self::GetPublicKey,
        Self::CreateGrant,
        Self::RetireGrant,
        Self::DescribeKey,
        Self::GenerateDataKeyPair,
        Self::GenerateDataKeyPairWithoutPlaintext,
        Self::GenerateMac,
        Self::VerifyMac,
        Self::DeriveSharedSecret,
    ];

    /// As on the wire, and as policies call the action.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Decrypt => "Decrypt",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::ReEncryptFrom => "ReEncryptFrom",
            Self::ReEncryptTo => "ReEncryptTo",
            Self::Sign => "Sign",
            Self::Verify => "Verify",
            Self::GetPublicKey => "GetPublicKey",
            Self::CreateGrant => "CreateGrant",
            Self::RetireGrant => "RetireGrant",
            Self::DescribeKey => "DescribeKey",
            Self::GenerateDataKeyPair => "GenerateDataKeyPair",
            Self::GenerateDataKeyPairWithoutPlaintext => "GenerateDataKeyPairWithoutPlaintext",
            Self::GenerateMac => "GenerateMac",
            Self::VerifyMac => "VerifyMac",
            Self::DeriveSharedSecret => "DeriveSharedSecret",
        }
    }

    /// Reads the wire's form.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether it is about the key or its grants, and not about what the key encrypts.
    pub(crate) fn is_of_management(self) -> bool {
        matches!(
            self,
            Self::CreateGrant | Self::RetireGrant | Self::DescribeKey
        )
    }

    /// Whether a key of this kind can do it.
    ///
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-compare.html>
    pub(crate) fn suits(self, key: &KmsKey) -> bool {
        if self.is_of_management() {
            return true;
        }
        let is_symmetric = key.spec == KeySpec::SymmetricDefault;
        let usage = key.usage().name();
        match self {
            Self::Decrypt | Self::Encrypt | Self::ReEncryptFrom | Self::ReEncryptTo => {
                usage == "ENCRYPT_DECRYPT"
            }
            Self::Sign | Self::Verify => usage == "SIGN_VERIFY",
            Self::GenerateMac | Self::VerifyMac => usage == "GENERATE_VERIFY_MAC",
            Self::DeriveSharedSecret => usage == "KEY_AGREEMENT",
            Self::GetPublicKey => key.spec.is_pair(),
            _ => is_symmetric,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Pairs = BTreeMap<String, String>;

    /// Few names and values, so that pairs meet.
    fn pairs() -> impl Strategy<Value = Pairs> {
        prop::collection::btree_map("[aAb]", "[xX]", 0..3)
    }

    fn constraints() -> impl Strategy<Value = GrantConstraints> {
        let arn = prop::option::of(prop::sample::select(vec!["a".to_owned(), "b".to_owned()]));
        (prop::option::of(pairs()), prop::option::of(pairs()), arn).prop_map(
            |(equals, subset, source_arn)| GrantConstraints {
                equals,
                subset,
                source_arn,
            },
        )
    }

    fn of(pairs: &[(&str, &str)]) -> Pairs {
        let pairs = pairs.iter().copied();
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn whatever_meets_what_is_covered_meets_what_covers_it(own in constraints(), given in constraints(), context in pairs()) {
            if own.cover(&given) && given.meet(&context) {
                prop_assert!(own.meet(&context));
            }
        }

        #[test]
        fn constraints_cover_themselves_and_none_cover_all(own in constraints(), given in constraints()) {
            prop_assert!(own.cover(&own));
            prop_assert!(GrantConstraints::default().cover(&given));
        }
    }

    #[test]
    fn a_subset_is_met_by_more_and_an_equal_by_itself_alone() {
        let red = of(&[("team", "red")]);
        let subset = GrantConstraints {
            subset: Some(red.clone()),
            ..GrantConstraints::default()
        };
        let equals = GrantConstraints {
            equals: Some(red),
            ..GrantConstraints::default()
        };
        let rows = [
            (of(&[("team", "red")]), (true, true)),
            (of(&[("Team", "red")]), (true, true)),
            (of(&[("team", "red"), ("stage", "test")]), (true, false)),
            (of(&[("team", "Red")]), (false, false)),
            (of(&[]), (false, false)),
        ];
        for (context, met) in rows {
            assert_eq!(
                (subset.meet(&context), equals.meet(&context)),
                met,
                "{context:?}"
            );
        }
    }

    #[test]
    fn every_operation_is_read_back_from_its_name() {
        for operation in GrantOperation::ALL {
            assert_eq!(GrantOperation::parse(operation.name()), Some(operation));
        }
    }
}
