//! A server with the bucket `photos` and a KMS key, and what tests do to that key.

use std::time::Duration;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_s3::Client;
use strongroom_testkit::{Authentication, Builder, KmsCall, Stored, Strongroom, Through};

use crate::sdk::client_of;

/// A customer's encryption context as the header carries it: `{"team":"red"}`.
pub(crate) const RED: &str = "eyJ0ZWFtIjoicmVkIn0=";

/// The server, clients of both services, and the key.
pub(crate) struct Keyed {
    pub(crate) server: Strongroom,
    pub(crate) s3: Client,
    pub(crate) kms: aws_sdk_kms::Client,
    /// The ARN of `alias/app`.
    pub(crate) arn: String,
}

impl Keyed {
    /// With the usual settings.
    pub(crate) async fn start() -> Self {
        Self::of(Strongroom::builder()).await
    }

    /// Where everybody is believed, so that raw messages need no signature and clocks may be days apart.
    pub(crate) async fn believing() -> Self {
        let believe = |config: &mut strongroom_testkit::Config| {
            config.authentication = Authentication::Off;
        };
        Self::of(Strongroom::builder().config(believe)).await
    }

    /// With a user of the account beside its root, and a client of his.
    pub(crate) async fn with_ann() -> (Self, Client) {
        let users = r#"{"users":[{"name":"ann","account":"000000000000","access_key":"ann","secret_key":"ann"}]}"#;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), users).unwrap();
        let path = file.path().to_owned();
        let known = |config: &mut strongroom_testkit::Config| config.identities = Some(path);
        let keyed = Self::of(Strongroom::builder().config(known)).await;
        let ann = client_of(&keyed.server, "ann", "ann");
        (keyed, ann)
    }

    /// With further settings.
    pub(crate) async fn of(builder: Builder) -> Self {
        let server = builder.bucket("photos").kms_key("alias/app").start().await;
        let (s3, kms) = (server.s3_client(), server.kms_client());
        let described = kms.describe_key().key_id("alias/app").send().await.unwrap();
        let arn = described.key_metadata().unwrap().arn().unwrap().to_owned();
        Self {
            server,
            s3,
            kms,
            arn,
        }
    }

    /// The id of the key.
    pub(crate) fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap()
    }

    /// The ARN of one more key.
    pub(crate) async fn another_key(&self) -> String {
        let made = self.kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    }

    pub(crate) async fn disable(&self) {
        let call = self.kms.disable_key().key_id(&self.arn);
        call.send().await.unwrap();
    }

    pub(crate) async fn enable(&self) {
        let call = self.kms.enable_key().key_id(&self.arn);
        call.send().await.unwrap();
    }

    /// Schedules the deletion of the key in seven days.
    pub(crate) async fn schedule_deletion(&self) {
        let call = self.kms.schedule_key_deletion().key_id(&self.arn);
        call.pending_window_in_days(7).send().await.unwrap();
    }

    /// Schedules it, and lets its window end.
    pub(crate) async fn delete(&self) {
        self.schedule_deletion().await;
        self.advance_days(7);
    }

    pub(crate) fn advance_days(&self, days: u64) {
        self.server.clock().advance(Duration::from_hours(24 * days));
    }

    pub(crate) fn stored(&self, key: &str) -> Stored {
        self.server.stored("photos", key)
    }

    /// What S3 asked of KMS.
    pub(crate) fn asked(&self) -> Vec<KmsCall> {
        let mut calls = self.server.kms_calls();
        calls.retain(|call| call.through == Through::S3);
        calls
    }

    /// What KMS decrypts a ciphertext to, or the exception; asked directly.
    pub(crate) async fn decrypt(
        &self,
        ciphertext: &[u8],
        context: &[(&str, &str)],
    ) -> Result<Vec<u8>, String> {
        let mut call = self.kms.decrypt().ciphertext_blob(Blob::new(ciphertext));
        for (name, value) in context {
            call = call.encryption_context(*name, *value);
        }
        match call.send().await {
            Ok(answer) => Ok(answer.plaintext().unwrap().as_ref().to_vec()),
            Err(error) => {
                let error = error.into_service_error();
                Err(aws_sdk_kms::error::ProvideErrorMetadata::code(&error)
                    .unwrap()
                    .to_owned())
            }
        }
    }
}

/// The ARN of an object in `photos`.
pub(crate) fn object_arn(key: &str) -> String {
    format!("arn:aws:s3:::photos/{key}")
}

/// Whether bytes hold others.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
