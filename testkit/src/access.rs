//! Where a server is and as whom clients speak to it, in the words of each kind of client.
//!
//! All of them are plain strings, so that the test kit is tied to no version of any client.

#[cfg(feature = "opendal")]
use std::collections::HashMap;
use std::path::Path;

use strongroom::{Config, Secret};

/// What every client needs.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// `http://127.0.0.1:PORT`, or `https://…`.
    pub(crate) uri: String,
    /// Of the default account's root.
    pub(crate) key_id: String,
    /// Its secret.
    pub(crate) secret: Secret,
    /// The server's.
    pub(crate) region: String,
}

impl Access {
    /// To the server that these settings made at `uri`.
    pub(crate) fn of(config: &Config, uri: String) -> Self {
        Self {
            uri,
            key_id: config.access_key.clone(),
            secret: config.secret_key.clone(),
            region: config.region.clone(),
        }
    }

    /// Variables of a client's environment; `ca` is the file that HTTPS clients trust.
    pub(crate) fn environment(&self, ca: Option<&Path>) -> Vec<(&'static str, String)> {
        let config = Config {
            access_key: self.key_id.clone(),
            secret_key: self.secret.clone(),
            region: self.region.clone(),
            ..Config::default()
        };
        config.client_environment(&self.uri, ca)
    }

    /// Options of the `object_store` crate.
    ///
    /// Source: <https://docs.rs/object_store/0.14.2/object_store/aws/enum.AmazonS3ConfigKey.html>
    #[cfg(feature = "object-store")]
    pub(crate) fn object_store(&self, bucket: &str) -> Vec<(&'static str, String)> {
        let is_plain = self.uri.starts_with("http:");
        vec![
            ("aws_endpoint", self.uri.clone()),
            ("aws_allow_http", is_plain.to_string()),
            ("aws_region", self.region.clone()),
            ("aws_bucket_name", bucket.to_owned()),
            ("aws_access_key_id", self.key_id.clone()),
            ("aws_secret_access_key", self.secret.expose().to_owned()),
            ("aws_conditional_put", "etag".to_owned()),
            // The one way of that crate which S3 itself understands; without a setting it refuses to try.
            ("aws_copy_if_not_exists", "multipart".to_owned()),
        ]
    }

    /// Options of `OpenDAL`'s service `s3`.
    ///
    /// Source: <https://docs.rs/opendal/0.59.5/opendal/services/struct.S3Config.html>
    #[cfg(feature = "opendal")]
    pub(crate) fn opendal(&self, bucket: &str) -> HashMap<String, String> {
        let pairs = [
            ("endpoint", self.uri.as_str()),
            ("region", &self.region),
            ("bucket", bucket),
            ("access_key_id", &self.key_id),
            ("secret_access_key", self.secret.expose()),
            // A test must not depend on the profile of whoever runs it, nor wait for a cloud that is not there.
            ("disable_config_load", "true"),
            ("disable_ec2_metadata", "true"),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        pairs.map(owned).into()
    }
}
