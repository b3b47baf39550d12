//! HTTP/2, which server and client agree upon as they agree upon TLS.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, ObjectStoreExt};
use reqwest::Version;
use strongroom_rust_clients::{LETTER, http_client, long_body};
use strongroom_testkit::{Mode, Strongroom};

use crate::store::{get, put_parts};

async fn photos() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").tls();
    builder.start().await
}

#[tokio::test]
async fn tls_clients_get_http_2() {
    let server = photos().await;
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let client = http_client(&server.ca_pem());

    let put = server.s3_client().put_object().bucket("photos").key("cat");
    let url = put.presigned(minute.clone()).await.unwrap();
    let put = client.put(url.uri()).body(LETTER).send().await.unwrap();
    let get = server.s3_client().get_object().bucket("photos").key("cat");
    let url = get.presigned(minute).await.unwrap();
    let got = client.get(url.uri()).send().await.unwrap();

    assert_eq!(
        (put.version(), put.status().as_u16()),
        (Version::HTTP_2, 200)
    );
    assert_eq!(got.version(), Version::HTTP_2);
    assert_eq!(got.bytes().await.unwrap(), LETTER);
    server.assert_encrypted_with("photos", "cat", Mode::SseS3);
}

#[tokio::test]
async fn a_client_of_http_1_is_served_too() {
    let server = photos().await;
    let ca = reqwest::Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
    strongroom_rust_clients::use_ring();
    let client = reqwest::Client::builder().tls_certs_only([ca]).http1_only();

    let health = format!("{}/_emulator/health", server.uri());
    let answer = client.build().unwrap().get(health).send().await.unwrap();

    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (Version::HTTP_11, 200)
    );
}

/// A client that notes in which version it was answered.
#[derive(Clone, Debug)]
struct Noting {
    client: reqwest::Client,
    versions: Arc<Mutex<Vec<Version>>>,
}

#[async_trait::async_trait]
impl HttpService for Noting {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = HttpService::call(&self.client, request).await?;
        self.versions.lock().unwrap().push(answer.version());
        Ok(answer)
    }
}

impl HttpConnector for Noting {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[tokio::test]
async fn a_store_works_over_http_2() {
    let server = photos().await;
    let noting = Noting {
        client: http_client(&server.ca_pem()),
        versions: Arc::default(),
    };
    let options = server.object_store_options("photos").into_iter();
    let builder = options.fold(AmazonS3Builder::new(), |builder, (key, value)| {
        builder.with_config(key.parse().unwrap(), value)
    });
    let store = builder.with_http_connector(noting.clone()).build().unwrap();
    let film = long_body();

    put_parts(&store, "film", &film).await;
    let reads = (0..16).map(|_| get(&store, "film"));
    let reads = futures_util::future::join_all(reads).await;
    store.delete(&"film".into()).await.unwrap();

    assert!(reads.iter().all(|read| *read == film));
    let versions = noting.versions.lock().unwrap();
    assert!(versions.len() >= 20, "{versions:?}");
    assert!(
        versions.iter().all(|version| *version == Version::HTTP_2),
        "{versions:?}"
    );
}
