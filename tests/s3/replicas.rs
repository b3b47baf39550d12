//! Objects under keys of many regions: S3 takes each of them for a key of its own, and any of their ciphertexts opens.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, ServerSideEncryption,
};
use strongroom_testkit::Strongroom;

use crate::sdk::{body_of, read, refusal, upload_under};

/// Buckets in two regions, a primary in one and its replica in the other.
struct Pair {
    server: Strongroom,
    home: Client,
    away: Client,
    home_kms: aws_sdk_kms::Client,
    away_kms: aws_sdk_kms::Client,
    id: String,
}

impl Pair {
    async fn start() -> Self {
        let server = Strongroom::builder().bucket("photos").start().await;
        let away = server.sdk_config().into_builder();
        let away = away.region(Region::new("eu-west-1")).build();
        let (home_kms, away_kms) = (server.kms_client(), aws_sdk_kms::Client::new(&away));
        let away = Client::new(&away);
        let place = BucketLocationConstraint::EuWest1;
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        let bucket = away.create_bucket().bucket("abroad");
        let bucket = bucket.create_bucket_configuration(place.build());
        bucket.send().await.unwrap();
        let made = home_kms.create_key().multi_region(true).send().await;
        let id = made.unwrap().key_metadata.unwrap().key_id;
        let replicate = home_kms.replicate_key().key_id(&id);
        replicate.replica_region("eu-west-1").send().await.unwrap();
        Self {
            home: server.s3_client(),
            server,
            away,
            home_kms,
            away_kms,
            id,
        }
    }

    fn arn(&self, region: &str) -> String {
        format!("arn:aws:kms:{region}:000000000000:key/{}", self.id)
    }

    /// Copies `photos/letter` abroad, under the replica.
    async fn copy_abroad(&self) -> Option<String> {
        let copy = self.away.copy_object().bucket("abroad").key("letter");
        let copy = copy.copy_source("photos/letter");
        let copy = copy.server_side_encryption(ServerSideEncryption::AwsKms);
        let copied = copy.ssekms_key_id(&self.id).send().await.unwrap();
        copied.ssekms_key_id
    }
}

#[tokio::test]
async fn a_copy_to_another_region_is_under_the_replica_there() {
    let pair = Pair::start().await;
    let put = upload_under(&pair.home, &pair.id, "letter", "dear")
        .send()
        .await;
    assert_eq!(put.unwrap().ssekms_key_id, Some(pair.arn("us-east-1")));

    assert_eq!(pair.copy_abroad().await, Some(pair.arn("eu-west-1")));

    let copied = body_of(read(&pair.away, "letter").bucket("abroad")).await;
    assert_eq!(copied, b"dear");
    let called = pair
        .server
        .kms_calls()
        .into_iter()
        .map(|call| (call.operation, call.key_arn));
    let called: Vec<_> = called.skip_while(|(name, _)| name != "Decrypt").collect();
    let expected = [
        ("Decrypt", "us-east-1"),
        ("GenerateDataKey", "eu-west-1"),
        ("Decrypt", "eu-west-1"),
    ];
    let expected = expected.map(|(name, region)| (name.to_owned(), Some(pair.arn(region))));
    assert_eq!(called, expected);
}

#[tokio::test]
async fn every_object_in_every_region_opens_after_the_primary_turned() {
    let pair = Pair::start().await;
    upload_under(&pair.home, &pair.id, "letter", "dear")
        .send()
        .await
        .unwrap();
    pair.copy_abroad().await;

    let rotate = pair.home_kms.rotate_key_on_demand().key_id(&pair.id);
    rotate.send().await.unwrap();

    assert_eq!(body_of(read(&pair.home, "letter")).await, b"dear");
    let copied = body_of(read(&pair.away, "letter").bucket("abroad")).await;
    assert_eq!(copied, b"dear");
}

#[tokio::test]
async fn a_disabled_replica_closes_its_own_objects_alone() {
    let pair = Pair::start().await;
    upload_under(&pair.home, &pair.id, "letter", "dear")
        .send()
        .await
        .unwrap();
    pair.copy_abroad().await;

    let disable = pair.away_kms.disable_key().key_id(&pair.id);
    disable.send().await.unwrap();

    assert_eq!(body_of(read(&pair.home, "letter")).await, b"dear");
    let refused = refusal(read(&pair.away, "letter").bucket("abroad").send().await);
    assert_eq!(refused.0, "KMS.DisabledException");
}
