//! Listings: the keys of a bucket in order, page by page, and what a delimiter makes of them.
//!
//! A page costs what it shows: it begins where the last one ended, and once a common prefix is known, the walk goes
//! on behind everything that begins so, without reading it.

use crate::model::bucket_name::BucketName;
use crate::model::object::ObjectVersion;
use crate::store::buckets::bucket_in;
use crate::store::catalogue::View;
use crate::store::engine::Scan;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// Which keys are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// What they begin with.
    pub(crate) prefix: String,
    /// Keys that have this behind the prefix are rolled up to all before it, and it.
    pub(crate) delimiter: Option<String>,
    /// The key or common prefix behind which the page begins. Behind a common prefix come no more keys of it; behind
    /// a key that is none, the rest of its own common prefix does come.
    pub(crate) start_after: Option<String>,
    /// The most entries, keys and common prefixes together; none is a page of its own, and not truncated.
    pub(crate) limit: usize,
}

/// Some entries of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListPage {
    /// The current versions, in the order of their keys.
    pub(crate) versions: Vec<ObjectVersion>,
    /// The common prefixes, in their order, each once.
    pub(crate) common_prefixes: Vec<String>,
    /// The last entry, where more follow: the `start_after` of the next page.
    pub(crate) next: Option<String>,
}

/// What a row is in the listing.
enum Entry {
    Version(Box<ObjectVersion>),
    CommonPrefix(String),
}

impl Store {
    /// A page of a bucket's keys.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) fn list(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        let view = self.view()?;
        bucket_in(&view, bucket)?;
        let mut page = ListPage::default();
        if query.limit == 0 {
            return Ok(page);
        }
        let mut last = None;
        for entry in Walk::new(&view, bucket, query) {
            if page.versions.len() + page.common_prefixes.len() == query.limit {
                page.next = last;
                break;
            }
            last = Some(match entry? {
                Entry::Version(version) => {
                    let key = version.key.to_string();
                    page.versions.push(*version);
                    key
                }
                Entry::CommonPrefix(prefix) => {
                    page.common_prefixes.push(prefix.clone());
                    prefix
                }
            });
        }
        Ok(page)
    }
}

/// The entries of a listing, one after the other, without an end to the page.
struct Walk<'a> {
    view: &'a View,
    query: &'a ListQuery,
    /// What the rows' keys begin with that lie in the bucket.
    bucket_rows: Vec<u8>,
    /// The rows from here on; `None` where a row must be sought first.
    rows: Option<Scan>,
    /// The row to seek.
    from: Vec<u8>,
}

impl<'a> Walk<'a> {
    fn new(view: &'a View, bucket: &BucketName, query: &'a ListQuery) -> Self {
        let bucket_rows = keys::versions_of(bucket);
        Self {
            view,
            query,
            from: query.first_row(&bucket_rows),
            rows: None,
            bucket_rows,
        }
    }

    fn step(&mut self) -> Result<Option<Entry>, StoreError> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => self.rows.insert(self.view.scan(&self.from)?),
        };
        let Some((row, stored)) = rows.next().transpose()? else {
            return Ok(None);
        };
        let Some(key) = row.strip_prefix(self.bucket_rows.as_slice()) else {
            return Ok(None);
        };
        let key = self.view.text(key)?;
        if !key.starts_with(&self.query.prefix) {
            return Ok(None);
        }
        let Some(common) = self.query.common_prefix(key) else {
            let version = self.view.parse(&stored.value)?;
            return Ok(Some(Entry::Version(version)));
        };
        self.from = keys::past(&[&self.bucket_rows, common.as_bytes()].concat());
        self.rows = None;
        Ok(Some(Entry::CommonPrefix(common.to_owned())))
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl ListQuery {
    /// The common prefix into which a key is rolled up, if it is: a part of the key.
    fn common_prefix<'a>(&self, key: &'a str) -> Option<&'a str> {
        common_prefix(key, &self.prefix, self.delimiter.as_deref())
    }

    /// The first row that can be in the page.
    fn first_row(&self, bucket_rows: &[u8]) -> Vec<u8> {
        let first = [bucket_rows, self.prefix.as_bytes()].concat();
        let Some(marker) = &self.start_after else {
            return first;
        };
        let shown = [bucket_rows, marker.as_bytes()].concat();
        let behind = if self.common_prefix(marker) == Some(marker) {
            keys::past(&shown)
        } else {
            keys::next(&shown)
        };
        behind.max(first)
    }
}

/// What a key is rolled up into, if it is: all up to the first delimiter behind the prefix, and that.
pub(super) fn common_prefix<'k>(
    key: &'k str,
    prefix: &str,
    delimiter: Option<&str>,
) -> Option<&'k str> {
    let delimiter = delimiter.filter(|text| !text.is_empty())?;
    let rest = key.strip_prefix(prefix)?;
    let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures::{name, photos, put, with_photos};

    async fn with_folders() -> Store {
        let store = with_photos().await;
        for key in ["a", "a/1", "a/2", "b/1", "c"] {
            put(&store, key, b"").await.unwrap();
        }
        store
    }

    fn entries(store: &Store, start_after: &str) -> (Vec<String>, Vec<String>) {
        let query = ListQuery {
            delimiter: Some("/".to_owned()),
            start_after: Some(start_after.to_owned()),
            limit: 10,
            ..ListQuery::default()
        };
        let page = store.list(&photos(), &query).unwrap();
        let keys = page.versions.into_iter().map(|version| version.key.into());
        (keys.collect(), page.common_prefixes)
    }

    #[tokio::test]
    async fn behind_a_common_prefix_comes_nothing_of_it() {
        let store = with_folders().await;

        let (keys, common_prefixes) = entries(&store, "a/");

        assert_eq!(keys, ["c"]);
        assert_eq!(common_prefixes, ["b/"]);
    }

    #[tokio::test]
    async fn behind_a_key_comes_the_rest_of_its_common_prefix() {
        let store = with_folders().await;

        let (_, with_rest) = entries(&store, "a/1");
        let (_, without_rest) = entries(&store, "a/2");

        assert_eq!(with_rest, ["a/", "b/"]);
        assert_eq!(without_rest, ["b/"]);
    }

    #[tokio::test]
    async fn a_page_of_nothing_is_not_truncated() {
        let store = with_folders().await;

        let page = store.list(&photos(), &ListQuery::default());

        assert_eq!(page.unwrap(), ListPage::default());
    }

    #[tokio::test]
    async fn a_bucket_that_is_missing_is_told_from_an_empty_one() {
        let store = with_photos().await;

        let empty = store.list(&photos(), &ListQuery::default());
        let missing = store.list(&name("other"), &ListQuery::default());

        assert!(empty.is_ok());
        assert!(
            matches!(missing, Err(StoreError::NoSuchBucket(_))),
            "{missing:?}"
        );
    }
}
