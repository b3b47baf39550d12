//! What a client of the AWS SDK needs to find a server and to trust it.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use strongroom::ClockHandle;

use crate::access::Access;

/// Lets a client go by the server's clock: a test that moves it moves both, and no signature is out of date.
#[derive(Debug)]
struct ServerTime(ClockHandle);

impl TimeSource for ServerTime {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// The configuration of a client that goes by the server's `clock`; `ca` is the certificate (PEM) that it trusts, where it speaks TLS.
pub(crate) fn sdk_config(access: &Access, ca: Option<String>, clock: ClockHandle) -> SdkConfig {
    let (id, secret) = (access.key_id.as_str(), access.secret.expose());
    let credentials = Credentials::new(id, secret, None, None, "strongroom");
    SdkConfig::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .endpoint_url(&access.uri)
        .region(Region::new(access.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .time_source(ServerTime(clock))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(http_client(ca))
        .build()
}

fn http_client(ca: Option<String>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    let Some(ca) = ca else {
        return builder.build_http();
    };
    let trust = TrustStore::empty().with_pem_certificate(ca.into_bytes());
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .expect("the test CA is a certificate");
    builder
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}
