//! What is known of an object: `GetObjectAttributes`.
//!
//! Source: answers recorded from AWS in February 2026; refusals quoted from AWS in issues of versitygw (#915, #917, #1806).

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::get_object_attributes::builders::GetObjectAttributesFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
    StorageClass,
};
use strongroom_testkit::Mode;
use strongroom_tests::{Answer, send};

use crate::keyed::Keyed;
use crate::sdk::{
    CUSTOMER_KEY, head, is, noise, photos, put, refusal, refused, says, upload_in, upload_under,
};

const MIB: usize = 1_024 * 1_024;
/// Numbers and sizes of the parts of `photos/parts`.
const PARTS: [(i32, usize); 3] = [(1, 5 * MIB + 1), (2, 5 * MIB), (5, 10)];
const CUSTOMER: &str = "x-amz-server-side-encryption-customer";
const OTHER_KEY: (&str, &str) = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

/// A question about `photos/KEY`.
fn ask(
    client: &Client,
    key: &str,
    wanted: &[ObjectAttributes],
) -> GetObjectAttributesFluentBuilder {
    let ask = client.get_object_attributes().bucket("photos").key(key);
    ask.set_object_attributes(Some(wanted.to_vec()))
}

/// Puts `photos/parts` under CRC32C of this type, or without a checksum that anybody chose.
async fn put_in_parts(
    client: &Client,
    kind: Option<ChecksumType>,
) -> CompleteMultipartUploadOutput {
    let algorithm = kind.as_ref().map(|_| ChecksumAlgorithm::Crc32C);
    let create = client
        .create_multipart_upload()
        .bucket("photos")
        .key("parts");
    let create = create.set_checksum_algorithm(algorithm.clone());
    let begun = create.set_checksum_type(kind).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in PARTS {
        let upload = client.upload_part().bucket("photos").key("parts");
        let upload = upload.upload_id(id).part_number(number);
        let upload = upload.set_checksum_algorithm(algorithm.clone());
        let written = upload.body(ByteStream::from(noise(size))).send().await;
        let written = written.unwrap();
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(written.e_tag)
            .set_checksum_crc32_c(written.checksum_crc32_c);
        parts.push(part.build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
    let complete = client.complete_multipart_upload().bucket("photos");
    let complete = complete.key("parts").upload_id(id);
    let complete = complete.multipart_upload(parts.build());
    complete.send().await.unwrap()
}

/// The answer to a message that needs no signature.
async fn ask_raw(keyed: &Keyed, target: &str, headers: &[(&str, &str)]) -> Answer {
    send(keyed.server.address(), &format!("GET {target}"), headers).await
}

fn told(answer: &Answer) -> (String, u16, String) {
    let element = |name| answer.element(name).unwrap_or_default();
    (element("Code"), answer.status, element("Message"))
}

#[tokio::test]
async fn what_is_asked_for_is_told_and_nothing_else() {
    let (_server, client) = photos().await;
    put(&client, "key", "hello").await;
    let seen = head(&client, "key").send().await.unwrap();

    let all = [
        ObjectAttributes::Etag,
        ObjectAttributes::Checksum,
        ObjectAttributes::ObjectParts,
        ObjectAttributes::StorageClass,
        ObjectAttributes::ObjectSize,
    ];
    let all = ask(&client, "key", &all).send().await.unwrap();
    let size = ask(&client, "key", &[ObjectAttributes::ObjectSize]);
    let size = size.send().await.unwrap();

    assert_eq!(all.e_tag(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(all.object_size(), Some(5));
    assert_eq!(all.storage_class(), Some(&StorageClass::Standard));
    assert_eq!(all.checksum().unwrap().checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(
        all.checksum().unwrap().checksum_type(),
        Some(&ChecksumType::FullObject)
    );
    assert_eq!(all.object_parts(), None, "it was never in parts");
    assert_eq!(all.last_modified(), seen.last_modified());
    assert_eq!(all.version_id(), None);
    assert_eq!((size.object_size(), size.e_tag()), (Some(5), None));
    assert_eq!((size.checksum(), size.storage_class()), (None, None));
}

#[tokio::test]
async fn the_answer_is_aws_to_the_byte_in_one_header_or_two() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", "hello").await;

    let target = "/photos/key?attributes&versionId=null";
    let one = ("x-amz-object-attributes", "ObjectSize, ETag");
    let other = ("x-amz-object-attributes", "Checksum,StorageClass,ETag");
    let answer = ask_raw(&keyed, target, &[one, other]).await;

    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetObjectAttributesResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>5d41402abc4b2a76b9719d911017c592</ETag><Checksum><ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType></Checksum><StorageClass>STANDARD</StorageClass><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>";
    assert_eq!((answer.status, answer.text()), (200, body.to_owned()));
    assert!(answer.header("last-modified").is_some());
    assert_eq!(answer.header("x-amz-version-id"), Some("null"));
    assert_eq!(answer.header("x-amz-server-side-encryption"), None);
}

#[tokio::test]
async fn parts_are_listed_with_their_checksums_where_the_objects_is_of_theirs() {
    let (_server, client) = photos().await;
    let done = put_in_parts(&client, Some(ChecksumType::Composite)).await;

    let wanted = [
        ObjectAttributes::Etag,
        ObjectAttributes::Checksum,
        ObjectAttributes::ObjectParts,
    ];
    let told = ask(&client, "parts", &wanted).send().await.unwrap();

    let etag = done.e_tag().unwrap().trim_matches('"');
    assert_eq!(told.e_tag(), Some(etag));
    let (checksum, count) = done.checksum_crc32_c().unwrap().split_once('-').unwrap();
    let told_checksum = told.checksum().unwrap();
    assert_eq!(count, "3");
    assert_eq!(told_checksum.checksum_crc32_c(), Some(checksum));
    assert_eq!(
        told_checksum.checksum_type(),
        Some(&ChecksumType::Composite)
    );
    let parts = told.object_parts().unwrap();
    assert_eq!(parts.total_parts_count(), Some(3));
    assert_eq!(parts.part_number_marker(), Some("0"));
    assert_eq!(parts.next_part_number_marker(), Some("5"));
    assert_eq!(parts.max_parts(), Some(1_000));
    assert_eq!(parts.is_truncated(), Some(false));
    let listed = parts.parts().iter();
    let listed: Vec<_> = listed
        .map(|part| (part.part_number().unwrap(), part.size().unwrap()))
        .collect();
    let put = PARTS.map(|(number, size)| (number, i64::try_from(size).unwrap()));
    assert_eq!(listed, put);
    // CRC32C of the ten bytes that a part of ten bytes has.
    let alone = client.put_object().bucket("photos").key("alone");
    let alone = alone.checksum_algorithm(ChecksumAlgorithm::Crc32C);
    let alone = alone.body(noise(10).into()).send().await.unwrap();
    assert_eq!(
        parts.parts()[2].checksum_crc32_c(),
        alone.checksum_crc32_c()
    );
}

#[tokio::test]
async fn pages_of_parts_go_by_their_numbers() {
    let (_server, client) = photos().await;
    put_in_parts(&client, Some(ChecksumType::Composite)).await;
    let page = async |after: &str, most: i32| {
        let ask = ask(&client, "parts", &[ObjectAttributes::ObjectParts]);
        let ask = ask.part_number_marker(after).max_parts(most);
        let parts = ask.send().await.unwrap().object_parts.unwrap();
        let numbers = parts.parts().iter().map(|part| part.part_number().unwrap());
        assert_eq!(
            (parts.total_parts_count(), parts.max_parts()),
            (Some(3), Some(most))
        );
        assert_eq!(parts.part_number_marker(), Some(after));
        (
            numbers.collect::<Vec<_>>(),
            parts.next_part_number_marker().unwrap().to_owned(),
            parts.is_truncated().unwrap(),
        )
    };

    assert_eq!(page("0", 2).await, (vec![1, 2], "2".to_owned(), true));
    assert_eq!(page("2", 2).await, (vec![5], "5".to_owned(), false));
    assert_eq!(page("1", 1).await, (vec![2], "2".to_owned(), true));
    assert_eq!(page("10", 1).await, (vec![], "0".to_owned(), false));
}

#[tokio::test]
async fn parts_are_counted_alone_where_the_checksum_is_of_the_whole() {
    let (_server, client) = photos().await;
    for kind in [None, Some(ChecksumType::FullObject)] {
        put_in_parts(&client, kind).await;

        let wanted = [ObjectAttributes::Checksum, ObjectAttributes::ObjectParts];
        let told = ask(&client, "parts", &wanted).max_parts(1);
        let told = told.send().await.unwrap();

        let checksum = told.checksum().unwrap();
        assert_eq!(checksum.checksum_type(), Some(&ChecksumType::FullObject));
        let parts = told.object_parts().unwrap();
        assert_eq!(parts.total_parts_count(), Some(3));
        assert_eq!((parts.max_parts(), parts.is_truncated()), (None, None));
        assert!(parts.parts().is_empty());
    }
}

#[tokio::test]
async fn no_names_and_unknown_ones_are_refused_without_a_declaration() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", "hello").await;
    let ask = async |names: &[&str]| {
        let headers = names.iter().map(|name| ("x-amz-object-attributes", *name));
        let headers: Vec<_> = headers.collect();
        ask_raw(&keyed, "/photos/key?attributes", &headers).await
    };

    let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";
    for none in [&[][..], &[""], &[",", " "]] {
        let answer = ask(none).await;
        assert_eq!(told(&answer), says("InvalidRequest", 400, message));
        assert!(answer.text().starts_with("<Error>"), "{}", answer.text());
    }
    let answer = ask(&["ETag,Dummy"]).await;
    let message = "Invalid attribute name specified.";
    assert_eq!(told(&answer), says("InvalidArgument", 400, message));
    let argument = ["ArgumentName", "ArgumentValue"].map(|name| answer.element(name).unwrap());
    assert_eq!(argument, ["x-amz-object-attributes", "Dummy"]);
    let missing = ask_raw(
        &keyed,
        "/photos/none?attributes",
        &[("x-amz-object-attributes", "ETag")],
    );
    let missing = missing.await;
    let message = "The specified key does not exist.";
    assert_eq!(told(&missing), says("NoSuchKey", 404, message));
    assert!(missing.text().starts_with("<Error>"), "{}", missing.text());
    assert_eq!(missing.element("Key").as_deref(), Some("none"));
}

#[tokio::test]
async fn a_page_size_that_is_no_number_is_ignored() {
    let keyed = Keyed::believing().await;
    put_in_parts(&keyed.s3, Some(ChecksumType::Composite)).await;

    for most in ["-1", "many", "99999"] {
        let wanted = ("x-amz-object-attributes", "ObjectParts");
        let headers = [wanted, ("x-amz-max-parts", most)];
        let answer = ask_raw(&keyed, "/photos/parts?attributes", &headers).await;

        assert_eq!(
            answer.element("MaxParts").as_deref(),
            Some("1000"),
            "{most}"
        );
        assert_eq!(answer.text().matches("<Part>").count(), 3, "{most}");
    }
}

#[tokio::test]
async fn an_object_under_a_customers_key_wants_that_key() {
    let keyed = Keyed::believing().await;
    for (mode, key) in [(Mode::SseC, "sealed"), (Mode::SseS3, "open")] {
        let upload = upload_in(mode, &keyed.s3, "", (key, noise(9)));
        upload.send().await.unwrap();
    }
    let ask = async |object: &str, key: Option<(&str, &str)>| {
        let wanted = "ETag,Checksum,ObjectSize".to_owned();
        let mut headers = vec![("x-amz-object-attributes".to_owned(), wanted)];
        if let Some((key, md5)) = key {
            headers.push((format!("{CUSTOMER}-algorithm"), "AES256".to_owned()));
            headers.push((format!("{CUSTOMER}-key"), key.to_owned()));
            headers.push((format!("{CUSTOMER}-key-MD5"), md5.to_owned()));
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        ask_raw(&keyed, &format!("/photos/{object}?attributes"), &headers).await
    };

    let none = ask("sealed", None).await;
    let other = ask("sealed", Some(OTHER_KEY)).await;
    let needless = ask("open", Some(CUSTOMER_KEY)).await;
    let right = ask("sealed", Some(CUSTOMER_KEY)).await;

    let message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
    assert_eq!(told(&none), says("InvalidRequest", 400, message));
    let message = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.";
    assert_eq!(told(&other), says("AccessDenied", 403, message));
    let message = "The encryption parameters are not applicable to this object.";
    assert_eq!(told(&needless), says("InvalidRequest", 400, message));
    assert_eq!(right.status, 200);
    assert_eq!(right.element("ObjectSize").as_deref(), Some("9"));
    assert!(right.element("ChecksumCRC32").is_some());
    let spoken = right.headers.iter().map(|(name, _)| name.as_str());
    assert!(!spoken.into_iter().any(|name| name.starts_with(CUSTOMER)));
}

#[tokio::test]
async fn an_encryption_cannot_be_chosen_where_nothing_is_written() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", "hello").await;
    let ask = async |header: (&str, &str)| {
        let headers = [("x-amz-object-attributes", "ETag"), header];
        ask_raw(&keyed, "/photos/key?attributes", &headers).await
    };

    let method = ask(("x-amz-server-side-encryption", "AES256")).await;
    let key = ask(("x-amz-server-side-encryption-aws-kms-key-id", &keyed.arn)).await;

    let message = "x-amz-server-side-encryption header is not supported for this operation.";
    assert_eq!(told(&method), says("InvalidArgument", 400, message));
    assert_eq!(method.element("ArgumentValue").as_deref(), Some("AES256"));
    let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
    assert_eq!(told(&key), says("InvalidArgument", 400, message));
    assert_eq!(key.element("ArgumentValue"), None);
}

#[tokio::test]
async fn kms_guards_the_checksum_and_nothing_else() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "key", noise(9));
    upload.send().await.unwrap();
    let ask = async |wanted| ask(&keyed.s3, "key", &[wanted]).send().await;

    assert!(ask(ObjectAttributes::Etag).await.is_ok());
    assert_eq!(keyed.asked().len(), 1, "to write it");
    assert!(ask(ObjectAttributes::Checksum).await.is_ok());
    assert_eq!(keyed.asked()[1].operation, "Decrypt");
    keyed.disable().await;

    assert!(ask(ObjectAttributes::ObjectSize).await.is_ok());
    let message = format!("{} is disabled.", keyed.arn);
    let refusal_of_kms = refused(ask(ObjectAttributes::Checksum).await);
    assert_eq!(refusal_of_kms, says("KMS.DisabledException", 400, &message));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_so() {
    let (_server, client) = photos().await;

    let ask = client.get_object_attributes().bucket("other").key("key");
    let ask = ask.object_attributes(ObjectAttributes::Etag).send().await;

    assert_eq!(refusal(ask), is("NoSuchBucket", 404));
}
