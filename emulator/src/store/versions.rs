//! Object versions: written, found, opened, deleted.
//!
//! What must be atomic is decided in here: that the bucket is still there, and that a condition still holds.

use std::io;
use std::path::PathBuf;

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::object::{Blob, BlobPlace, ObjectVersion, VersionContent, VersionId};
use crate::model::object_key::ObjectKey;
use crate::store::blobs::{self, BlobReader, StagedBlob, StagedContent};
use crate::store::catalogue::{Reader, Transaction};
use crate::store::error::{FailedCondition, StoreError};
use crate::store::handle::Store;
use crate::store::keys;

/// What has to be true for a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    /// Nothing.
    #[default]
    None,
    /// `If-None-Match: *`.
    IfAbsent,
    /// `If-Match`, with the tags that it names.
    IfMatch(String),
}

/// What has to be true for a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeleteCondition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match`, with the tags that it names, or `*`.
    IfMatch(String),
}

/// A version that is to be written.
#[derive(Debug)]
pub(crate) struct NewVersion {
    /// Under which key.
    pub(crate) key: ObjectKey,
    /// What its writer says of it.
    pub(crate) content: VersionContent,
    /// Its sealed body.
    pub(crate) blob: StagedBlob,
    /// What has to be true.
    pub(crate) condition: WriteCondition,
}

impl Store {
    /// Writes a version over a sealed body. Its blob is in place before its row is, and goes if the row does not come.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`], [`StoreError::ConditionFailed`], [`StoreError::NoSuchKey`] for `If-Match` on a key that
    /// is not there.
    pub(crate) async fn put_version(
        &self,
        bucket: &BucketName,
        new: NewVersion,
    ) -> Result<ObjectVersion, StoreError> {
        let NewVersion {
            key,
            content,
            blob: staged,
            condition,
        } = new;
        let version = ObjectVersion {
            key,
            version_id: VersionId::Null,
            last_modified: self.clock.now().to_seconds(),
            content,
            blob: staged.blob(),
        };
        let mut staged = self.publish(staged).await?;
        let written = self
            .catalogue
            .transact(|transaction| {
                let replaced = find_for_write(transaction, bucket, &version.key)?;
                condition.check(replaced.as_ref(), &version.key)?;
                if let Some(replaced) = &replaced {
                    forget_body(transaction, &replaced.blob);
                }
                if let StagedContent::Small(sealed) = &staged.content {
                    transaction.put_body(&staged.id.0, sealed);
                }
                transaction.put(keys::object(bucket, version.key.as_str()), &version)?;
                Ok(replaced)
            })
            .await;
        match written {
            Ok(replaced) => {
                self.discard(replaced.map(|replaced| replaced.blob)).await;
                Ok(version)
            }
            Err(error) => {
                staged.retract();
                Err(error)
            }
        }
    }

    /// Moves a staged file to its place; on a thread for blocking work if that syncs.
    async fn publish(&self, mut staged: StagedBlob) -> Result<StagedBlob, StoreError> {
        if !self.is_durable || matches!(staged.content, StagedContent::Small(_)) {
            staged.publish(&self.folder, false)?;
            return Ok(staged);
        }
        let folder = std::sync::Arc::clone(&self.folder);
        let job =
            tokio::task::spawn_blocking(move || staged.publish(&folder, true).map(|()| staged));
        job.await.map_err(StoreError::catalogue)?
    }

    /// Removes the file of a body that no row names any more.
    async fn discard(&self, blob: Option<Blob>) {
        let Some(blob) = blob.filter(|blob| blob.place == BlobPlace::File) else {
            return;
        };
        let folder = std::sync::Arc::clone(&self.folder);
        tokio::task::spawn_blocking(move || blobs::discard(&folder, &blob))
            .await
            .ok();
    }

    /// The current version of a key.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchKey`].
    pub(crate) fn version(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
    ) -> Result<ObjectVersion, StoreError> {
        find(&self.catalogue.read()?, bucket, key)
    }

    /// The current version of a key and its body.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchKey`]; [`StoreError::Io`] or [`StoreError::Corrupted`] where the body is gone.
    pub(crate) fn open_version(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
    ) -> Result<(ObjectVersion, BlobReader), StoreError> {
        loop {
            let reader = self.catalogue.read()?;
            let version = find(&reader, bucket, key)?;
            let error = match self.open_body(&reader, &version.blob) {
                Ok(body) => return Ok((version, body)),
                Err(error) => error,
            };
            // Between row and file another writer may have replaced both; if the row is the same, the file is lost.
            if find(&self.catalogue.read()?, bucket, key)?.blob.id == version.blob.id {
                return Err(error);
            }
        }
    }

    fn open_body(&self, reader: &Reader, blob: &Blob) -> Result<BlobReader, StoreError> {
        let name = PathBuf::from(blob.id.to_string());
        match blob.place {
            BlobPlace::Catalogue => match reader.body(&blob.id.0)? {
                Some(sealed) => Ok(BlobReader::small(blob.id, sealed)),
                None => Err(StoreError::io("find blob", &name)(
                    io::ErrorKind::NotFound.into(),
                )),
            },
            BlobPlace::File => {
                BlobReader::open(&self.folder, blob.id).map_err(StoreError::io("open blob", &name))
            }
        }
    }

    /// Deletes a key, if it is there.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`], [`StoreError::ConditionFailed`].
    pub(crate) async fn delete(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        condition: &DeleteCondition,
    ) -> Result<(), StoreError> {
        let deleted = self
            .catalogue
            .transact(|transaction| remove(transaction, bucket, key, condition))
            .await?;
        self.discard(deleted).await;
        Ok(())
    }

    /// Deletes many keys in one commit, each with an outcome of its own, in the order of the keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`] for all of them.
    pub(crate) async fn delete_many(
        &self,
        bucket: &BucketName,
        keys: Vec<(ObjectKey, DeleteCondition)>,
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let outcomes = self
            .catalogue
            .transact(|transaction| {
                require_bucket(transaction, bucket)?;
                let each = keys
                    .iter()
                    .map(|(key, condition)| remove(transaction, bucket, key, condition));
                Ok(each.collect::<Vec<_>>())
            })
            .await?;
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            match outcome {
                Ok(blob) => {
                    self.discard(blob).await;
                    answers.push(Ok(()));
                }
                Err(error) => answers.push(Err(error)),
            }
        }
        Ok(answers)
    }
}

impl WriteCondition {
    fn check(&self, existing: Option<&ObjectVersion>, key: &ObjectKey) -> Result<(), StoreError> {
        match (self, existing) {
            (Self::IfAbsent, Some(_)) => Err(StoreError::ConditionFailed(FailedCondition::Absent)),
            (Self::IfMatch(_), None) => Err(StoreError::NoSuchKey(key.clone())),
            (Self::IfMatch(tags), Some(existing)) if !existing.content.etag.is_named_by(tags) => {
                Err(StoreError::ConditionFailed(FailedCondition::Match))
            }
            _ => Ok(()),
        }
    }
}

fn find(
    reader: &Reader,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<ObjectVersion, StoreError> {
    let found = reader.get(&keys::object(bucket, key.as_str()))?;
    found.ok_or_else(|| StoreError::NoSuchKey(key.clone()))
}

fn require_bucket(transaction: &mut Transaction, bucket: &BucketName) -> Result<(), StoreError> {
    let found = transaction.get::<Bucket>(&keys::bucket(bucket))?;
    found
        .map(drop)
        .ok_or_else(|| StoreError::NoSuchBucket(bucket.clone()))
}

/// What a write replaces, in a bucket that has to be there still at the commit.
fn find_for_write(
    transaction: &mut Transaction,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Option<ObjectVersion>, StoreError> {
    require_bucket(transaction, bucket)?;
    transaction.get(&keys::object(bucket, key.as_str()))
}

fn forget_body(transaction: &mut Transaction, blob: &Blob) {
    if blob.place == BlobPlace::Catalogue {
        transaction.delete_body(&blob.id.0);
    }
}

/// Removes the row of a key; gives the blob that it named.
fn remove(
    transaction: &mut Transaction,
    bucket: &BucketName,
    key: &ObjectKey,
    condition: &DeleteCondition,
) -> Result<Option<Blob>, StoreError> {
    let existing = find_for_write(transaction, bucket, key)?;
    if let (DeleteCondition::IfMatch(tags), Some(existing)) = (condition, &existing)
        && !existing.content.etag.is_named_by(tags)
    {
        return Err(StoreError::ConditionFailed(FailedCondition::Match));
    }
    let Some(existing) = existing else {
        return Ok(None);
    };
    forget_body(transaction, &existing.blob);
    transaction.delete(keys::object(bucket, key.as_str()));
    Ok(Some(existing.blob))
}
