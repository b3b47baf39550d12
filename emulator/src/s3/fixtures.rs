//! What the tests of stored bodies begin with.

use tokio::runtime::Runtime;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::model::etag::ETag;
use crate::model::object::{BlobId, VersionContent};
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::model::timestamp::Timestamp;
use crate::s3::error::S3Error;
use crate::s3::layers::SealedBlob;
use crate::store::folder::Folder;
use crate::store::handle::{Store, StoreOptions};
use crate::store::open_body::OpenBody;
use crate::store::versions::{NewVersion, WriteCondition};

/// A store with one bucket and, in it, one object at a time.
pub(crate) struct Shelf {
    pub(crate) runtime: Runtime,
    pub(crate) store: Store,
    bucket: BucketName,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let store = Store::open(StoreOptions {
            folder: Folder::Ephemeral,
            clock: Clock::at(Timestamp::from_unix_millis(0)),
            entropy: Entropy::system(),
        })
        .unwrap();
        let bucket = BucketName::parse("photos").unwrap();
        let row = Bucket {
            name: bucket.clone(),
            created: Timestamp::from_unix_millis(0),
            location: None,
            account: "000000000000".to_owned(),
            owner_id: "0".repeat(64),
            tags: Vec::new(),
            encryption: BucketEncryption::fresh(BlockedEncryption::Absent),
            versioning: Versioning::Unversioned,
        };
        runtime.block_on(store.create_bucket(row)).unwrap();
        Self {
            runtime,
            store,
            bucket,
        }
    }

    /// Stores what is made of a fresh blob's name, and opens it.
    pub(crate) fn keep(
        &self,
        size_bytes: usize,
        make: impl FnOnce(BlobId) -> Vec<u8>,
    ) -> SealedBlob {
        let key = ObjectKey::parse("a").unwrap();
        let mut writer = self.store.blob_writer();
        let sealed = make(writer.id());
        writer.write(&sealed).unwrap();
        let new = NewVersion {
            content: content(u64::try_from(size_bytes).unwrap()),
            body: writer.finish().unwrap(),
            condition: WriteCondition::None,
        };
        let put = self.store.put_version(&self.bucket, key.clone(), new);
        self.runtime.block_on(put).unwrap();
        let (version, body) = self.store.open_version(&self.bucket, &key, None).unwrap();
        let OpenBody::Blob(blob, reader) = body else {
            panic!("one blob");
        };
        SealedBlob {
            id: blob.id,
            size_bytes: version.content.size_bytes,
            reader,
        }
    }
}

fn content(size_bytes: u64) -> VersionContent {
    VersionContent {
        size_bytes,
        etag: ETag::of_bytes([0; 16]),
        checksum: None,
        headers: Vec::new(),
        metadata: Vec::new(),
        tags: Vec::new(),
        storage_class: "STANDARD".to_owned(),
        owner_id: "0".repeat(64),
        sealing: Sealing::SseC { key_md5: [0; 16] },
    }
}

/// Counted in words of four bytes, so that no two parts of it are alike.
pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    let counted = (0_u32..).flat_map(u32::to_be_bytes);
    counted.take(length).collect()
}

/// The cause of one of our own failures, as it is logged.
pub(crate) fn cause(error: &S3Error) -> String {
    error.source.as_ref().unwrap().to_string()
}
