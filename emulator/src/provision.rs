//! What a server is told to have at its start: buckets and KMS keys, made as any client would make them.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::json;

use crate::auth::authenticator::Identified;
use crate::auth::identity::{Caller, Identity};
use crate::auth::payload::PayloadSigning;
use crate::config::Config;
use crate::kms::alias_name;
use crate::kms::service::KmsService;
use crate::model::bucket_name::BucketName;
use crate::running::StartError;
use crate::s3::service::S3Service;
use crate::wire::request::Request;
use crate::wire::xml::XmlWriter;

/// Makes all of it; what is there already stays.
///
/// # Errors
///
/// [`StartError`] for a name that cannot be, and for what cannot be made.
pub(crate) async fn everything(
    config: &Config,
    s3: &S3Service,
    kms: &KmsService,
) -> Result<(), StartError> {
    buckets(config, s3).await?;
    kms_keys(config, kms).await
}

/// Makes the buckets of `--bucket` in `--region` as any client would; one that is there already stays.
///
/// # Errors
///
/// [`StartError`] for a name that no bucket can have, and where it cannot be made.
async fn buckets(config: &Config, s3: &S3Service) -> Result<(), StartError> {
    for name in &config.buckets {
        let bucket = BucketName::parse(name)
            .map_err(|error| StartError(format!("bucket `{name}`: {error}")))?;
        if s3.has_bucket(&bucket) {
            continue;
        }
        let mut request = Request::new(Method::PUT, &format!("/{bucket}"), "");
        request.body = location(&config.region).into();
        let caller = asking_root(config, &config.region);
        let response = s3.respond_to(Some(caller), request).await;
        if !response.status.is_success() {
            return Err(StartError(format!(
                "cannot make the bucket `{name}`: {}",
                response.status
            )));
        }
    }
    Ok(())
}

/// What `CreateBucket` is told, so that a bucket lives in this region.
fn location(region: &str) -> Bytes {
    if region == "us-east-1" {
        return Bytes::new();
    }
    let mut xml = XmlWriter::document("CreateBucketConfiguration");
    xml.element("LocationConstraint", region);
    xml.finish()
}

/// Makes the keys of `--kms-key` and their aliases as any client would; an alias that is there already stays.
///
/// # Errors
///
/// [`StartError`] for a name that no alias can have, and where key or alias cannot be made.
async fn kms_keys(config: &Config, kms: &KmsService) -> Result<(), StartError> {
    for alias in &config.kms_keys {
        let failed =
            |error: String| StartError(format!("cannot make the KMS key `{alias}`: {error}"));
        // Before the key is made, which would be left without its name.
        alias_name::check(alias).map_err(|error| failed(error.to_string()))?;
        let call = async |operation, body| {
            let caller = asking_root(config, &config.region);
            kms.call(caller, operation, &body).await
        };
        if call("DescribeKey", json!({ "KeyId": alias })).await.is_ok() {
            continue;
        }
        let made = call("CreateKey", json!({})).await.map_err(failed)?;
        let named = json!({ "AliasName": alias, "TargetKeyId": made["KeyMetadata"]["KeyId"] });
        call("CreateAlias", named).await.map_err(failed)?;
    }
    Ok(())
}

/// The root, who asks in process and need not sign.
fn asking_root(config: &Config, region: &str) -> Identified {
    Identified {
        caller: Caller::Known(Arc::new(root(config))),
        region: region.to_owned(),
        payload: PayloadSigning::Unsigned,
        is_version_4: true,
    }
}

/// The root of the default account.
pub(crate) fn root(config: &Config) -> Identity {
    Identity::root(
        &config.account,
        &config.access_key,
        config.secret_key.expose(),
    )
}
