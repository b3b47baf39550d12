//! What the tests of the store begin with.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::model::etag::ETag;
use crate::model::object::{ObjectVersion, VersionContent, VersionId};
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::model::timestamp::Timestamp;
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::handle::{Store, StoreOptions};
use crate::store::open_body::OpenBody;
use crate::store::reader::BlobReader;
use crate::store::staging::StagedBlob;
use crate::store::versions::{DeleteCondition, Deletion, NewVersion, WriteCondition};

/// Larger than what the catalogue takes.
pub(super) const LARGE: [u8; 10_000] = [7; 10_000];

pub(super) fn open(folder: Folder) -> Result<Store, StoreError> {
    Store::open(StoreOptions {
        folder,
        clock: Clock::at(Timestamp::from_unix_millis(1_773_581_008_042)),
        entropy: Entropy::system(),
    })
}

pub(super) fn ephemeral() -> Store {
    open(Folder::Ephemeral).unwrap()
}

pub(super) fn durable(path: &Path) -> Result<Store, StoreError> {
    open(Folder::Durable(path.to_owned()))
}

/// An ephemeral store with the bucket `photos`.
pub(super) async fn with_photos() -> Store {
    let store = ephemeral();
    store.create_bucket(bucket("photos")).await.unwrap();
    store
}

pub(super) fn name(name: &str) -> BucketName {
    BucketName::parse(name).unwrap()
}

pub(super) fn photos() -> BucketName {
    name("photos")
}

pub(super) fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key).unwrap()
}

pub(super) fn bucket(bucket: &str) -> Bucket {
    Bucket {
        name: name(bucket),
        created: Timestamp::from_unix_millis(0),
        location: None,
        account: "000000000000".to_owned(),
        owner_id: "0".repeat(64),
        tags: Vec::new(),
        encryption: BucketEncryption::fresh(BlockedEncryption::Absent),
        versioning: Versioning::Unversioned,
    }
}

/// Of a key, without a condition.
pub(super) fn deletion(at: &str) -> Deletion {
    Deletion {
        key: key(at),
        version_id: None,
        condition: DeleteCondition::None,
        owner_id: "0".repeat(64),
    }
}

/// A tag that tells bodies apart.
pub(super) fn etag(body: &[u8]) -> ETag {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    ETag::of_bytes(u128::from(hasher.finish()).to_be_bytes())
}

pub(super) fn stage(store: &Store, body: &[u8]) -> StagedBlob {
    let mut writer = store.blob_writer();
    for piece in body.chunks(3_000) {
        writer.write(piece).unwrap();
    }
    writer.finish().unwrap()
}

pub(super) fn new_version(store: &Store, body: &[u8], condition: WriteCondition) -> NewVersion {
    NewVersion {
        content: VersionContent {
            size_bytes: u64::try_from(body.len()).unwrap(),
            etag: etag(body),
            checksum: None,
            headers: Vec::new(),
            metadata: Vec::new(),
            tags: Vec::new(),
            storage_class: "STANDARD".to_owned(),
            owner_id: "0".repeat(64),
            sealing: Sealing::SseC { key_md5: [0; 16] },
        },
        body: stage(store, body),
        condition,
    }
}

/// Puts a body into `photos`.
pub(super) async fn put(store: &Store, at: &str, body: &[u8]) -> Result<ObjectVersion, StoreError> {
    let new = new_version(store, body, WriteCondition::None);
    store.put_version(&photos(), key(at), new).await
}

/// Opens a body of `photos` that lies in one blob.
pub(super) fn open_blob(store: &Store, at: &str) -> Result<BlobReader, StoreError> {
    open_blob_of(store, at, None)
}

fn open_blob_of(store: &Store, at: &str, id: Option<VersionId>) -> Result<BlobReader, StoreError> {
    match store.open_version(&photos(), &key(at), id)?.1 {
        OpenBody::Blob(_, reader) => Ok(reader),
        OpenBody::Parts(parts) => panic!("one blob: {parts:?}"),
    }
}

/// Reads a body of `photos`.
pub(super) fn read(store: &Store, at: &str) -> Result<Vec<u8>, StoreError> {
    read_version(store, at, None)
}

/// Reads the body of a version in `photos`.
pub(super) fn read_version(
    store: &Store,
    at: &str,
    id: Option<VersionId>,
) -> Result<Vec<u8>, StoreError> {
    let reader = open_blob_of(store, at, id)?;
    let mut body = vec![0; usize::try_from(reader.sealed_bytes()).unwrap()];
    reader.read_at(0, &mut body)?;
    Ok(body)
}

/// Every file of blobs, published or not.
pub(super) fn blob_files(data: &Path) -> Vec<PathBuf> {
    let entries = |folder: PathBuf| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let published = entries(data.join("blobs")).flat_map(entries);
    published.chain(entries(data.join("staging"))).collect()
}
