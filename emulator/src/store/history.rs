//! The versions of a key: what a write and a deletion make of them, by the versioning of the bucket.
//!
//! The current version, unless it is a delete marker, has a row of its own (`k`), so that listings and reads know nothing
//! of all others. These and the markers lie behind it (`v`), the newest first; where there is no current version, the first
//! of them, if any, is a marker. `null` has no place in its id, so that a row (`n`) tells where it lies.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::model::object::{AnyVersion, DeleteMarker, ObjectVersion, Place, VersionId};
use crate::model::object_key::ObjectKey;
use crate::model::timestamp::Timestamp;
use crate::store::catalogue::{Transaction, View};
use crate::store::error::StoreError;
use crate::store::keys;

/// What is known of a version before its place among the others is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    /// What tells its id from all others at the same place.
    pub(super) random: [u8; 8],
    /// When it is written.
    pub(super) now: Timestamp,
}

/// A version that is found, and the key of its row.
pub(super) type Row = (Vec<u8>, AnyVersion);

impl Transaction {
    /// The version of a key that reads and conditions see.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn current(
        &mut self,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Option<ObjectVersion>, StoreError> {
        self.get(&keys::version(&bucket.name, key))
    }

    /// Makes room for a newest version, and says which it is to be.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn supersede(
        &mut self,
        bucket: &Bucket,
        key: &ObjectKey,
        current: Option<ObjectVersion>,
        coming: Coming,
    ) -> Result<(VersionId, Place), StoreError> {
        let place = self.next_place(bucket, key, current.as_ref(), coming.now)?;
        let replaces = bucket.versioning != Versioning::Enabled;
        if let Some(current) = current {
            self.remove(keys::version(&bucket.name, key));
            if replaces && current.version_id == VersionId::Null {
                self.discard_body(current.body)?;
            } else {
                self.retire(&bucket.name, current)?;
            }
        }
        if bucket.versioning == Versioning::Suspended {
            self.remove_past_null(&bucket.name, key)?;
        }
        let id = if replaces {
            VersionId::Null
        } else {
            VersionId::new(coming.random, place)
        };
        Ok((id, place))
    }

    /// Puts a delete marker on top of a key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn mark_deleted(
        &mut self,
        bucket: &Bucket,
        marker: DeleteMarker,
    ) -> Result<(), StoreError> {
        let place = marker.place;
        if marker.version_id == VersionId::Null {
            self.put(keys::null_place(&bucket.name, &marker.key), &place)?;
        }
        let row = keys::history(&bucket.name, &marker.key, place);
        self.put(row, &AnyVersion::Marker(marker))
    }

    /// Removes one version for good; it becomes current that was written last before it, if it was. `None` where there is no
    /// such version.
    ///
    /// # Errors
    ///
    /// Those of `check`; `Io`, `Corrupted`.
    pub(super) fn remove_version(
        &mut self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: VersionId,
        check: impl FnOnce(Option<&ObjectVersion>) -> Result<(), StoreError>,
    ) -> Result<Option<AnyVersion>, StoreError> {
        let name = &bucket.name;
        let found = self.named(name, key, id)?;
        check(match &found {
            Some((_, AnyVersion::Object(version))) => Some(version),
            Some((_, AnyVersion::Marker(_))) | None => None,
        })?;
        let Some((row, version)) = found else {
            return Ok(None);
        };
        self.remove(row);
        if id == VersionId::Null {
            self.remove(keys::null_place(name, key));
        }
        if let AnyVersion::Object(version) = &version {
            self.discard_body(version.body)?;
        }
        let is_versioned = bucket.versioning != Versioning::Unversioned;
        if is_versioned && self.current(bucket, key)?.is_none() {
            self.promote(name, key)?;
        }
        Ok(Some(version))
    }

    /// The version of a key that has this id, and its row.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn named(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: VersionId,
    ) -> Result<Option<Row>, StoreError> {
        let row = keys::version(bucket, key);
        match self.get::<ObjectVersion>(&row)? {
            Some(current) if current.version_id == id => {
                Ok(Some((row, AnyVersion::Object(Box::new(current)))))
            }
            _ => self.past(bucket, key, id),
        }
    }

    /// A version that is not the current one, or a delete marker.
    fn past(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: VersionId,
    ) -> Result<Option<Row>, StoreError> {
        let place = match id.place() {
            Some(place) => Some(place),
            None => self.get(&keys::null_place(bucket, key))?,
        };
        let Some(place) = place else { return Ok(None) };
        let row = keys::history(bucket, key, place);
        let found: Option<AnyVersion> = self.get(&row)?;
        let found = found.filter(|found| found.version_id() == id);
        Ok(found.map(|found| (row, found)))
    }

    fn next_place(
        &mut self,
        bucket: &Bucket,
        key: &ObjectKey,
        current: Option<&ObjectVersion>,
        now: Timestamp,
    ) -> Result<Place, StoreError> {
        let newest = match current {
            Some(current) => Some(current.place),
            None if bucket.versioning == Versioning::Unversioned => None,
            None => {
                let past = keys::history_of_key(&bucket.name, key.as_str());
                let newest = self.first::<AnyVersion>(&past)?;
                newest.map(|(_, version)| version.place())
            }
        };
        let behind = newest.map_or(0, |newest| newest.0 + 1);
        Ok(Place(behind.max(now.unix_millis().saturating_mul(1_000))))
    }

    /// Writes a version back that was found at this row.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn put_back(
        &mut self,
        bucket: &BucketName,
        row: Vec<u8>,
        version: ObjectVersion,
    ) -> Result<(), StoreError> {
        if row == keys::version(bucket, &version.key) {
            self.put(row, &version)
        } else {
            self.put(row, &AnyVersion::Object(Box::new(version)))
        }
    }

    /// Puts what was current among the others.
    fn retire(&mut self, bucket: &BucketName, version: ObjectVersion) -> Result<(), StoreError> {
        if version.version_id == VersionId::Null {
            let row = keys::null_place(bucket, &version.key);
            self.put(row, &version.place)?;
        }
        let row = keys::history(bucket, &version.key, version.place);
        self.put(row, &AnyVersion::Object(Box::new(version)))
    }

    /// Makes the newest of the others current, unless it is a delete marker.
    fn promote(&mut self, bucket: &BucketName, key: &ObjectKey) -> Result<(), StoreError> {
        let past = keys::history_of_key(bucket, key.as_str());
        let Some((row, AnyVersion::Object(version))) = self.first(&past)? else {
            return Ok(());
        };
        self.remove(row);
        if version.version_id == VersionId::Null {
            self.remove(keys::null_place(bucket, key));
        }
        self.put(keys::version(bucket, key), &version)
    }

    fn remove_past_null(&mut self, bucket: &BucketName, key: &ObjectKey) -> Result<(), StoreError> {
        let Some((row, version)) = self.past(bucket, key, VersionId::Null)? else {
            return Ok(());
        };
        if let AnyVersion::Object(version) = version {
            self.discard_body(version.body)?;
        }
        self.remove(row);
        self.remove(keys::null_place(bucket, key));
        Ok(())
    }
}

/// A version that is not the current one, or a delete marker, as this view has it.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn past_in(
    view: &View,
    bucket: &BucketName,
    key: &ObjectKey,
    id: VersionId,
) -> Result<Option<AnyVersion>, StoreError> {
    let Some(place) = place_in(view, bucket, key, id)? else {
        return Ok(None);
    };
    let found: Option<AnyVersion> = view.get(&keys::history(bucket, key, place))?;
    Ok(found.filter(|found| found.version_id() == id))
}

/// The place of a version, as far as that can be told; of `null`, where it is not the current one.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn place_in(
    view: &View,
    bucket: &BucketName,
    key: &ObjectKey,
    id: VersionId,
) -> Result<Option<Place>, StoreError> {
    match id.place() {
        Some(place) => Ok(Some(place)),
        None => view.get(&keys::null_place(bucket, key)),
    }
}

/// The delete marker on top of a key that has no current version.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn marker_in(
    view: &View,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Option<DeleteMarker>, StoreError> {
    let past = keys::history_of_key(bucket, key.as_str());
    let Some((row, stored)) = view.scan(&past)?.next().transpose()? else {
        return Ok(None);
    };
    if !row.starts_with(&past) {
        return Ok(None);
    }
    match view.parse(&stored.value)? {
        AnyVersion::Marker(marker) => Ok(Some(marker)),
        AnyVersion::Object(_) => Ok(None),
    }
}
