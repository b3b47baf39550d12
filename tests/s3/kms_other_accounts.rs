//! Objects under a key of another account, which the key's policy lets in.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>; the words
//! are from refusals quoted in public.

use aws_sdk_kms::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use serde_json::json;

use crate::keyed::Keyed;
use crate::sdk::{client_of, copy, get, read, refused, says, upload_under};

const OTHER: &str = "111122223333";
const ELSEWHERE: &str = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";

/// A server, and a key of the other account, which lets these accounts in; its owner and its ARN.
async fn lent(accounts: &[&str]) -> (Keyed, aws_sdk_kms::Client, String) {
    let keyed = Keyed::start().await;
    let credentials = Credentials::new(OTHER, OTHER, None, None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    let config = keyed.server.sdk_config().into_builder();
    let owner = aws_sdk_kms::Client::new(&config.credentials_provider(provider).build());
    let made = owner.create_key().send().await.unwrap();
    let arn = made.key_metadata.unwrap().arn.unwrap();
    let alias = owner.create_alias().alias_name("alias/lent");
    alias.target_key_id(&arn).send().await.unwrap();
    let_in(&owner, &arn, accounts).await;
    (keyed, owner, arn)
}

async fn let_in(owner: &aws_sdk_kms::Client, arn: &str, accounts: &[&str]) {
    let policy = json!({ "Statement": { "Effect": "Allow", "Principal": { "AWS": accounts },
        "Action": "kms:*", "Resource": "*" } });
    let put = owner.put_key_policy().key_id(arn);
    put.policy(policy.to_string()).send().await.unwrap();
}

fn foreign(action: &str) -> (String, u16, String) {
    let message = format!(
        "User: arn:aws:iam::000000000000:root is not authorized to perform: {action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
    );
    says("AccessDenied", 403, &message)
}

#[tokio::test]
async fn an_object_is_written_read_and_copied_under_it() {
    let (keyed, _owner, arn) = lent(&[OTHER, "000000000000"]).await;
    let alias = format!("arn:aws:kms:us-east-1:{OTHER}:alias/lent");
    for name in [&arn, &alias] {
        let put = upload_under(&keyed.s3, name, "key", "x").send().await;
        assert_eq!(put.unwrap().ssekms_key_id(), Some(arn.as_str()));
        assert_eq!(get(&keyed.s3, "key").await, b"x");
    }

    let copied = copy(&keyed.s3, "key", "copy")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(&arn);
    let copied = copied.send().await.unwrap();

    assert_eq!(copied.ssekms_key_id(), Some(arn.as_str()));
    assert_eq!(get(&keyed.s3, "copy").await, b"x");
}

#[tokio::test]
async fn an_upload_of_parts_goes_under_it() {
    let (keyed, _owner, arn) = lent(&[OTHER, "000000000000"]).await;
    let create = keyed
        .s3
        .create_multipart_upload()
        .bucket("photos")
        .key("parts");
    let create = create.server_side_encryption(ServerSideEncryption::AwsKms);
    let begun = create.ssekms_key_id(&arn).send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = keyed.s3.upload_part().bucket("photos").key("parts");
    let part = part.upload_id(id).part_number(1);
    let part = part.body(ByteStream::from_static(b"x")).send().await;

    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.unwrap().e_tag)
        .build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = keyed.s3.complete_multipart_upload().bucket("photos");
    let complete = complete.key("parts").upload_id(id).multipart_upload(parts);
    complete.send().await.unwrap();

    assert_eq!(get(&keyed.s3, "parts").await, b"x");
}

#[tokio::test]
async fn whom_its_policy_lets_out_neither_writes_nor_reads() {
    let (keyed, owner, arn) = lent(&[OTHER, "000000000000"]).await;
    let upload = |key: &'static str| upload_under(&keyed.s3, &arn, key, "x").send();
    upload("key").await.unwrap();
    let_in(&owner, &arn, &[OTHER]).await;

    let written = refused(upload("new").await);
    let create = keyed
        .s3
        .create_multipart_upload()
        .bucket("photos")
        .key("parts");
    let create = create.server_side_encryption(ServerSideEncryption::AwsKms);
    let begun = refused(create.ssekms_key_id(&arn).send().await);
    let got = refused(read(&keyed.s3, "key").send().await);
    let copied = refused(copy(&keyed.s3, "key", "copy").send().await);

    let writing = foreign("kms:GenerateDataKey");
    assert_eq!((written, begun), (writing.clone(), writing));
    let reading = says("AccessDenied", 403, ELSEWHERE);
    assert_eq!((got, copied), (reading.clone(), reading));
}

#[tokio::test]
async fn aws_s3_of_another_account_works_for_nobody_else() {
    let (keyed, owner, _arn) = lent(&[OTHER]).await;
    let alias = format!("arn:aws:kms:us-east-1:{OTHER}:alias/aws/s3");
    let unmade = refused(upload_under(&keyed.s3, &alias, "key", "x").send().await);
    let aliases = owner.list_aliases().send().await.unwrap();
    let own = aliases
        .aliases()
        .iter()
        .find(|alias| alias.alias_name() == Some("alias/aws/s3"));
    assert_eq!(own.unwrap().target_key_id(), None, "no stranger makes it");

    let guest = client_of(&keyed.server, OTHER, OTHER);
    guest.create_bucket().bucket("theirs").send().await.unwrap();
    let put = guest.put_object().bucket("theirs").key("key");
    let put = put
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .send();
    let arn = put.await.unwrap().ssekms_key_id.unwrap();
    let by_alias = refused(upload_under(&keyed.s3, &alias, "key", "x").send().await);
    let by_arn = refused(upload_under(&keyed.s3, &arn, "key", "x").send().await);

    let writing = foreign("kms:GenerateDataKey");
    assert_eq!(
        [unmade, by_alias, by_arn],
        [(); 3].map(|()| writing.clone())
    );
}
