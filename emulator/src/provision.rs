//! What a server is told to have before it is ready: buckets, KMS keys and seeds, made as any client would make them.

use serde_json::json;

use crate::config::Config;
use crate::kms::alias_name;
use crate::kms::service::KmsService;
use crate::model::bucket_name::BucketName;
use crate::running::StartError;
use crate::s3::service::S3Service;
use crate::seed::client::InProcess;
use crate::seed::load::{self, Source};

/// Makes everything that the settings name: the buckets of `--bucket`, the keys of `--kms-key`, then `--init` and each
/// `--seed`. What is there already stays, so that this is done at each start, and again after a reset.
///
/// # Errors
///
/// [`StartError`] for what cannot be read, cannot be called so, or cannot be made.
pub(crate) async fn everything(
    config: &Config,
    seeds: &[Source],
    (s3, kms): (&S3Service, &KmsService),
) -> Result<(), StartError> {
    let client = InProcess { config, s3, kms };
    buckets(client).await?;
    kms_keys(client).await?;
    load::all(client, seeds).await.map_err(StartError::of)?;
    // What objects of a seed asked of KMS is no client's.
    kms.calls.clear();
    Ok(())
}

async fn buckets(client: InProcess<'_>) -> Result<(), StartError> {
    for name in &client.config.buckets {
        let bucket = BucketName::parse(name)
            .map_err(|error| StartError(format!("bucket `{name}`: {error}")))?;
        if client.bucket(&bucket).is_some() {
            continue;
        }
        let made = client.make_bucket(&client.home(), &bucket, []).await;
        made.map_err(|error| StartError(format!("cannot make the bucket `{name}`: {error}")))?;
    }
    Ok(())
}

async fn kms_keys(client: InProcess<'_>) -> Result<(), StartError> {
    let home = client.home();
    for alias in &client.config.kms_keys {
        let failed =
            |error: String| StartError(format!("cannot make the KMS key `{alias}`: {error}"));
        // Before the key is made, which would be left without its name.
        alias_name::check(alias).map_err(|error| failed(error.to_string()))?;
        let call = async |operation, body| client.kms(&home, operation, &body).await;
        if call("DescribeKey", json!({ "KeyId": alias })).await.is_ok() {
            continue;
        }
        let made = call("CreateKey", json!({})).await.map_err(failed)?;
        let named = json!({ "AliasName": alias, "TargetKeyId": made["KeyMetadata"]["KeyId"] });
        call("CreateAlias", named).await.map_err(failed)?;
    }
    Ok(())
}
