//! Buckets: made, found, listed, removed; and where they live.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag};
use strongroom_testkit::Strongroom;

use crate::sdk::{is, photos, put, refusal};

#[tokio::test]
async fn buckets_are_listed_in_the_order_of_their_names() {
    let server = Strongroom::start().await;
    let client = server.s3_client();
    for name in ["zebra", "ant", "mole"] {
        client.create_bucket().bucket(name).send().await.unwrap();
    }

    let listed = client.list_buckets().send().await.unwrap();

    let names: Vec<_> = listed
        .buckets()
        .iter()
        .filter_map(|bucket| bucket.name())
        .collect();
    assert_eq!(names, ["ant", "mole", "zebra"]);
}

#[tokio::test]
async fn pages_of_buckets_join_to_all() {
    let server = Strongroom::builder()
        .bucket("aaa")
        .bucket("bbb")
        .bucket("ccc")
        .start()
        .await;
    let client = server.s3_client();
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let page = client
            .list_buckets()
            .max_buckets(2)
            .set_continuation_token(token)
            .send()
            .await
            .unwrap();
        names.extend(
            page.buckets()
                .iter()
                .filter_map(|bucket| bucket.name().map(str::to_owned)),
        );
        token = page.continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }

    assert_eq!(names, ["aaa", "bbb", "ccc"]);
}

#[tokio::test]
async fn a_bucket_lives_where_its_constraint_says() {
    let server = Strongroom::builder()
        .config(|config| "eu-west-1".clone_into(&mut config.region))
        .start()
        .await;
    let client = server.s3_client();
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();

    client
        .create_bucket()
        .bucket("abroad")
        .create_bucket_configuration(place)
        .send()
        .await
        .unwrap();

    let location = client
        .get_bucket_location()
        .bucket("abroad")
        .send()
        .await
        .unwrap();
    assert_eq!(
        location.location_constraint(),
        Some(&BucketLocationConstraint::EuWest1)
    );
    let head = client.head_bucket().bucket("abroad").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
    let unplaced = client.create_bucket().bucket("nowhere").send().await;
    assert_eq!(
        refusal(unplaced),
        is("IllegalLocationConstraintException", 400)
    );
}

#[tokio::test]
async fn making_a_bucket_again_is_forgiven_in_the_first_region() {
    let (_server, client) = photos().await;

    assert!(client.create_bucket().bucket("photos").send().await.is_ok());
}

#[tokio::test]
async fn a_bucket_of_another_account_is_taken() {
    let server = Strongroom::builder().bucket("photos").start().await;
    let config = server.sdk_config().into_builder();
    let foreign =
        aws_sdk_s3::config::Credentials::new("111122223333", "111122223333", None, None, "test");
    let config = config
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(foreign))
        .build();
    let stranger = aws_sdk_s3::Client::new(&config);

    assert_eq!(
        refusal(stranger.create_bucket().bucket("photos").send().await),
        is("BucketAlreadyExists", 409)
    );
    assert_eq!(
        refusal(stranger.list_objects_v2().bucket("photos").send().await),
        is("AccessDenied", 403)
    );
}

#[tokio::test]
async fn a_bucket_with_objects_is_not_deleted() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;

    let refused = client.delete_bucket().bucket("photos").send().await;
    client
        .delete_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap();

    assert_eq!(refusal(refused), is("BucketNotEmpty", 409));
    client
        .delete_bucket()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    assert_eq!(
        refusal(client.head_bucket().bucket("photos").send().await).1,
        404
    );
}

#[tokio::test]
async fn an_absent_bucket_is_no_such_bucket() {
    let (_server, client) = photos().await;

    let listed = client.list_objects_v2().bucket("nothing").send().await;
    let deleted = client.delete_bucket().bucket("nothing").send().await;

    assert_eq!(refusal(listed), is("NoSuchBucket", 404));
    assert_eq!(refusal(deleted), is("NoSuchBucket", 404));
}

/// Source: answers recorded from AWS in February 2026.
#[tokio::test]
async fn the_tags_of_its_creation_stay_with_a_bucket() {
    let (_server, client) = photos().await;
    let tag = Tag::builder().key("tag1").value("value1").build().unwrap();
    let tagged = CreateBucketConfiguration::builder().tags(tag.clone());
    let create = client.create_bucket().bucket("tagged");
    let create = create.create_bucket_configuration(tagged.build());
    create.send().await.unwrap();
    let again = client.create_bucket().bucket("tagged");
    again.send().await.unwrap();

    let tags = client.get_bucket_tagging().bucket("tagged").send().await;
    let none = client.get_bucket_tagging().bucket("photos").send().await;

    assert_eq!(tags.unwrap().tag_set, [tag]);
    assert_eq!(refusal(none), is("NoSuchTagSet", 404));
}
