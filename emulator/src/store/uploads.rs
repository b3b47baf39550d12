//! Multipart uploads: begun, filled part by part, and completed or given up.
//!
//! To complete one joins its parts without reading a byte of them: rows alone are written. Parts that the object does not
//! take, and those of an upload that is given up, go in a commit of their own right behind it: a part that was on its way
//! meanwhile finds no upload any more.

use crate::model::bucket_name::BucketName;
use crate::model::checksum::Checksum;
use crate::model::etag::ETag;
use crate::model::object::{ObjectVersion, StoredBody, VersionContent};
use crate::model::object_key::ObjectKey;
use crate::model::upload::{Part, PlacedPart, Upload};
use crate::model::upload_id::UploadId;
use crate::store::buckets::bucket_in;
use crate::store::catalogue::Transaction;
use crate::store::error::{FailedCondition, StoreError};
use crate::store::handle::Store;
use crate::store::keys;
use crate::store::staging::StagedBlob;
use crate::store::versions::WriteCondition;

/// Which upload is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadAddress {
    /// Its bucket.
    pub(crate) bucket: BucketName,
    /// The key of its object.
    pub(crate) key: ObjectKey,
    /// Its name.
    pub(crate) id: UploadId,
}

/// A part that is about to be written.
#[derive(Debug)]
pub(crate) struct NewPart {
    /// Its number: 1 to 10,000.
    pub(crate) number: u32,
    /// The plaintext's size in bytes.
    pub(crate) size_bytes: u64,
    /// Its entity tag.
    pub(crate) etag: ETag,
    /// Its checksum.
    pub(crate) checksum: Option<Checksum>,
    /// Its sealed body.
    pub(crate) body: StagedBlob,
}

/// What becomes of an upload.
#[derive(Debug)]
pub(crate) struct Completion {
    /// The parts that its object takes, in order.
    pub(crate) parts: Vec<Part>,
    /// What is said of the object.
    pub(crate) content: VersionContent,
}

/// Which uploads of a bucket are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UploadQuery {
    /// What their keys begin with.
    pub(crate) prefix: String,
    /// Behind which key they come, or behind which upload of that key.
    pub(crate) after: Option<(String, Option<UploadId>)>,
}

impl Store {
    /// Keeps a new upload, and the body that its key has now.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) async fn create_upload(
        &self,
        bucket: &BucketName,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            tx.bucket(bucket)?;
            let current: Option<ObjectVersion> = tx.get(&keys::version(bucket, &upload.key))?;
            let upload = Upload {
                base: current.map(|version| version.body.to_string()),
                ..upload.clone()
            };
            tx.put(keys::upload(bucket, &upload.key, upload.id), &upload)
        };
        self.catalogue().transact(None, work).await
    }

    /// An upload under way.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `NoSuchUpload`, `Io`, `Corrupted`.
    pub(crate) fn upload(&self, address: &UploadAddress) -> Result<Upload, StoreError> {
        let view = self.view()?;
        if let Some(upload) = view.get(&address.row())? {
            return Ok(upload);
        }
        bucket_in(&view, &address.bucket)?;
        Err(StoreError::NoSuchUpload(address.id))
    }

    /// Writes a part, in place of the one that had its number.
    ///
    /// # Errors
    ///
    /// `NoSuchUpload`, `Io`, `Corrupted`.
    pub(crate) async fn put_part(
        &self,
        address: &UploadAddress,
        new: NewPart,
    ) -> Result<Part, StoreError> {
        let part = Part {
            number: new.number,
            size_bytes: new.size_bytes,
            etag: new.etag,
            checksum: new.checksum,
            last_modified: self.clock().now().to_seconds(),
            blob: new.body.blob(),
        };
        let body = new.body.body();
        let work = |tx: &mut Transaction| {
            tx.upload(address)?;
            let row = keys::part(address.id, part.number);
            if let Some(before) = tx.get::<Part>(&row)? {
                tx.discard(before.blob);
            }
            if let Some(body) = &body {
                tx.put_body(part.blob.id, body.clone());
            }
            tx.put(row, &part)
        };
        self.catalogue().transact(Some(new.body), work).await?;
        Ok(part)
    }

    /// Some parts of an upload, behind a number; and whether there are more.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn list_parts(
        &self,
        id: UploadId,
        after: u32,
        limit: usize,
    ) -> Result<(Vec<Part>, bool), StoreError> {
        let (view, prefix) = (self.view()?, keys::parts_of(id));
        let from = keys::part(id, after.saturating_add(1));
        let mut parts = Vec::new();
        for row in view.scan(&from)? {
            let (key, stored) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            if parts.len() == limit {
                return Ok((parts, true));
            }
            parts.push(view.parse(&stored.value)?);
        }
        Ok((parts, false))
    }

    /// The uploads of a bucket, one after the other, as long as `take` says so.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) fn walk_uploads(
        &self,
        bucket: &BucketName,
        query: &UploadQuery,
        mut take: impl FnMut(Upload) -> bool,
    ) -> Result<(), StoreError> {
        let view = self.view()?;
        bucket_in(&view, bucket)?;
        let prefix = keys::uploads_of(bucket);
        for row in view.scan(&query.first_row(bucket))? {
            let (key, stored) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            let upload: Upload = view.parse(&stored.value)?;
            if !upload.key.as_str().starts_with(&query.prefix) || !take(upload) {
                break;
            }
        }
        Ok(())
    }

    /// Whether an upload of this name is under way in the bucket, but under another key. Where there is none under this one,
    /// all of them are looked through.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn is_of_another_key(
        &self,
        bucket: &BucketName,
        key: &str,
        id: UploadId,
    ) -> Result<bool, StoreError> {
        let (view, prefix) = (self.view()?, keys::uploads_of(bucket));
        let own = [&keys::uploads_of_key(bucket, key), &id.0[..]].concat();
        if view.get::<Upload>(&own)?.is_some() {
            return Ok(false);
        }
        for row in view.scan(&prefix)? {
            let (key, _) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            if key.ends_with(&id.0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Joins parts of an upload to an object. `decide` sees the upload and all its parts, and says what becomes of them, or
    /// refuses; then nothing is changed.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `NoSuchUpload`; `ConditionFailed`, `ConditionConflict`, `NoSuchKey` by the condition; `Io`,
    /// `Corrupted`.
    pub(crate) async fn complete_upload<E>(
        &self,
        address: &UploadAddress,
        condition: &WriteCondition,
        decide: impl Fn(&Upload, &[Part]) -> Result<Completion, E>,
    ) -> Result<Result<ObjectVersion, E>, StoreError> {
        let coming = self.coming();
        let work = |tx: &mut Transaction| {
            let bucket = tx.bucket(&address.bucket)?;
            let upload = tx.upload(address)?;
            let parts: Vec<Part> = tx.rows(&keys::parts_of(address.id))?;
            let done = match decide(&upload, &parts) {
                Ok(done) => done,
                Err(refused) => return Ok(Err(refused)),
            };
            let current = tx.current(&bucket, &address.key)?;
            condition.check_completion(&upload, current.as_ref())?;
            let (version_id, place) = tx.supersede(&bucket, &address.key, current, coming)?;
            let count = tx.place(address.id, done.parts)?;
            tx.remove(address.row());
            let version = ObjectVersion {
                key: address.key.clone(),
                version_id,
                place,
                last_modified: coming.now.to_seconds(),
                content: done.content,
                body: StoredBody::Parts {
                    upload: address.id,
                    count,
                },
            };
            tx.put(keys::version(&bucket.name, &address.key), &version)?;
            Ok(Ok(version))
        };
        let done = self.catalogue().transact(None, work).await?;
        if done.is_ok() {
            self.purge_parts(address.id).await?;
        }
        Ok(done)
    }

    /// Gives an upload up, with all its parts.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `NoSuchUpload`, `Io`, `Corrupted`.
    pub(crate) async fn abort_upload(&self, address: &UploadAddress) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            tx.bucket(&address.bucket)?;
            tx.upload(address)?;
            tx.remove(address.row());
            Ok(())
        };
        self.catalogue().transact(None, work).await?;
        self.purge_parts(address.id).await
    }

    /// Removes the parts of an upload that is no more.
    pub(super) async fn purge_parts(&self, id: UploadId) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            for part in tx.rows::<Part>(&keys::parts_of(id))? {
                tx.remove(keys::part(id, part.number));
                tx.discard(part.blob);
            }
            Ok(())
        };
        self.catalogue().transact(None, work).await
    }
}

impl Transaction {
    fn upload(&mut self, address: &UploadAddress) -> Result<Upload, StoreError> {
        self.get(&address.row())?
            .ok_or(StoreError::NoSuchUpload(address.id))
    }

    /// Puts parts behind each other; how many they are.
    fn place(&mut self, id: UploadId, parts: Vec<Part>) -> Result<u32, StoreError> {
        let (mut start, mut count) = (0, 0);
        for part in parts {
            self.remove(keys::part(id, part.number));
            let placed = PlacedPart { start, part };
            start = placed.end();
            count += 1;
            let row = keys::placed(id, start, placed.part.number);
            self.put(row, &placed)?;
        }
        Ok(count)
    }
}

impl UploadAddress {
    fn row(&self) -> Vec<u8> {
        keys::upload(&self.bucket, &self.key, self.id)
    }
}

impl UploadQuery {
    fn first_row(&self, bucket: &BucketName) -> Vec<u8> {
        let with_prefix = [keys::uploads_of(bucket), keys::escaped_start(&self.prefix)].concat();
        let after = match &self.after {
            None => return with_prefix,
            Some((key, None)) => keys::past(&keys::uploads_of_key(bucket, key)),
            Some((key, Some(id))) => {
                keys::next(&[&keys::uploads_of_key(bucket, key), &id.0[..]].concat())
            }
        };
        after.max(with_prefix)
    }
}

impl WriteCondition {
    /// Against the version that the key has now, and the one that it had when the upload began.
    ///
    /// Source: answers recorded from AWS in February 2026 for `If-Match`; for `If-None-Match`
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
    fn check_completion(
        &self,
        upload: &Upload,
        current: Option<&ObjectVersion>,
    ) -> Result<(), StoreError> {
        self.check(&upload.key, current)?;
        let asked = match self {
            Self::None => return Ok(()),
            Self::IfAbsent => FailedCondition::Absent,
            Self::IfMatch(_) => FailedCondition::Match,
        };
        if current.map(|version| version.body.to_string()) != upload.base {
            return Err(StoreError::ConditionConflict(upload.key.clone(), asked));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::model::sealing::Sealing;
    use crate::model::timestamp::Timestamp;
    use crate::store::fixtures::{
        LARGE, blob_files, bucket, deletion, durable, etag, key, name, new_version, photos, stage,
        with_photos,
    };
    use crate::store::open_body::OpenBody;

    /// An upload of `photos/KEY` that began at this millisecond.
    async fn begin(store: &Store, at: &str, millis: u64) -> UploadAddress {
        let upload = new_upload(at, millis);
        store.create_upload(&photos(), &upload).await.unwrap();
        UploadAddress {
            bucket: photos(),
            key: key(at),
            id: upload.id,
        }
    }

    fn new_upload(at: &str, millis: u64) -> Upload {
        Upload {
            key: key(at),
            id: UploadId::new(Timestamp::from_unix_millis(millis), [1; 8]),
            initiated: Timestamp::from_unix_millis(millis),
            owner_id: "0".repeat(64),
            headers: Vec::new(),
            metadata: Vec::new(),
            tags: Vec::new(),
            storage_class: "STANDARD".to_owned(),
            sealing: Sealing::SseC { key_md5: [0; 16] },
            checksum: None,
            base: None,
        }
    }

    async fn put_part(
        store: &Store,
        address: &UploadAddress,
        number: u32,
        body: &[u8],
    ) -> Result<Part, StoreError> {
        let new = NewPart {
            number,
            size_bytes: u64::try_from(body.len()).unwrap(),
            etag: etag(body),
            checksum: None,
            body: stage(store, body),
        };
        store.put_part(address, new).await
    }

    fn uploads(store: &Store, query: &UploadQuery) -> Vec<(String, UploadId)> {
        let mut found = Vec::new();
        let take = |upload: Upload| {
            found.push((upload.key.to_string(), upload.id));
            true
        };
        store.walk_uploads(&photos(), query, take).unwrap();
        found
    }

    #[tokio::test]
    async fn a_part_that_comes_behind_the_end_leaves_nothing() {
        let store = with_photos().await;
        let address = begin(&store, "a", 1).await;
        put_part(&store, &address, 1, &LARGE).await.unwrap();
        store.abort_upload(&address).await.unwrap();

        let late = put_part(&store, &address, 2, &LARGE).await;

        assert!(matches!(late, Err(StoreError::NoSuchUpload(_))), "{late:?}");
        assert_eq!(blob_files(store.path()).len(), 0);
    }

    #[tokio::test]
    async fn what_a_crash_leaves_of_an_ended_upload_goes_at_the_start() {
        let folder = TempDir::new().unwrap();
        let store = durable(folder.path()).unwrap();
        store.create_bucket(bucket("photos")).await.unwrap();
        let (ended, kept) = (begin(&store, "a", 1).await, begin(&store, "a", 2).await);
        let mut small = None;
        for address in [&ended, &kept] {
            put_part(&store, address, 1, &LARGE).await.unwrap();
            small = Some(put_part(&store, address, 2, b"small").await.unwrap());
        }
        let crash = |tx: &mut Transaction| {
            tx.remove(ended.row());
            Ok(())
        };
        store.catalogue().transact(None, crash).await.unwrap();
        drop(store);

        let store = durable(folder.path()).unwrap();

        let parts_of = |address: &UploadAddress| store.list_parts(address.id, 0, 10).unwrap().0;
        assert_eq!((parts_of(&ended).len(), parts_of(&kept).len()), (0, 2));
        assert_eq!(blob_files(folder.path()).len(), 1);
        let body = store.view().unwrap().body(small.unwrap().blob.id);
        assert!(body.unwrap().is_some(), "the other upload keeps its own");
    }

    #[tokio::test]
    async fn a_completion_that_is_refused_changes_nothing() {
        let store = with_photos().await;
        let address = begin(&store, "a", 1).await;
        put_part(&store, &address, 1, &LARGE).await.unwrap();

        let refuse = |_: &Upload, _: &[Part]| Err::<Completion, _>("no");
        let refused = store
            .complete_upload(&address, &WriteCondition::None, refuse)
            .await
            .unwrap();

        assert_eq!(refused.unwrap_err(), "no");
        assert_eq!(store.list_parts(address.id, 0, 10).unwrap().0.len(), 1);
        let nothing = store.version(&photos(), &key("a"), None);
        assert!(
            matches!(nothing, Err(StoreError::NoSuchKey(_))),
            "{nothing:?}"
        );
    }

    #[tokio::test]
    async fn uploads_come_by_key_and_age_and_go_on_behind_one() {
        let store = with_photos().await;
        for (at, millis) in [("b", 3), ("a", 2), ("a\0", 4), ("a", 1)] {
            begin(&store, at, millis).await;
        }

        let all = uploads(&store, &UploadQuery::default());
        let behind = |key: &str, id| {
            let query = UploadQuery {
                after: Some((key.to_owned(), id)),
                ..UploadQuery::default()
            };
            uploads(&store, &query).len()
        };

        let keys: Vec<_> = all.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "a", "a\0", "b"]);
        assert!(all[0].1.0 < all[1].1.0, "the older first");
        assert_eq!((behind("a", None), behind("a", Some(all[0].1))), (2, 3));
    }

    #[tokio::test]
    async fn an_upload_of_a_missing_bucket_is_told_from_a_missing_upload() {
        let store = with_photos().await;
        let mut address = begin(&store, "a", 1).await;
        address.bucket = name("other");
        let no_bucket = store.upload(&address);
        address.bucket = photos();
        address.key = key("b");
        let no_upload = store.upload(&address);

        assert!(matches!(no_bucket, Err(StoreError::NoSuchBucket(_))));
        assert!(matches!(no_upload, Err(StoreError::NoSuchUpload(_))));
    }

    /// Makes an object of these parts.
    async fn complete(store: &Store, address: &UploadAddress, bodies: &[&[u8]]) -> ObjectVersion {
        for (number, body) in (1..).zip(bodies) {
            put_part(store, address, number, body).await.unwrap();
        }
        let decide = |_: &Upload, parts: &[Part]| {
            let content = VersionContent {
                size_bytes: parts.iter().map(|part| part.size_bytes).sum(),
                ..new_version(store, b"", WriteCondition::None).content
            };
            let parts = parts.to_vec();
            Ok::<_, ()>(Completion { parts, content })
        };
        let done = store.complete_upload(address, &WriteCondition::None, decide);
        done.await.unwrap().unwrap()
    }

    /// What the parts of an opened body hold.
    fn read_parts(body: OpenBody, size_bytes: u64) -> Vec<u8> {
        let OpenBody::Parts(parts) = body else {
            panic!("in parts: {body:?}");
        };
        let mut whole = Vec::new();
        for wanted in parts.within((0, size_bytes - 1)).unwrap() {
            let (part, reader) = wanted.open().unwrap();
            let mut bytes = vec![0; usize::try_from(part.size_bytes).unwrap()];
            reader.read_at(0, &mut bytes).unwrap();
            whole.extend(bytes);
        }
        whole
    }

    #[tokio::test]
    async fn parts_that_are_read_outlive_their_object() {
        let store = with_photos().await;
        let address = begin(&store, "a", 1).await;
        let version = complete(&store, &address, &[&LARGE, &LARGE, b"small"]).await;
        let (_, body) = store.open_version(&photos(), &key("a"), None).unwrap();
        store.delete(&photos(), &deletion("a")).await.unwrap();
        assert_eq!(blob_files(store.path()).len(), 2);

        let read = read_parts(body, version.content.size_bytes);

        assert_eq!(read, [&LARGE[..], &LARGE, b"small"].concat());
        assert_eq!(blob_files(store.path()).len(), 0, "they go with the reader");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_read_that_races_replacements_finds_all_parts_or_none() {
        let store = with_photos().await;
        let first = begin(&store, "a", 1).await;
        let expected = [&LARGE[..], b"small"].concat();
        let size_bytes = complete(&store, &first, &[&LARGE, b"small"]).await;
        let size_bytes = size_bytes.content.size_bytes;
        let writer = store.clone();
        let replaced = tokio::spawn(async move {
            for millis in 2..150 {
                let address = begin(&writer, "a", millis).await;
                complete(&writer, &address, &[&LARGE, b"small"]).await;
                if millis.is_multiple_of(3) {
                    writer.delete(&photos(), &deletion("a")).await.unwrap();
                }
            }
        });

        let mut reads = 0;
        while !replaced.is_finished() {
            match store.open_version(&photos(), &key("a"), None) {
                Ok((_, body)) => assert_eq!(read_parts(body, size_bytes), expected),
                Err(StoreError::NoSuchKey(_)) => {}
                Err(other) => panic!("{other}"),
            }
            reads += 1;
            tokio::task::yield_now().await;
        }

        replaced.await.unwrap();
        assert!(reads > 0);
        let last = store.delete(&photos(), &deletion("a")).await;
        assert!(last.is_ok());
        assert_eq!(blob_files(store.path()).len(), 0, "nothing is left over");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_upload_that_races_the_deletion_of_its_bucket_does_not_outlive_it() {
        let store = with_photos().await;
        store.delete_bucket(&photos()).await.unwrap();
        for round in 0..100 {
            store.create_bucket(bucket("photos")).await.unwrap();
            let creator = store.clone();
            let begun = tokio::spawn(async move {
                let upload = new_upload("a", round);
                creator.create_upload(&photos(), &upload).await
            });
            let other = store.clone();
            let deleted = tokio::spawn(async move { other.delete_bucket(&photos()).await });

            drop(begun.await.unwrap());
            deleted.await.unwrap().unwrap();

            store.create_bucket(bucket("photos")).await.unwrap();
            assert_eq!(uploads(&store, &UploadQuery::default()), []);
            store.delete_bucket(&photos()).await.unwrap();
        }
    }
}
