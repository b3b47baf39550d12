//! Everything that is stored, walked row by row: whose it is, and which sealed bodies it names. A row that cannot be read,
//! or that contradicts another, is told and passed over. What no row names is told in the end.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::kms_grant::KmsGrant;
use crate::model::kms_key::{KmsAlias, KmsKey};
use crate::model::object::{
    AnyVersion, Blob, BlobId, BlobPlace, ObjectVersion, Place, StoredBody, VersionId,
};
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::model::upload::{Part, PlacedPart, Upload};
use crate::model::upload_id::UploadId;
use crate::store::catalogue::View;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::reader::BlobReader;
use crate::store::row_name::RowName;
use crate::store::{keys, sweep};

/// All rows as they are at one moment.
#[derive(Debug)]
pub(crate) struct Inventory {
    store: Store,
    view: View,
}

/// What a walk meets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Met<'m> {
    /// A bucket.
    Bucket,
    /// A KMS key.
    KmsKey(&'m KmsKey),
    /// A delete marker.
    Marker,
    /// Whoever has the bodies that come next.
    Owner(&'m Owner),
    /// One of them.
    Body(&'m Owner, &'m NamedBody),
    /// A row that is not as it should be, and why.
    BadRow(&'m RowName, &'m str),
    /// A file, or a body of the catalogue, that no row names.
    Unnamed(&'m Unnamed),
}

/// A version, or an upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its bucket.
    pub(crate) bucket: BucketName,
    /// Its key.
    pub(crate) key: ObjectKey,
    /// Which of the key's it is.
    pub(crate) id: OwnerId,
    /// How each of its bodies is sealed.
    pub(crate) sealing: Sealing,
}

/// Which version, or which upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnerId {
    /// A version.
    Version(VersionId),
    /// An upload under way.
    Upload(UploadId),
}

/// A sealed body, as a row names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedBody {
    /// The number of the part whose body it is.
    pub(crate) part: Option<u32>,
    /// The plaintext's size in bytes.
    pub(crate) size_bytes: u64,
    /// The body.
    pub(crate) blob: Blob,
}

/// What no row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// A file, as seen from the data folder.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether the next start removes it. There is none as long as a row cannot be read.
        goes: bool,
    },
    /// A body in the catalogue.
    Body(BlobId),
}

struct Walk<'w> {
    inventory: &'w Inventory,
    each: &'w mut dyn FnMut(Met<'_>),
    buckets: HashSet<BucketName>,
    under_way: HashSet<UploadId>,
    joined: HashSet<UploadId>,
    named: HashSet<BlobId>,
    all_good: bool,
}

impl Store {
    /// Takes stock of what is stored now.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn inventory(&self) -> Result<Inventory, StoreError> {
        Ok(Inventory {
            store: self.clone(),
            view: self.view()?,
        })
    }
}

impl Inventory {
    /// Meets everything. Blocks.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`, where the catalogue cannot be read to its end.
    pub(crate) fn walk(&self, each: &mut dyn FnMut(Met<'_>)) -> Result<(), StoreError> {
        let mut walk = Walk {
            inventory: self,
            each,
            buckets: HashSet::new(),
            under_way: HashSet::new(),
            joined: HashSet::new(),
            named: HashSet::new(),
            all_good: true,
        };
        walk.plain_rows()?;
        walk.rows(keys::VERSIONS, |walk, row, version: ObjectVersion| {
            walk.version(row, &version, keys::version)
        })?;
        walk.rows(keys::HISTORY, |walk, row, version| match version {
            AnyVersion::Object(version) => walk.version(row, &version, |bucket, key| {
                keys::history(bucket, key, version.place)
            }),
            AnyVersion::Marker(_) => {
                (walk.each)(Met::Marker);
                Ok(())
            }
        })?;
        walk.rows(keys::UPLOADS, Walk::upload)?;
        walk.lost_parts()?;
        walk.unnamed()
    }

    /// The size of a sealed body in bytes, whatever its row says; `None` where it is missing.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn measure(&self, blob: Blob) -> Result<Option<u64>, StoreError> {
        match blob.place {
            BlobPlace::Catalogue => {
                let body = self.view.body(blob.id)?;
                Ok(body.and_then(|body| u64::try_from(body.len()).ok()))
            }
            BlobPlace::File => self.store.blobs().measure(blob.id),
        }
    }

    /// Opens a sealed body.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn open(&self, blob: Blob) -> Result<BlobReader, StoreError> {
        self.store.reader(&self.view, blob)
    }
}

impl Walk<'_> {
    /// Rows that name no body.
    fn plain_rows(&mut self) -> Result<(), StoreError> {
        self.stored(keys::BUCKETS, |walk, row, _| {
            let name = RowName::of(row).bucket.unwrap_or_default();
            walk.buckets.extend(BucketName::parse(&name));
            Ok(())
        })?;
        self.rows(keys::BUCKETS, |walk, _, _: Bucket| {
            (walk.each)(Met::Bucket);
            Ok(())
        })?;
        self.rows(keys::KMS_KEYS, |walk, _, key: KmsKey| {
            (walk.each)(Met::KmsKey(&key));
            Ok(())
        })?;
        self.rows(keys::KMS_ALIASES, |_, _, _: KmsAlias| Ok(()))?;
        self.rows(keys::KMS_GRANTS, |_, _, _: KmsGrant| Ok(()))?;
        self.rows(keys::NULLS, |_, _, _: Place| Ok(()))
    }

    fn rows<T: DeserializeOwned>(
        &mut self,
        prefix: &[u8],
        mut take: impl FnMut(&mut Self, &[u8], T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.stored(prefix, |walk, row, value| match walk.parse(row, value) {
            Some(value) => take(walk, row, value),
            None => Ok(()),
        })
    }

    /// The same rows, whatever they say.
    fn stored(
        &mut self,
        prefix: &[u8],
        mut take: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for row in self.inventory.view.scan(prefix)? {
            let (row, stored) = row?;
            if !row.starts_with(prefix) {
                break;
            }
            take(self, &row, &stored.value)?;
        }
        Ok(())
    }

    fn parse<T: DeserializeOwned>(&mut self, row: &[u8], value: &[u8]) -> Option<T> {
        let parsed = serde_json::from_slice(value);
        let unread = |error| self.bad_row(row, &format!("it cannot be read: {error}"));
        parsed.map_err(unread).ok()
    }

    fn bad_row(&mut self, row: &[u8], finding: &str) {
        self.all_good = false;
        (self.each)(Met::BadRow(&RowName::of(row), finding));
    }

    /// The bucket of a row, of which `key` makes what the row's key should be.
    fn bucket_of(
        &mut self,
        row: &[u8],
        key: impl FnOnce(&BucketName) -> Vec<u8>,
    ) -> Option<BucketName> {
        let bucket = RowName::of(row).bucket.unwrap_or_default();
        let bucket = BucketName::parse(&bucket)
            .ok()
            .filter(|bucket| key(bucket) == row);
        let Some(bucket) = bucket else {
            self.bad_row(row, "it says that it is another one's");
            return None;
        };
        if !self.buckets.contains(&bucket) {
            self.bad_row(row, "its bucket is missing");
        }
        Some(bucket)
    }

    fn version(
        &mut self,
        row: &[u8],
        version: &ObjectVersion,
        key: impl FnOnce(&BucketName, &ObjectKey) -> Vec<u8>,
    ) -> Result<(), StoreError> {
        let Some(bucket) = self.bucket_of(row, |bucket| key(bucket, &version.key)) else {
            return Ok(());
        };
        let owner = Owner {
            bucket,
            key: version.key.clone(),
            id: OwnerId::Version(version.version_id),
            sealing: version.content.sealing.clone(),
        };
        (self.each)(Met::Owner(&owner));
        let size_bytes = version.content.size_bytes;
        match version.body {
            StoredBody::Blob(blob) => {
                let body = NamedBody {
                    part: None,
                    size_bytes,
                    blob,
                };
                self.body(row, &owner, body);
                Ok(())
            }
            StoredBody::Parts { upload, count } => {
                let (found, reached) = self.joined_parts(&owner, upload)?;
                if (found, reached) != (count, size_bytes) {
                    let finding = format!(
                        "its {count} parts should have {size_bytes} bytes, but there are {found} of {reached} bytes"
                    );
                    self.bad_row(row, &finding);
                }
                Ok(())
            }
        }
    }

    /// The parts of an object: how many they are, and how many bytes they have in all.
    fn joined_parts(&mut self, owner: &Owner, upload: UploadId) -> Result<(u32, u64), StoreError> {
        self.joined.insert(upload);
        let (mut found, mut reached) = (0, 0);
        self.rows(&keys::placed_of(upload), |walk, row, placed: PlacedPart| {
            if placed.start != reached
                || keys::placed(upload, placed.end(), placed.part.number) != row
            {
                walk.bad_row(row, "it does not lie where the part before it ends");
            }
            found += 1;
            reached = placed.end();
            walk.part(row, owner, &placed.part);
            Ok(())
        })?;
        Ok((found, reached))
    }

    fn upload(&mut self, row: &[u8], upload: Upload) -> Result<(), StoreError> {
        self.under_way.insert(upload.id);
        let key = |bucket: &BucketName| keys::upload(bucket, &upload.key, upload.id);
        let Some(bucket) = self.bucket_of(row, key) else {
            return Ok(());
        };
        let owner = Owner {
            bucket,
            key: upload.key,
            id: OwnerId::Upload(upload.id),
            sealing: upload.sealing,
        };
        (self.each)(Met::Owner(&owner));
        self.rows(&keys::parts_of(upload.id), |walk, row, part: Part| {
            walk.part(row, &owner, &part);
            Ok(())
        })
    }

    fn part(&mut self, row: &[u8], owner: &Owner, part: &Part) {
        let body = NamedBody {
            part: Some(part.number),
            size_bytes: part.size_bytes,
            blob: part.blob,
        };
        self.body(row, owner, body);
    }

    fn body(&mut self, row: &[u8], owner: &Owner, body: NamedBody) {
        if !self.named.insert(body.blob.id) {
            self.bad_row(row, "its body is another one's too");
        }
        (self.each)(Met::Body(owner, &body));
    }

    /// Parts that are nobody's. Those of uploads that have ended are no fault: the next start removes them.
    fn lost_parts(&mut self) -> Result<(), StoreError> {
        self.stored(keys::PARTS, |walk, row, value| {
            let is_read = upload_of(row).is_some_and(|upload| walk.under_way.contains(&upload));
            if !is_read {
                walk.parse::<Part>(row, value);
            }
            Ok(())
        })?;
        let mut told = None;
        self.stored(keys::PLACED, |walk, row, _| {
            let upload = upload_of(row);
            let is_lost = !upload.is_some_and(|upload| walk.joined.contains(&upload));
            if is_lost && told.replace(upload) != Some(upload) {
                walk.bad_row(row, "there is no object of which it is a part");
            }
            Ok(())
        })
    }

    fn unnamed(&mut self) -> Result<(), StoreError> {
        for body in self.inventory.view.bodies()? {
            let (key, _) = body?;
            let blob = keys::blob_of_body(&key);
            if let Some(blob) = blob.filter(|blob| !self.named.contains(blob)) {
                (self.each)(Met::Unnamed(&Unnamed::Body(blob)));
            }
        }
        let (data, blobs) = (self.inventory.store.path(), self.inventory.store.blobs());
        let mut files = Vec::new();
        if blobs.blobs().is_dir() {
            files = sweep::blob_files(blobs)?;
            files.retain(|(_, blob)| !self.named.contains(blob));
        }
        if blobs.staging().is_dir() {
            files.extend(sweep::files_in(blobs.staging())?);
        }
        for (path, _) in files {
            let seen: &Path = path.strip_prefix(data).unwrap_or(&path);
            let path = seen.to_owned();
            let goes = self.all_good;
            (self.each)(Met::Unnamed(&Unnamed::File { path, goes }));
        }
        Ok(())
    }
}

/// The upload by which the row of a part is found.
fn upload_of(row: &[u8]) -> Option<UploadId> {
    let id = row.get(keys::PARTS.len()..)?.first_chunk()?;
    Some(UploadId(*id))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::store::catalogue::Transaction;
    use crate::store::fixtures::{
        LARGE, bucket, deletion, durable, key, name, photos, put, with_photos,
    };

    /// What a walk meets: bodies by the key of their owner, and lines for all that is not as it should be.
    fn met(store: &Store) -> (Vec<String>, Vec<String>) {
        let (mut bodies, mut lines) = (Vec::new(), Vec::new());
        let inventory = store.inventory().unwrap();
        let mut each = |met: Met<'_>| match met {
            Met::Body(owner, _) => bodies.push(owner.key.to_string()),
            Met::BadRow(row, finding) => lines.push(format!("{row}: {finding}")),
            Met::Unnamed(Unnamed::File { goes, .. }) => lines.push(format!("a file, goes: {goes}")),
            Met::Unnamed(Unnamed::Body(_)) => lines.push("a body".to_owned()),
            _ => {}
        };
        inventory.walk(&mut each).unwrap();
        (bodies, lines)
    }

    async fn write(store: &Store, row: Vec<u8>, value: &'static [u8]) {
        let work = |tx: &mut Transaction| {
            tx.put_bytes(row.clone(), value.into());
            Ok(())
        };
        store.catalogue().transact(None, work).await.unwrap();
    }

    async fn forget(store: &Store, row: Vec<u8>) {
        let work = |tx: &mut Transaction| {
            tx.remove(row.clone());
            Ok(())
        };
        store.catalogue().transact(None, work).await.unwrap();
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_told_and_passed_over() {
        let store = with_photos().await;
        put(&store, "a", b"small").await.unwrap();
        put(&store, "b", &LARGE).await.unwrap();
        write(&store, keys::version(&photos(), &key("a")), b"{").await;

        let (bodies, lines) = met(&store);

        assert_eq!(bodies, ["b"]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("a version: it cannot be read: EOF"),
            "{lines:?}"
        );
        assert_eq!(lines[1], "a body");
    }

    #[tokio::test]
    async fn nothing_goes_at_the_next_start_while_a_row_cannot_be_read() {
        let store = with_photos().await;
        put(&store, "a", &LARGE).await.unwrap();
        let row = keys::version(&photos(), &key("a"));
        for (value, goes) in [(None, true), (Some(&b"{}"[..]), false)] {
            match value {
                None => forget(&store, row.clone()).await,
                Some(value) => write(&store, row.clone(), value).await,
            }

            let (_, lines) = met(&store);

            assert_eq!(lines.last().unwrap(), &format!("a file, goes: {goes}"));
        }
    }

    #[tokio::test]
    async fn a_version_whose_bucket_is_missing_or_another_one_is_told() {
        let store = with_photos().await;
        put(&store, "a", &LARGE).await.unwrap();
        forget(&store, keys::bucket(&photos())).await;
        let lost = met(&store);
        let view = store.view().unwrap();
        let stored = view.bytes(&keys::version(&photos(), &key("a")));
        let value: &'static [u8] = stored.unwrap().unwrap().value.leak();

        store.create_bucket(bucket("photos")).await.unwrap();
        write(&store, keys::version(&photos(), &key("b")), value).await;
        let moved = met(&store);

        assert_eq!(lost.0, ["a"]);
        assert_eq!(lost.1, ["a version: its bucket is missing"]);
        assert_eq!(moved.0, ["a"]);
        assert_eq!(moved.1, ["a version: it says that it is another one's"]);
    }

    #[tokio::test]
    async fn a_blob_that_two_rows_name_is_told() {
        let store = with_photos().await;
        store.create_bucket(bucket("films")).await.unwrap();
        put(&store, "a", &LARGE).await.unwrap();
        let view = store.view().unwrap();
        let stored = view.bytes(&keys::version(&photos(), &key("a")));
        let value: &'static [u8] = stored.unwrap().unwrap().value.leak();
        write(&store, keys::version(&name("films"), &key("a")), value).await;

        let (bodies, lines) = met(&store);

        assert_eq!(bodies, ["a", "a"]);
        assert_eq!(lines, ["a version: its body is another one's too"]);
    }

    #[tokio::test]
    async fn what_lies_in_the_folder_alone_is_told_in_the_end() {
        let folder = TempDir::new().unwrap();
        let store = durable(folder.path()).unwrap();
        store.create_bucket(bucket("photos")).await.unwrap();
        put(&store, "a", &LARGE).await.unwrap();
        let sound = met(&store);
        for shelf in ["staging", "blobs/ff"] {
            let shelf = folder.path().join(shelf);
            fs::create_dir_all(&shelf).unwrap();
            fs::write(shelf.join("f".repeat(32)), "x").unwrap();
            fs::write(shelf.join("notes.txt"), "x").unwrap();
        }

        let (_, lines) = met(&store);

        assert_eq!((sound.0.len(), sound.1.len()), (1, 0));
        assert_eq!(lines, ["a file, goes: true"; 2]);
        store.delete(&photos(), &deletion("a")).await.unwrap();
        assert_eq!(met(&store).0.len(), 0);
    }

    #[tokio::test]
    async fn a_body_is_measured_whatever_its_row_says() {
        let store = with_photos().await;
        for (at, length) in [("small", 5), ("large", LARGE.len())] {
            let version = put(&store, at, &LARGE[..length]).await.unwrap();
            let blob = version.body.blob().unwrap();
            let inventory = store.inventory().unwrap();
            assert_eq!(
                inventory.measure(blob).unwrap(),
                Some(u64::try_from(length).unwrap())
            );

            store.delete(&photos(), &deletion(at)).await.unwrap();

            let inventory = store.inventory().unwrap();
            assert_eq!(inventory.measure(blob).unwrap(), None);
            assert!(inventory.open(blob).is_err());
        }
    }
}
