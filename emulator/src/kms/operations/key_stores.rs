//! Custom key stores: `ConnectCustomKeyStore`, `CreateCustomKeyStore`, `DeleteCustomKeyStore`, `DescribeCustomKeyStores`,
//! `DisconnectCustomKeyStore`, `UpdateCustomKeyStore`.
//!
//! A store stands on a cluster of hardware, or on a key manager outside of AWS. Here is neither, so that KMS's answer is the one
//! of an account without them: none can be made, and none is there.

use serde_json::Value;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<Absent<Connect>>(),
    Entry::of::<CreateCustomKeyStore>(),
    Entry::of::<Absent<Delete>>(),
    Entry::of::<DescribeCustomKeyStores>(),
    Entry::of::<Absent<Disconnect>>(),
    Entry::of::<Absent<Update>>(),
];

const TYPES: &[&str] = &["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
const CONNECTIVITIES: &[&str] = &["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"];

/// Makes a store, which nothing here can hold.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html>
#[derive(Debug)]
struct CreateCustomKeyStore {
    kind: Option<&'static str>,
    settings: Settings,
    has_certificate: bool,
}

impl Operation for CreateCustomKeyStore {
    const NAME: &'static str = "CreateCustomKeyStore";

    fn parse(members: &mut Members) -> Self {
        members.text("CustomKeyStoreName", 1..=256);
        Self {
            kind: members.choice("CustomKeyStoreType", TYPES),
            settings: Settings::parse(members),
            has_certificate: members
                .maybe_text("TrustAnchorCertificate", 1..=5_000)
                .is_some(),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.authorize("*")?;
        let Settings {
            cluster,
            has_password,
            connectivity,
            has_proxy,
        } = self.settings;
        if self.kind != Some("EXTERNAL_KEY_STORE") {
            let Some(cluster) = cluster.filter(|_| has_password && self.has_certificate) else {
                return Err(incomplete("AWS_CLOUDHSM"));
            };
            // AWS: unverified. The words; the exception is documented.
            return Err(KmsError::new(
                "CloudHsmClusterNotFoundException",
                format!("Cannot find the AWS CloudHSM cluster {cluster}."),
            ));
        }
        // AWS: unverified. The words of both; the exceptions are documented.
        match connectivity.filter(|_| has_proxy) {
            None => Err(incomplete("EXTERNAL_KEY_STORE")),
            Some("PUBLIC_ENDPOINT") => Err(KmsError::new(
                "XksProxyUriUnreachableException",
                "KMS cannot reach the external key store proxy.",
            )),
            Some(_) => Err(KmsError::new(
                "XksProxyVpcEndpointServiceNotFoundException",
                "KMS cannot find the VPC endpoint service of the external key store proxy.",
            )),
        }
    }
}

/// What a store stands on.
#[derive(Debug)]
struct Settings {
    cluster: Option<String>,
    has_password: bool,
    connectivity: Option<&'static str>,
    has_proxy: bool,
}

impl Settings {
    /// Reads them; neither password nor credential is kept.
    fn parse(members: &mut Members) -> Self {
        let cluster = members.maybe_text("CloudHsmClusterId", 19..=24);
        let has_password = members.has_secret("KeyStorePassword", 7..=32);
        let endpoint = members.maybe_text("XksProxyUriEndpoint", 10..=128);
        let path = members.maybe_text("XksProxyUriPath", 10..=128);
        members.maybe_text("XksProxyVpcEndpointServiceName", 20..=64);
        members.maybe_text("XksProxyVpcEndpointServiceOwner", 12..=12);
        let credential = members.object("XksProxyAuthenticationCredential");
        Self {
            cluster,
            has_password,
            connectivity: members.choice("XksProxyConnectivity", CONNECTIVITIES),
            has_proxy: endpoint.is_some() && path.is_some() && credential.is_some(),
        }
    }
}

/// Lists the stores: none.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeCustomKeyStores.html>
#[derive(Debug)]
struct DescribeCustomKeyStores {
    is_named: bool,
}

impl Operation for DescribeCustomKeyStores {
    const NAME: &'static str = "DescribeCustomKeyStores";

    fn parse(members: &mut Members) -> Self {
        let id = members.maybe_text("CustomKeyStoreId", 1..=64);
        let name = members.maybe_text("CustomKeyStoreName", 1..=256);
        PageRequest::parse(members, 100);
        Self {
            is_named: id.is_some() || name.is_some(),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.authorize("*")?;
        if self.is_named {
            return Err(KmsError::no_such_key_store());
        }
        Ok(page("CustomKeyStores", &[], None))
    }
}

/// An operation on a store that exists, and none does.
struct Absent<N>(std::marker::PhantomData<fn() -> N>);

/// The name of such an operation, and what it brings beside the store's id.
trait OnStore: 'static {
    const NAME: &'static str;

    fn parse(_: &mut Members) {}
}

/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ConnectCustomKeyStore.html>
struct Connect;
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteCustomKeyStore.html>
struct Delete;
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisconnectCustomKeyStore.html>
struct Disconnect;
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html>
struct Update;

impl OnStore for Connect {
    const NAME: &'static str = "ConnectCustomKeyStore";
}

impl OnStore for Delete {
    const NAME: &'static str = "DeleteCustomKeyStore";
}

impl OnStore for Disconnect {
    const NAME: &'static str = "DisconnectCustomKeyStore";
}

impl OnStore for Update {
    const NAME: &'static str = "UpdateCustomKeyStore";

    fn parse(members: &mut Members) {
        members.maybe_text("NewCustomKeyStoreName", 1..=256);
        Settings::parse(members);
    }
}

impl<N: OnStore> Operation for Absent<N> {
    const NAME: &'static str = N::NAME;

    fn parse(members: &mut Members) -> Self {
        members.text("CustomKeyStoreId", 1..=64);
        N::parse(members);
        Self(std::marker::PhantomData)
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.authorize("*")?;
        Err(KmsError::no_such_key_store())
    }
}

// AWS: unverified. Exception and words; which members a store of a type must have is documented.
fn incomplete(kind: &str) -> KmsError {
    KmsError::validation(format!(
        "A custom key store of the type {kind} needs more parameters."
    ))
}
