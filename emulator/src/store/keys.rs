//! The keys of rows. One letter says what the row is, and the letters keep the kinds apart in one order:
//!
//! | key | row |
//! |---|---|
//! | `a` REGION NUL ACCOUNT NUL ALIAS | an alias of a KMS key |
//! | `b` BUCKET | a bucket |
//! | `e` REGION NUL ID | a KMS key |
//! | `f` | the format of the catalogue |
//! | `g` REGION NUL ID NUL GRANTEE NUL GRANT | a grant on a KMS key |
//! | `k` BUCKET NUL KEY | the version of a key that is current and no delete marker |
//! | `m` NAME | a setting of another part of the program |
//! | `n` BUCKET NUL KEY NUL 1 | the place of the version `null`, where that is a row of `v` |
//! | `p` UPLOAD NUMBER | a part of an upload under way |
//! | `q` UPLOAD END NUMBER | a part of an object, by the offset behind its last byte |
//! | `u` BUCKET NUL KEY NUL 1 UPLOAD | an upload under way |
//! | `v` BUCKET NUL KEY NUL 1 PLACE | every other version, and every delete marker; the newest of a key first |
//!
//! A bucket's name has no NUL, and in `k` an object's key stands last, so that it needs no escape: rows come in the order
//! in which S3 lists, by the bytes of the key. Where something follows a key, a NUL within it is followed by 255: the order
//! stays the same.

use crate::model::bucket_name::BucketName;
use crate::model::kms_grant::{GrantId, KmsGrant};
use crate::model::kms_name::KeyId;
use crate::model::object::{BlobId, Place};
use crate::model::object_key::ObjectKey;
use crate::model::upload_id::UploadId;

/// The format of the catalogue.
pub(super) const FORMAT: &[u8] = b"f";
/// What the keys of all buckets begin with.
pub(super) const BUCKETS: &[u8] = b"b";
/// What the keys of all uploads begin with.
pub(super) const UPLOADS: &[u8] = b"u";
/// What the keys of all parts of uploads begin with.
pub(super) const PARTS: &[u8] = b"p";
/// What the keys of all parts of objects begin with.
pub(super) const PLACED: &[u8] = b"q";
/// What the keys of all current versions begin with.
pub(super) const VERSIONS: &[u8] = b"k";
/// What the keys of all other versions and of delete markers begin with.
pub(super) const HISTORY: &[u8] = b"v";
/// What the keys of all KMS keys begin with.
pub(super) const KMS_KEYS: &[u8] = b"e";
/// What the keys of all aliases begin with.
pub(super) const KMS_ALIASES: &[u8] = b"a";
/// What the keys of all grants begin with.
pub(super) const KMS_GRANTS: &[u8] = b"g";
/// What the keys of all settings begin with.
pub(super) const SETTINGS: &[u8] = b"m";
/// What the keys of all places of versions `null` begin with.
pub(super) const NULLS: &[u8] = b"n";

/// Whether a row is about the store itself, and not about anything in it.
pub(super) fn is_of_store(row: &[u8]) -> bool {
    row == FORMAT || row.starts_with(SETTINGS)
}

/// A bucket.
pub(super) fn bucket(name: &BucketName) -> Vec<u8> {
    [BUCKETS, name.as_str().as_bytes()].concat()
}

/// The current version of a key.
pub(super) fn version(bucket: &BucketName, key: &ObjectKey) -> Vec<u8> {
    [&versions_of(bucket), key.as_str().as_bytes()].concat()
}

/// What the keys of a bucket's current versions begin with.
pub(super) fn versions_of(bucket: &BucketName) -> Vec<u8> {
    in_bucket(VERSIONS, bucket)
}

/// What the keys of a bucket's other versions and delete markers begin with.
pub(super) fn history_of(bucket: &BucketName) -> Vec<u8> {
    in_bucket(HISTORY, bucket)
}

/// What the keys of one key's other versions and delete markers begin with, the newest first.
pub(super) fn history_of_key(bucket: &BucketName, key: &str) -> Vec<u8> {
    [history_of(bucket), escaped(key)].concat()
}

/// One of them, by its place among the versions of its key.
pub(super) fn history(bucket: &BucketName, key: &ObjectKey, place: Place) -> Vec<u8> {
    let newest_first = (!place.0).to_be_bytes();
    [history_of_key(bucket, key.as_str()), newest_first.to_vec()].concat()
}

/// Where the version `null` of a key is, when it is not the current one.
pub(super) fn null_place(bucket: &BucketName, key: &ObjectKey) -> Vec<u8> {
    [in_bucket(NULLS, bucket), escaped(key.as_str())].concat()
}

/// A key before something that follows it, and what ends it.
fn escaped(key: &str) -> Vec<u8> {
    let mut bytes = escaped_start(key);
    bytes.extend([0, 1]);
    bytes
}

/// What all keys that begin so begin with, once they are escaped.
pub(super) fn escaped_start(start: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(start.len() + 2);
    for &byte in start.as_bytes() {
        bytes.push(byte);
        if byte == 0 {
            bytes.push(u8::MAX);
        }
    }
    bytes
}

fn in_bucket(kind: &[u8], bucket: &BucketName) -> Vec<u8> {
    [kind, bucket.as_str().as_bytes(), b"\0"].concat()
}

/// A small body, among the bodies: the half of its name that counts up first.
pub(super) fn body(blob: BlobId) -> Vec<u8> {
    let (random, counted) = blob.0.split_at(8);
    [counted, random].concat()
}

/// Whose body lies there, among the bodies.
pub(super) fn blob_of_body(body: &[u8]) -> Option<BlobId> {
    let (counted, random) = body.split_at_checked(8)?;
    [random, counted].concat().try_into().ok().map(BlobId)
}

/// A setting.
pub(super) fn setting(name: &str) -> Vec<u8> {
    [SETTINGS, name.as_bytes()].concat()
}

/// An upload under way.
pub(super) fn upload(bucket: &BucketName, key: &ObjectKey, upload: UploadId) -> Vec<u8> {
    [&uploads_of_key(bucket, key.as_str()), &upload.0[..]].concat()
}

/// What the keys of a bucket's uploads begin with.
pub(super) fn uploads_of(bucket: &BucketName) -> Vec<u8> {
    in_bucket(UPLOADS, bucket)
}

/// What the keys of all uploads of one key begin with. They come in the order of the keys, and those of one by age.
pub(super) fn uploads_of_key(bucket: &BucketName, key: &str) -> Vec<u8> {
    [uploads_of(bucket), escaped(key)].concat()
}

/// A part of an upload under way.
pub(super) fn part(upload: UploadId, number: u32) -> Vec<u8> {
    [&parts_of(upload), &number.to_be_bytes()[..]].concat()
}

/// What the keys of an upload's parts begin with.
pub(super) fn parts_of(upload: UploadId) -> Vec<u8> {
    [PARTS, &upload.0].concat()
}

/// A part of an object: the offset behind it, and its number, since an empty one ends where the one before it does.
pub(super) fn placed(upload: UploadId, end: u64, number: u32) -> Vec<u8> {
    [&placed_from(upload, end), &number.to_be_bytes()[..]].concat()
}

/// What the keys of an object's parts begin with.
pub(super) fn placed_of(upload: UploadId) -> Vec<u8> {
    [PLACED, &upload.0].concat()
}

/// The first part of an object that ends at this offset or behind it.
pub(super) fn placed_from(upload: UploadId, end: u64) -> Vec<u8> {
    [&placed_of(upload), &end.to_be_bytes()[..]].concat()
}

/// A KMS key.
pub(super) fn kms_key(region: &str, id: &KeyId) -> Vec<u8> {
    [&kms_keys_of(region), id.as_str().as_bytes()].concat()
}

/// What the keys of a region's KMS keys begin with.
pub(super) fn kms_keys_of(region: &str) -> Vec<u8> {
    [KMS_KEYS, region.as_bytes(), b"\0"].concat()
}

/// An alias of a KMS key.
pub(super) fn kms_alias(region: &str, account: &str, alias: &str) -> Vec<u8> {
    [&kms_aliases_of(region, account), alias.as_bytes()].concat()
}

/// What the keys of an account's aliases in a region begin with.
pub(super) fn kms_aliases_of(region: &str, account: &str) -> Vec<u8> {
    [
        KMS_ALIASES,
        region.as_bytes(),
        b"\0",
        account.as_bytes(),
        b"\0",
    ]
    .concat()
}

/// A grant on a KMS key.
pub(super) fn kms_grant(grant: &KmsGrant) -> Vec<u8> {
    [
        &kms_grants_in(&grant.region),
        kms_grant_place(grant).as_bytes(),
    ]
    .concat()
}

/// Where a grant stands among those of its region.
pub(super) fn kms_grant_place(grant: &KmsGrant) -> String {
    let grantee = grant.terms.grantee.filed();
    format!("{}\0{grantee}\0{}", grant.key, grant.id)
}

/// What the keys of all grants in a region begin with.
pub(super) fn kms_grants_in(region: &str) -> Vec<u8> {
    [KMS_GRANTS, region.as_bytes(), b"\0"].concat()
}

/// What the keys of all grants on a KMS key begin with.
pub(super) fn kms_grants_on(region: &str, key: &KeyId) -> Vec<u8> {
    [&kms_grants_in(region), key.as_str().as_bytes(), b"\0"].concat()
}

/// What the keys of somebody's grants on a KMS key begin with, by the name under which they are filed.
pub(super) fn kms_grants_of(region: &str, key: &KeyId, filed: &str) -> Vec<u8> {
    [&kms_grants_on(region, key), filed.as_bytes(), b"\0"].concat()
}

/// Whether a key is that of the grant of this id.
pub(super) fn is_kms_grant(row: &[u8], grant: GrantId) -> bool {
    let id = grant.to_string();
    row.strip_suffix(id.as_bytes())
        .is_some_and(|rest| rest.ends_with(b"\0"))
}

/// The first key behind all that begin with `prefix`.
///
/// Every prefix of ours begins with a letter, so there always is one.
pub(super) fn past(prefix: &[u8]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    while key.pop_if(|last| *last == u8::MAX).is_some() {}
    if let Some(last) = key.last_mut() {
        *last += 1;
    }
    key
}

/// The first key behind this one.
pub(super) fn next(key: &[u8]) -> Vec<u8> {
    [key, b"\0"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_begins_with_a_prefix_lies_past_it() {
        assert_eq!(past(b"k"), b"l");
        assert_eq!(past(b"ka/"), b"ka0");
        assert_eq!(past(b"k\xff\xff"), b"l");
    }

    #[test]
    fn a_bucket_whose_name_begins_like_another_keeps_its_own_keys() {
        let [short, long] = ["abc", "abc.d"].map(|name| BucketName::parse(name).unwrap());
        let key = ObjectKey::parse("\0\0").unwrap();

        assert!(!version(&long, &key).starts_with(&versions_of(&short)));
    }
}
