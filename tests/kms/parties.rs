//! A server with a key, its root, and users of the account and of another one.

use std::io::Write;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::create_grant::CreateGrantOutput;
use aws_sdk_kms::operation::create_grant::builders::CreateGrantFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::builders::GrantConstraintsBuilder;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation};
use serde_json::{Value, json};
use strongroom_testkit::{Builder, Strongroom};

use crate::sdk::{app_arn, client_of, is, refusal};

pub(crate) const ANN: &str = "arn:aws:iam::000000000000:user/ann";
pub(crate) const BOB: &str = "arn:aws:iam::000000000000:user/bob";
pub(crate) const ROOT: &str = "arn:aws:iam::000000000000:root";

/// All of them.
pub(crate) struct Parties {
    pub(crate) server: Strongroom,
    pub(crate) root: Client,
    pub(crate) ann: Client,
    pub(crate) bob: Client,
    pub(crate) arn: String,
}

impl Parties {
    /// Where the key's policy lets in the root alone, by name.
    pub(crate) async fn meet() -> Self {
        Self::of(Strongroom::builder()).await
    }

    /// With further settings.
    pub(crate) async fn of(builder: Builder) -> Self {
        let user = |name: &str| json!({ "name": name, "account": "000000000000", "access_key": name, "secret_key": name });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", json!({ "users": [user("ann"), user("bob")] })).unwrap();
        let path = file.path().to_owned();
        let known = |config: &mut strongroom_testkit::Config| config.identities = Some(path);
        let server = builder.kms_key("alias/app").config(known).start().await;
        let root = server.kms_client();
        let parties = Self {
            ann: client_of(&server, "ann", "ann"),
            bob: client_of(&server, "bob", "bob"),
            arn: app_arn(&root).await,
            root,
            server,
        };
        parties.shut(&parties.arn, &[]).await;
        parties
    }

    /// Gives a key a policy that lets in whoever calls himself the root, and these statements beside.
    pub(crate) async fn shut(&self, key: &str, statements: &[Value]) {
        let root = json!({ "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": { "ArnEquals": { "aws:PrincipalArn": ROOT } } });
        let statements = [&[root], statements].concat();
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let put = self.root.put_key_policy().key_id(key).policy(policy);
        put.send().await.unwrap();
    }

    /// A grant of the root's on the key.
    pub(crate) async fn grant(
        &self,
        grantee: &str,
        operations: &[GrantOperation],
    ) -> CreateGrantOutput {
        let call = granting(&self.root, &self.arn, grantee, operations);
        call.send().await.unwrap()
    }

    /// How somebody is refused an action whom the key's policy does not let in.
    pub(crate) fn not_let(&self, who: &str, action: &str) -> (String, String) {
        let arn = &self.arn;
        let message = format!(
            "User: {who} is not authorized to perform: {action} on resource: {arn} because no resource-based policy allows the {action} action"
        );
        is("AccessDeniedException", &message)
    }
}

/// A grant that is to be.
pub(crate) fn granting(
    client: &Client,
    key: &str,
    grantee: &str,
    operations: &[GrantOperation],
) -> CreateGrantFluentBuilder {
    let call = client.create_grant().key_id(key).grantee_principal(grantee);
    call.set_operations(Some(operations.to_vec()))
}

/// How somebody is refused to encrypt; `None` where he is not.
pub(crate) async fn refused(client: &Client, key: &str) -> Option<(String, String)> {
    let call = client.encrypt().key_id(key).plaintext(Blob::new("secret"));
    let answer = call.send().await;
    answer.is_err().then(|| refusal(answer))
}

/// `EncryptionContextSubset` of these pairs.
pub(crate) fn subset(pairs: &[(&str, &str)]) -> GrantConstraints {
    let add = |built: GrantConstraintsBuilder, (name, value): &(&str, &str)| {
        built.encryption_context_subset(*name, *value)
    };
    let built = pairs.iter().fold(GrantConstraints::builder(), add);
    built.build()
}

/// `EncryptionContextEquals` of these pairs.
pub(crate) fn equals(pairs: &[(&str, &str)]) -> GrantConstraints {
    let add = |built: GrantConstraintsBuilder, (name, value): &(&str, &str)| {
        built.encryption_context_equals(*name, *value)
    };
    let built = pairs.iter().fold(GrantConstraints::builder(), add);
    built.build()
}
