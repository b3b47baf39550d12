//! Bodies beyond what S3 takes: refused before they are read, or as soon as they are too long.

use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::send_body;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MOST_DOCUMENT_BYTES: usize = 4 * 1_024 * 1_024;

async fn server() -> Strongroom {
    Strongroom::builder()
        .bucket("photos")
        .config(|config: &mut Config| config.authentication = Authentication::Off)
        .start()
        .await
}

#[tokio::test]
async fn a_document_of_more_than_4_mib_is_too_long() {
    let server = server().await;
    let document = vec![b' '; MOST_DOCUMENT_BYTES + 1];

    let answer = send_body(
        server.address(),
        "PUT /photos?versioning",
        &[],
        &document[..1_025],
    )
    .await;
    let deletion = send_body(server.address(), "POST /photos?delete", &[], &document).await;

    for (answer, most) in [(answer, 1_024), (deletion, MOST_DOCUMENT_BYTES)] {
        let code = answer.element("Code");
        assert_eq!(code.as_deref(), Some("MaxMessageLengthExceeded"));
        let told = answer.element("MaxMessageLengthBytes");
        assert_eq!(told, Some(most.to_string()));
    }
}

#[tokio::test]
async fn an_object_of_more_than_5_gib_is_refused_before_it_is_sent() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();

    let head = "PUT /photos/large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5368709121\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("<Code>EntityTooLarge</Code>"), "{answer}");
    assert!(
        answer.contains("<MaxSizeAllowed>5368709120</MaxSizeAllowed>"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_document_with_an_entity_of_its_own_is_not_read() {
    let server = server().await;
    let document = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><VersioningConfiguration><Status>&c;</Status></VersioningConfiguration>";

    let answer = send_body(
        server.address(),
        "PUT /photos?versioning",
        &[],
        document.as_bytes(),
    )
    .await;

    assert_eq!(answer.element("Code").as_deref(), Some("MalformedXML"));
}
