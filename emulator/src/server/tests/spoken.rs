//! One port: HTTP/1.1, HTTP/2 with and without TLS, and a certificate that its clients believe.

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// The preface, no settings, and `GET /` as stream 1 in indexed headers; the authority is `h`.
///
/// Source: RFC 9113 §3.4, §6.2; RFC 7541 appendix A.
const HTTP2_REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01h";

#[tokio::test]
async fn http2_without_tls_is_spoken() {
    let server = Server::start();
    let mut stream = server.connect().await;

    stream.write_all(HTTP2_REQUEST).await.unwrap();

    assert_eq!(
        http2_body(&mut stream).await,
        "GET /? host=h probe=[] tls=false body=Some(0)"
    );
}

#[tokio::test]
async fn http2_within_tls_is_agreed_on() {
    let server = Server::start();
    let mut stream = secure(&server, "localhost", &[b"h2", b"http/1.1"]).await;

    stream.write_all(HTTP2_REQUEST).await.unwrap();

    assert_eq!(
        http2_body(&mut stream).await,
        "GET /? host=h probe=[] tls=true body=Some(0)"
    );
}

#[tokio::test]
async fn http1_within_tls_needs_no_agreement() {
    let server = Server::start();
    let mut stream = secure(&server, "localhost", &[]).await;

    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();

    let answer = read_to_end(&mut stream).await;
    assert!(answer.contains("tls=true"), "{answer}");
}

#[tokio::test]
async fn a_large_body_streams_through_tls() {
    let server = Server::start();
    let mut stream = secure(&server, "localhost", &[]).await;
    let head =
        b"PUT /read HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n";

    stream.write_all(head).await.unwrap();
    stream.write_all(&vec![b'x'; 3_000_000]).await.unwrap();

    let answer = read_to_end(&mut stream).await;
    assert!(answer.ends_with("read 3000000"), "{answer}");
}

#[tokio::test]
async fn the_certificate_names_every_host() {
    let server = Server::start();

    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "photos.localhost",
        "s3.localhost",
        "photos.s3.localhost",
        "localhost.localstack.cloud",
        "s3.localhost.localstack.cloud",
        "photos.s3.localhost.localstack.cloud",
        "photos.s3.eu-west-1.localhost.localstack.cloud",
        "with.dots.s3.localhost",
        "photos.s3.eu-west-1.amazonaws.com",
        // A service of a compose file.
        "strongroom",
    ] {
        // The handshake fails where the certificate does not name it.
        secure(&server, name, &[]).await;
    }
}

#[tokio::test]
async fn no_certificate_names_what_is_not_ours() {
    let server = Server::start();
    let connector = connector(server.tls.ca_pem().unwrap(), &[]);

    for name in ["example.com", "not-amazonaws.com", "10.0.0.1"] {
        let stream = server.connect().await;
        let asked = ServerName::try_from(name).unwrap();

        assert!(connector.connect(asked, stream).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn hosts_that_were_added_are_named_with_their_buckets() {
    let config = Config {
        hosts: ["S3.test", "10.1.2.3", "fd00::1"]
            .map(str::to_owned)
            .to_vec(),
        listen: "10.0.0.9:80".parse().unwrap(),
        ..Config::default()
    };
    let tls = Tls::prepare(&config).unwrap();

    for name in [
        "s3.test",
        "photos.s3.test",
        "my.photos.s3.test",
        "10.1.2.3",
        "fd00::1",
        // Where it listens.
        "10.0.0.9",
    ] {
        handshake(&tls, name).await;
    }
}

#[tokio::test]
async fn a_certificate_that_was_given_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| Some(folder.path().join(name));
    let given = rcgen::generate_simple_self_signed(vec!["given.test".to_owned()]).unwrap();
    std::fs::write(folder.path().join("c"), given.cert.pem()).unwrap();
    std::fs::write(folder.path().join("k"), given.signing_key.serialize_pem()).unwrap();
    let mut config = Config::default();
    (config.tls.certificate, config.tls.key) = (path("c"), path("k"));
    config.tls.ca_out = path("out");

    let tls = Tls::prepare(&config).unwrap();

    handshake(&tls, "given.test").await;
    let written = std::fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!(written, given.cert.pem());
}

#[tokio::test]
async fn a_certificate_without_its_key_is_an_error() {
    let mut config = Config::default();
    config.tls.certificate = Some("certificate.pem".into());

    let error = Tls::prepare(&config).unwrap_err();

    assert!(error.to_string().contains("needs its key"), "{error}");
}

async fn secure(server: &Server, name: &str, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
    let stream = server.connect().await;
    let connector = connector(server.tls.ca_pem().unwrap(), alpn);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    connector.connect(name, stream).await.unwrap()
}

/// Server and client face to face.
async fn handshake(tls: &Tls, name: &str) {
    let (near, far) = tokio::io::duplex(64 * 1_024);
    let connector = connector(tls.ca_pem().unwrap(), &[]);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (server, client) = tokio::join!(
        tls.acceptor().unwrap().accept(near),
        connector.connect(name, far)
    );
    client.unwrap();
    server.unwrap();
}

fn connector(ca_pem: &str, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// The data of stream 1, up to the frame that ends it.
async fn http2_body(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let mut body = String::new();
    loop {
        let mut head = [0; 9];
        let read = timeout(PATIENCE, stream.read_exact(&mut head)).await;
        read.expect("a frame comes").unwrap();
        let size = usize::from(head[1]) * 256 + usize::from(head[2]);
        let mut payload = vec![0; size];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == 0 {
            body.push_str(std::str::from_utf8(&payload).unwrap());
            if head[4] & 1 == 1 {
                return body;
            }
        }
    }
}
