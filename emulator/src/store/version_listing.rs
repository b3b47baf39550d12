//! Listings of all versions and delete markers of a bucket: by key, and those of one key from the newest on.
//!
//! Two kinds of rows are walked side by side: current versions, and all others with the delete markers. A page costs what
//! it shows; everything that is rolled up into a common prefix is skipped unread.

use crate::model::bucket_name::BucketName;
use crate::model::object::{AnyVersion, ObjectVersion, Place, VersionId};
use crate::model::object_key::ObjectKey;
use crate::store::buckets::bucket_in;
use crate::store::catalogue::View;
use crate::store::engine::Scan;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::listing::common_prefix;
use crate::store::{history, keys};

/// Which versions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionQuery {
    /// What their keys begin with.
    pub(crate) prefix: String,
    /// Keys that have this behind the prefix are rolled up to all before it, and it.
    pub(crate) delimiter: Option<String>,
    /// The key or common prefix behind which the page begins; with an id, behind that version of the key.
    pub(crate) start_after: Option<(String, Option<VersionId>)>,
    /// The most entries, versions and common prefixes together; none is a page of its own, and not truncated.
    pub(crate) limit: usize,
}

/// Some entries of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionPage {
    /// Versions and delete markers in their order, and whether each is the newest of its key.
    pub(crate) versions: Vec<(AnyVersion, bool)>,
    /// The common prefixes, in their order, each once.
    pub(crate) common_prefixes: Vec<String>,
    /// The last entry, where more follow: the `start_after` of the next page.
    pub(crate) next: Option<(String, Option<VersionId>)>,
}

/// What an entry of the listing is.
enum Entry {
    Version(Box<AnyVersion>, bool),
    CommonPrefix(String),
}

impl Store {
    /// A page of a bucket's versions.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) fn list_versions(
        &self,
        bucket: &BucketName,
        query: &VersionQuery,
    ) -> Result<VersionPage, StoreError> {
        let view = self.view()?;
        bucket_in(&view, bucket)?;
        let mut page = VersionPage::default();
        if query.limit == 0 {
            return Ok(page);
        }
        let mut last = None;
        let mut walk = Walk::new(&view, bucket, query)?;
        while let Some(entry) = walk.step()? {
            if page.versions.len() + page.common_prefixes.len() == query.limit {
                page.next = last;
                break;
            }
            last = Some(match entry {
                Entry::Version(version, is_latest) => {
                    let shown = (version.key().to_string(), Some(version.version_id()));
                    page.versions.push((*version, is_latest));
                    shown
                }
                Entry::CommonPrefix(prefix) => {
                    page.common_prefixes.push(prefix.clone());
                    (prefix, None)
                }
            });
        }
        Ok(page)
    }
}

/// The entries of a listing, one after the other, without an end to the page.
struct Walk<'a> {
    view: &'a View,
    query: &'a VersionQuery,
    bucket: &'a BucketName,
    current: Head<ObjectVersion>,
    past: Head<AnyVersion>,
    /// The key whose newest version has been passed.
    passed: Option<String>,
}

/// Rows of one kind, and the next of them.
struct Head<T> {
    rows: Scan,
    /// What the keys of all rows of this kind begin with in the bucket.
    prefix: Vec<u8>,
    next: Option<T>,
}

impl<T: serde::de::DeserializeOwned> Head<T> {
    fn at(view: &View, prefix: Vec<u8>, from: &[u8]) -> Result<Self, StoreError> {
        let mut head = Self {
            rows: view.scan(from)?,
            prefix,
            next: None,
        };
        head.take(view)?;
        Ok(head)
    }

    /// The next row; the one behind it is the next then.
    fn take(&mut self, view: &View) -> Result<Option<T>, StoreError> {
        let behind = match self.rows.next().transpose()? {
            Some((row, stored)) if row.starts_with(&self.prefix) => {
                Some(view.parse(&stored.value)?)
            }
            _ => None,
        };
        Ok(std::mem::replace(&mut self.next, behind))
    }
}

impl<'a> Walk<'a> {
    fn new(
        view: &'a View,
        bucket: &'a BucketName,
        query: &'a VersionQuery,
    ) -> Result<Self, StoreError> {
        let start = Start::of(view, bucket, query)?;
        Ok(Self {
            view,
            query,
            bucket,
            current: Head::at(view, keys::versions_of(bucket), &start.current)?,
            past: Head::at(view, keys::history_of(bucket), &start.past)?,
            passed: start.passed,
        })
    }

    fn step(&mut self) -> Result<Option<Entry>, StoreError> {
        let current = self.current.next.as_ref().map(|version| &version.key);
        let past = self.past.next.as_ref().map(AnyVersion::key);
        let (key, is_current) = match (current, past) {
            (None, None) => return Ok(None),
            (Some(current), past) if past.is_none_or(|past| is_first(current, past)) => {
                (current.to_string(), true)
            }
            (_, Some(past)) => (past.to_string(), false),
            (Some(current), None) => (current.to_string(), true),
        };
        if !key.starts_with(&self.query.prefix) {
            return Ok(None);
        }
        if let Some(common) = self.query.common_prefix(&key) {
            self.skip(common)?;
            return Ok(Some(Entry::CommonPrefix(common.to_owned())));
        }
        let version = if is_current {
            let current = self.current.take(self.view)?;
            current.map(|current| AnyVersion::Object(Box::new(current)))
        } else {
            self.past.take(self.view)?
        };
        let is_latest = self.passed.as_ref() != Some(&key);
        self.passed = Some(key);
        Ok(version.map(|version| Entry::Version(Box::new(version), is_latest)))
    }

    /// Goes on behind everything that begins so.
    fn skip(&mut self, common: &str) -> Result<(), StoreError> {
        let start = Start::behind_all(self.bucket, common);
        self.current = Head::at(self.view, keys::versions_of(self.bucket), &start.current)?;
        self.past = Head::at(self.view, keys::history_of(self.bucket), &start.past)?;
        Ok(())
    }
}

/// Whether a current version comes before another row: of its own key it is the newest.
fn is_first(current: &ObjectKey, past: &ObjectKey) -> bool {
    current.as_str() <= past.as_str()
}

/// Where a walk begins.
struct Start {
    current: Vec<u8>,
    past: Vec<u8>,
    passed: Option<String>,
}

impl Start {
    fn of(view: &View, bucket: &BucketName, query: &VersionQuery) -> Result<Self, StoreError> {
        let first = Self::at_prefix(bucket, &query.prefix);
        let behind = match &query.start_after {
            None => return Ok(first),
            Some((marker, None)) if query.common_prefix(marker) == Some(marker) => {
                Self::behind_all(bucket, marker)
            }
            Some((marker, None)) => Self::behind_key(bucket, marker),
            Some((marker, Some(id))) => Self::behind_version(view, bucket, marker, *id)?,
        };
        Ok(Self {
            current: behind.current.max(first.current),
            past: behind.past.max(first.past),
            passed: behind.passed,
        })
    }

    fn at_prefix(bucket: &BucketName, prefix: &str) -> Self {
        Self {
            current: [&keys::versions_of(bucket), prefix.as_bytes()].concat(),
            past: [keys::history_of(bucket), keys::escaped_start(prefix)].concat(),
            passed: None,
        }
    }

    fn behind_all(bucket: &BucketName, prefix: &str) -> Self {
        let at = Self::at_prefix(bucket, prefix);
        Self {
            current: keys::past(&at.current),
            past: keys::past(&at.past),
            passed: None,
        }
    }

    fn behind_key(bucket: &BucketName, key: &str) -> Self {
        Self {
            current: keys::next(&Self::at_prefix(bucket, key).current),
            past: keys::past(&keys::history_of_key(bucket, key)),
            passed: None,
        }
    }

    /// Behind a version, which may be gone by now: its id tells its place.
    fn behind_version(
        view: &View,
        bucket: &BucketName,
        marker: &str,
        id: VersionId,
    ) -> Result<Self, StoreError> {
        let behind_key = Self::behind_key(bucket, marker);
        let Ok(key) = ObjectKey::parse(marker) else {
            return Ok(behind_key);
        };
        let current: Option<ObjectVersion> = view.get(&keys::version(bucket, &key))?;
        let Some(place) = place_of(view, bucket, &key, (id, current.as_ref()))? else {
            return Ok(behind_key);
        };
        let row = keys::history(bucket, &key, place);
        let newest = view.scan(&keys::history_of_key(bucket, marker))?.next();
        let newest_is_passed = newest.transpose()?.is_some_and(|(newest, _)| newest <= row);
        let current_is_passed = current
            .as_ref()
            .is_some_and(|current| current.place >= place);
        let has_passed = newest_is_passed || current_is_passed;
        Ok(Self {
            current: match current {
                Some(_) if !current_is_passed => keys::version(bucket, &key),
                _ => behind_key.current,
            },
            past: keys::next(&row),
            passed: has_passed.then(|| marker.to_owned()),
        })
    }
}

fn place_of(
    view: &View,
    bucket: &BucketName,
    key: &ObjectKey,
    (id, current): (VersionId, Option<&ObjectVersion>),
) -> Result<Option<Place>, StoreError> {
    match current {
        Some(current) if current.version_id == id => Ok(Some(current.place)),
        _ => history::place_in(view, bucket, key, id),
    }
}

impl VersionQuery {
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        common_prefix(key, &self.prefix, self.delimiter.as_deref())
    }
}
