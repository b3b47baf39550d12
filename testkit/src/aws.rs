//! Clients of the AWS SDK for a server.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::server::Strongroom;

impl Strongroom {
    /// A configuration from which any client of the AWS SDK can be made: endpoint, credentials, region, and trust in the
    /// test CA.
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made or used.
    pub fn sdk_config(&self) -> SdkConfig {
        let (access_key, secret_key, region) = self.access().clone();
        let credentials = Credentials::new(access_key, secret_key, None, None, "strongroom");
        SdkConfig::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .endpoint_url(self.uri())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(self.http_client())
            .build()
    }

    /// A client for S3. The address is an IP, so the SDK uses path style by itself.
    ///
    /// # Panics
    ///
    /// As [`Strongroom::sdk_config`].
    pub fn s3_client(&self) -> Client {
        Client::new(&self.sdk_config())
    }

    fn http_client(&self) -> aws_smithy_runtime_api::client::http::SharedHttpClient {
        let builder = aws_smithy_http_client::Builder::new();
        if !self.is_tls() {
            return builder.build_http();
        }
        let trust = TrustStore::empty().with_pem_certificate(self.ca_pem().into_bytes());
        let context = TlsContext::builder()
            .with_trust_store(trust)
            .build()
            .expect("the test CA is a certificate");
        builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build_https()
    }
}
