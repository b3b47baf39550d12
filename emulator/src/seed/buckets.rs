//! Makes the buckets of a seed. One that is there stays, and gets what was never set on it.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::seed::client::{Home, InProcess};
use crate::seed::document::{BucketItem, EncryptionItem};
use crate::wire::xml::XmlWriter;

/// Makes a bucket as the seed says; a start that was cut short is made up for.
///
/// # Errors
///
/// One line: for a bucket that is there and lives elsewhere, and where S3 refuses.
pub(super) async fn make(client: InProcess<'_>, item: &BucketItem) -> Result<(), String> {
    let bucket = match client.bucket(&item.name.0) {
        Some(bucket) => check(item, bucket)?,
        None => create(client, item).await?,
    };
    let (home, path) = (Home::of(&bucket), format!("/{}", bucket.name));
    if let Some(versioning) = &item.versioning
        && bucket.versioning == Versioning::Unversioned
    {
        let document = render_versioning(versioning.0);
        client
            .put(&home, &path, "versioning", document.finish())
            .await?;
    }
    if let Some(encryption) = &item.encryption
        && !bucket.encryption.explicit
    {
        let document = render_encryption(encryption);
        client
            .put(&home, &path, "encryption", document.finish())
            .await?;
    }
    Ok(())
}

/// The bucket of a name, made where there is none.
///
/// # Errors
///
/// One line, where S3 refuses.
pub(super) async fn find_or_make(
    client: InProcess<'_>,
    name: &BucketName,
) -> Result<Bucket, String> {
    if let Some(bucket) = client.bucket(name) {
        return Ok(bucket);
    }
    client.make_bucket(&client.home(), name, []).await?;
    client.bucket(name).ok_or_else(|| gone(name))
}

async fn create(client: InProcess<'_>, item: &BucketItem) -> Result<Bucket, String> {
    let mut home = client.home();
    if let Some(account) = &item.account {
        home.account.clone_from(&account.0.0);
    }
    if let Some(region) = &item.region {
        home.region.clone_from(&region.0.0);
    }
    let name = &item.name.0;
    client.make_bucket(&home, name, &item.tags).await?;
    client.bucket(name).ok_or_else(|| gone(name))
}

fn check(item: &BucketItem, bucket: Bucket) -> Result<Bucket, String> {
    let name = &bucket.name;
    if let Some(region) = item.region.as_ref().map(|region| &region.0.0)
        && region != bucket.region()
    {
        let home = bucket.region();
        return Err(format!(
            "the bucket `{name}` is there already, in {home} and not in {region}"
        ));
    }
    if let Some(account) = item.account.as_ref().map(|account| &account.0.0)
        && *account != bucket.account
    {
        return Err(format!(
            "the bucket `{name}` is there already, of the account {} and not of {account}",
            bucket.account
        ));
    }
    Ok(bucket)
}

fn gone(name: &BucketName) -> String {
    format!("the bucket `{name}` was deleted as soon as it was made")
}

fn render_versioning(versioning: Versioning) -> XmlWriter {
    let mut xml = XmlWriter::document("VersioningConfiguration");
    let status = match versioning {
        Versioning::Unversioned => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    xml.maybe("Status", status);
    xml
}

fn render_encryption(item: &EncryptionItem) -> XmlWriter {
    let mut xml = XmlWriter::document("ServerSideEncryptionConfiguration");
    xml.nest("Rule", |xml| {
        xml.nest("ApplyServerSideEncryptionByDefault", |xml| {
            xml.element("SSEAlgorithm", item.algorithm.0.name());
            xml.maybe("KMSMasterKeyID", item.kms_key.as_deref());
        });
        xml.element("BucketKeyEnabled", item.bucket_key);
        if let Some(blocked) = &item.blocked {
            let kind = if blocked.is_empty() { "NONE" } else { "SSE-C" };
            xml.nest("BlockedEncryptionTypes", |xml| {
                xml.element("EncryptionType", kind);
            });
        }
    });
    xml
}
