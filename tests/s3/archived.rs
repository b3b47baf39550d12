//! Objects of the classes whose bytes are read only once they have been restored.

use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::{send, send_body};

use crate::forms::told;
use crate::sdk::says;
use crate::ways::succeeded;

const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// A server that believes everybody, with an object of each class under the class as its key.
async fn stored() -> Strongroom {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    let builder = Strongroom::builder().bucket("photos").config(believe);
    let server = builder.start().await;
    for class in ["GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"] {
        let target = format!("PUT /photos/{class}");
        let headers = [("x-amz-storage-class", class)];
        succeeded(send_body(server.address(), &target, &headers, b"cold").await);
    }
    server
}

/// Source: answers recorded from AWS in February 2026.
#[tokio::test]
async fn an_archived_object_is_not_read() {
    let server = stored().await;
    let address = server.address();

    for class in ARCHIVES {
        let read = send(address, &format!("GET /photos/{class}"), &[]).await;

        let message = "The operation is not valid for the object's storage class";
        assert_eq!(told(&read), says("InvalidObjectState", 403, message));
        assert_eq!(read.element("StorageClass").as_deref(), Some(class));
    }
    let instant = send(address, "GET /photos/GLACIER_IR", &[]).await;
    assert_eq!(succeeded(instant).body, b"cold");
}

#[tokio::test]
async fn an_archived_object_is_looked_at_listed_and_deleted() {
    let server = stored().await;
    let address = server.address();

    for class in ARCHIVES {
        let head = send(address, &format!("HEAD /photos/{class}"), &[]).await;
        let wanted = [("x-amz-object-attributes", "ObjectSize")];
        let attributes = send(address, &format!("GET /photos/{class}?attributes"), &wanted).await;
        let listed = send(address, &format!("GET /photos?prefix={class}"), &[]).await;
        let deleted = send(address, &format!("DELETE /photos/{class}"), &[]).await;

        let head = succeeded(head);
        assert_eq!(head.header("x-amz-storage-class"), Some(class));
        assert_eq!(head.header("content-length"), Some("4"));
        assert_eq!(attributes.element("ObjectSize").as_deref(), Some("4"));
        assert_eq!(listed.element("StorageClass").as_deref(), Some(class));
        assert_eq!(deleted.status, 204);
    }
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>; the message as clients quote it.
#[tokio::test]
async fn an_archived_object_is_no_source_of_a_copy() {
    let server = stored().await;
    let address = server.address();
    let begun = succeeded(send(address, "POST /photos/parts?uploads", &[]).await);
    let part = format!(
        "PUT /photos/parts?partNumber=1&uploadId={}",
        begun.element("UploadId").unwrap()
    );

    for class in ARCHIVES {
        let source = format!("/photos/{class}");
        let headers = [
            ("x-amz-copy-source", source.as_str()),
            ("x-amz-storage-class", "STANDARD"),
        ];
        let targets = ["PUT /photos/copy", &format!("PUT {source}"), &part];
        for target in targets {
            let copied = send(address, target, &headers).await;

            let message = "Operation is not valid for the source object's storage class";
            assert_eq!(told(&copied), says("InvalidObjectState", 403, message));
        }
    }
    assert_eq!(send(address, "HEAD /photos/copy", &[]).await.status, 404);
}
