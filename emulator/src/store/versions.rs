//! Versions: write, find, open, delete. Conditions are decided inside the transaction: nobody slips in between.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::model::object::{
    AnyVersion, DeleteMarker, ObjectVersion, StoredBody, VersionContent, VersionId,
};
use crate::model::object_key::ObjectKey;
use crate::store::buckets::bucket_in;
use crate::store::catalogue::{Transaction, View};
use crate::store::error::{FailedCondition, StoreError};
use crate::store::handle::Store;
use crate::store::history::{self, Coming};
use crate::store::keys;
use crate::store::open_body::{Found, OpenBody, OpenParts};
use crate::store::staging::StagedBlob;

/// On what condition a version is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    /// Always.
    #[default]
    None,
    /// `If-None-Match: *`: the key has no current version.
    IfAbsent,
    /// `If-Match`: the current version has one of these entity tags.
    IfMatch(String),
}

/// On what condition a key is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeleteCondition {
    /// Always.
    #[default]
    None,
    /// `If-Match`: the current version has one of these entity tags; `*` is any.
    IfMatch(String),
}

/// A version that is about to be written.
#[derive(Debug)]
pub(crate) struct NewVersion {
    /// What its writer says of it.
    pub(crate) content: VersionContent,
    /// Its sealed body.
    pub(crate) body: StagedBlob,
    /// On what condition.
    pub(crate) condition: WriteCondition,
}

/// Which version is deleted, or which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// The key.
    pub(crate) key: ObjectKey,
    /// The version that goes for good; where none is named, a versioned bucket keeps them all behind a delete marker.
    pub(crate) version_id: Option<VersionId>,
    /// On what condition.
    pub(crate) condition: DeleteCondition,
    /// The canonical id of who deletes it.
    pub(crate) owner_id: String,
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// The key's one version is gone, or there was none: the bucket is not versioned.
    Key,
    /// A delete marker with this id is the newest version now.
    Marked(VersionId),
    /// The version that was named is gone.
    Version(VersionId),
    /// The delete marker that was named is gone.
    Marker(VersionId),
    /// There is no version of this name.
    Nothing(VersionId),
}

impl Store {
    /// Writes a version: in place of the one that the key had, or before all that it has, as the bucket's versioning says.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`; `ConditionFailed`; `NoSuchKey` for `IfMatch` on a key without a version; `Io`, `Corrupted`.
    pub(crate) async fn put_version(
        &self,
        bucket: &BucketName,
        key: ObjectKey,
        new: NewVersion,
    ) -> Result<ObjectVersion, StoreError> {
        let (blob, body, coming) = (new.body.blob(), new.body.body(), self.coming());
        let work = |tx: &mut Transaction| {
            let bucket = tx.bucket(bucket)?;
            let current = tx.current(&bucket, &key)?;
            new.condition.check(&key, current.as_ref())?;
            let (version_id, place) = tx.supersede(&bucket, &key, current, coming)?;
            if let Some(body) = &body {
                tx.put_body(blob.id, body.clone());
            }
            let version = ObjectVersion {
                key: key.clone(),
                version_id,
                place,
                last_modified: coming.now.to_seconds(),
                content: new.content.clone(),
                body: StoredBody::Blob(blob),
            };
            tx.put(keys::version(&bucket.name, &key), &version)?;
            Ok(version)
        };
        self.catalogue().transact(Some(new.body), work).await
    }

    /// A version of a key: the current one, unless one is named.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `NoSuchKey`, `Deleted`, `NoSuchVersion`, `IsMarker`, `Io`, `Corrupted`.
    pub(crate) fn version(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: Option<VersionId>,
    ) -> Result<ObjectVersion, StoreError> {
        version_in(&self.view()?, bucket, key, id)
    }

    /// A version of a key, and its body.
    ///
    /// # Errors
    ///
    /// As [`Store::version`]; `BrokenBlob`.
    pub(crate) fn open_version(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: Option<VersionId>,
    ) -> Result<(ObjectVersion, OpenBody), StoreError> {
        self.open_found(|view| version_in(view, bucket, key, id))
    }

    /// A version of a key, and its parts, where it came in parts.
    ///
    /// # Errors
    ///
    /// As [`Store::version`].
    pub(crate) fn version_in_parts(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: Option<VersionId>,
    ) -> Result<(ObjectVersion, Option<OpenParts>), StoreError> {
        let (version, found) = self.pin_found(&|view| version_in(view, bucket, key, id))?;
        match found {
            Found::Blob(..) => Ok((version, None)),
            Found::Parts(parts) => Ok((version, Some(parts))),
        }
    }

    /// Deletes a version, or puts a delete marker on top of a key.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `ConditionFailed`, `Io`, `Corrupted`.
    pub(crate) async fn delete(
        &self,
        bucket: &BucketName,
        deletion: &Deletion,
    ) -> Result<Deleted, StoreError> {
        let coming = self.coming();
        let work = |tx: &mut Transaction| {
            let bucket = tx.bucket(bucket)?;
            tx.delete(&bucket, deletion, coming)
        };
        self.catalogue().transact(None, work).await
    }

    /// Deletes many in one commit; each has an outcome of its own, in the order in which they were named.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`: then nothing is deleted. Of each one: `ConditionFailed`.
    pub(crate) async fn delete_many(
        &self,
        bucket: &BucketName,
        deletions: &[Deletion],
    ) -> Result<Vec<Result<Deleted, StoreError>>, StoreError> {
        // Each its own: two keys that were first deleted at once share their place.
        let coming: Vec<_> = deletions.iter().map(|_| self.coming()).collect();
        let work = |tx: &mut Transaction| {
            let bucket = tx.bucket(bucket)?;
            let delete = |(deletion, coming): (&_, &_)| match tx.delete(&bucket, deletion, *coming)
            {
                Err(StoreError::ConditionFailed(failed)) => {
                    Ok(Err(StoreError::ConditionFailed(failed)))
                }
                other => other.map(Ok),
            };
            deletions.iter().zip(&coming).map(delete).collect()
        };
        self.catalogue().transact(None, work).await
    }

    pub(super) fn coming(&self) -> Coming {
        Coming {
            random: self.entropy().bytes(),
            now: self.clock().now(),
        }
    }
}

impl Transaction {
    fn delete(
        &mut self,
        bucket: &Bucket,
        deletion: &Deletion,
        coming: Coming,
    ) -> Result<Deleted, StoreError> {
        let (key, condition) = (&deletion.key, &deletion.condition);
        if let Some(id) = deletion.version_id {
            let check = |version: Option<&ObjectVersion>| condition.check(version);
            let removed = self.remove_version(bucket, key, id, check)?;
            return Ok(match removed {
                Some(AnyVersion::Object(_)) => Deleted::Version(id),
                Some(AnyVersion::Marker(_)) => Deleted::Marker(id),
                None => Deleted::Nothing(id),
            });
        }
        let current = self.current(bucket, key)?;
        condition.check(current.as_ref())?;
        let (version_id, place) = self.supersede(bucket, key, current, coming)?;
        if bucket.versioning == Versioning::Unversioned {
            return Ok(Deleted::Key);
        }
        let marker = DeleteMarker {
            key: key.clone(),
            version_id,
            place,
            last_modified: coming.now.to_seconds(),
            owner_id: deletion.owner_id.clone(),
        };
        self.mark_deleted(bucket, marker)?;
        Ok(Deleted::Marked(version_id))
    }
}

impl WriteCondition {
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    pub(super) fn check(
        &self,
        key: &ObjectKey,
        current: Option<&ObjectVersion>,
    ) -> Result<(), StoreError> {
        match (self, current) {
            (Self::IfAbsent, Some(_)) => Err(StoreError::ConditionFailed(FailedCondition::Absent)),
            (Self::IfMatch(_), None) => Err(StoreError::NoSuchKey(key.clone())),
            (Self::IfMatch(tags), Some(version)) => check_tag(tags, version),
            (Self::None, _) | (Self::IfAbsent, None) => Ok(()),
        }
    }
}

impl DeleteCondition {
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    fn check(&self, current: Option<&ObjectVersion>) -> Result<(), StoreError> {
        match (self, current) {
            (Self::None, _) => Ok(()),
            (Self::IfMatch(tags), Some(version)) => check_tag(tags, version),
            // AWS: unverified
            (Self::IfMatch(_), None) => Err(StoreError::ConditionFailed(FailedCondition::Match)),
        }
    }
}

fn check_tag(condition: &str, version: &ObjectVersion) -> Result<(), StoreError> {
    if version.content.etag.is_named_by(condition) {
        Ok(())
    } else {
        Err(StoreError::ConditionFailed(FailedCondition::Match))
    }
}

fn version_in(
    view: &View,
    bucket: &BucketName,
    key: &ObjectKey,
    id: Option<VersionId>,
) -> Result<ObjectVersion, StoreError> {
    let current: Option<ObjectVersion> = view.get(&keys::version(bucket, key))?;
    let is_wanted = |current: &ObjectVersion| id.is_none_or(|id| id == current.version_id);
    if let Some(current) = current.filter(is_wanted) {
        return Ok(current);
    }
    let is_versioned = bucket_in(view, bucket)?.versioning != Versioning::Unversioned;
    let Some(id) = id else {
        let marker = is_versioned.then(|| history::marker_in(view, bucket, key));
        return Err(match marker.transpose()?.flatten() {
            Some(marker) => StoreError::Deleted(Box::new(marker)),
            None => StoreError::NoSuchKey(key.clone()),
        });
    };
    match history::past_in(view, bucket, key, id)? {
        Some(AnyVersion::Object(version)) => Ok(*version),
        Some(AnyVersion::Marker(marker)) => Err(StoreError::IsMarker(Box::new(marker))),
        None => Err(StoreError::NoSuchVersion(key.clone(), id)),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::fixtures::{
        LARGE, blob_files, bucket, deletion, durable, ephemeral, etag, key, name, new_version,
        photos, put, read, with_photos,
    };

    #[tokio::test]
    async fn odd_keys_are_keys_and_never_paths() {
        let store = with_photos().await;
        let long = "ü".repeat(512);
        let odd = ["../../x", "a//b", ".", "%2F", "\n", "\0", "\0\0", &long];
        for at in odd {
            put(&store, at, at.as_bytes()).await.unwrap();
        }

        for at in odd {
            assert_eq!(read(&store, at).unwrap(), at.as_bytes());
        }
        assert_eq!(std::fs::read_dir(store.path()).unwrap().count(), 3);
    }

    #[tokio::test]
    async fn a_version_replaces_the_one_before_it_and_removes_its_blob() {
        let store = with_photos().await;
        put(&store, "a", &LARGE).await.unwrap();
        put(&store, "a", &[1; 5_000]).await.unwrap();
        assert_eq!(blob_files(store.path()).len(), 1);

        let last = put(&store, "a", b"small").await.unwrap();

        assert_eq!(blob_files(store.path()).len(), 0);
        assert_eq!(store.version(&photos(), &key("a"), None).unwrap(), last);
        assert_eq!(read(&store, "a").unwrap(), b"small");
    }

    #[tokio::test]
    async fn a_small_body_goes_with_its_version() {
        let store = with_photos().await;
        let version = put(&store, "a", b"small").await.unwrap();

        store.delete(&photos(), &deletion("a")).await.unwrap();

        let blob = version.body.blob().unwrap();
        assert_eq!(store.view().unwrap().body(blob.id).unwrap(), None);
    }

    #[tokio::test]
    async fn a_missing_bucket_and_a_missing_key_are_told_apart() {
        let store = with_photos().await;

        let no_key = store.version(&photos(), &key("a"), None);
        let no_bucket = store.version(&name("other"), &key("a"), None);
        let new = new_version(&store, &LARGE, WriteCondition::None);
        let unwritten = store.put_version(&name("other"), key("a"), new).await;

        assert!(
            matches!(no_key, Err(StoreError::NoSuchKey(_))),
            "{no_key:?}"
        );
        assert!(
            matches!(no_bucket, Err(StoreError::NoSuchBucket(_))),
            "{no_bucket:?}"
        );
        assert!(
            matches!(unwritten, Err(StoreError::NoSuchBucket(_))),
            "{unwritten:?}"
        );
        assert_eq!(blob_files(store.path()).len(), 0);
    }

    #[tokio::test]
    async fn a_match_on_a_missing_key_is_no_such_key() {
        let store = with_photos().await;
        let new = new_version(&store, b"", WriteCondition::IfMatch(etag(b"").quoted()));

        let refused = store.put_version(&photos(), key("a"), new).await;

        assert!(
            matches!(refused, Err(StoreError::NoSuchKey(_))),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_key_that_is_named_twice_is_deleted_once() {
        let store = with_photos().await;
        put(&store, "a", b"").await.unwrap();
        let twice = vec![deletion("a"); 2];

        let outcomes = store.delete_many(&photos(), &twice).await.unwrap();

        let deleted: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(deleted, [Deleted::Key, Deleted::Key]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_64_writers_of_an_absent_key_exactly_one_wins() {
        let folder = TempDir::new().unwrap();
        for store in [ephemeral(), durable(folder.path()).unwrap()] {
            store.create_bucket(bucket("photos")).await.unwrap();
            let write = |number: u8| {
                let store = store.clone();
                tokio::spawn(async move {
                    let body = vec![number; 5_000];
                    let new = new_version(&store, &body, WriteCondition::IfAbsent);
                    store.put_version(&photos(), key("a"), new).await
                })
            };

            let mut won = Vec::new();
            for writer in (0..64).map(write).collect::<Vec<_>>() {
                match writer.await.unwrap() {
                    Ok(version) => won.push(version),
                    Err(StoreError::ConditionFailed(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }

            assert_eq!(won, [store.version(&photos(), &key("a"), None).unwrap()]);
            assert_eq!(blob_files(store.path()).len(), 1);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_read_that_races_replacements_always_finds_a_body() {
        let store = with_photos().await;
        put(&store, "a", &LARGE).await.unwrap();
        let writer = store.clone();
        let replaced = tokio::spawn(async move {
            for _ in 0..200 {
                put(&writer, "a", &LARGE).await.unwrap();
            }
        });

        let mut reads = 0;
        while !replaced.is_finished() {
            assert_eq!(read(&store, "a").unwrap(), LARGE);
            reads += 1;
            tokio::task::yield_now().await;
        }

        replaced.await.unwrap();
        assert!(reads > 0);
    }
}
