//! Listing: pages of keys and common prefixes, in the byte order of UTF-8.
//!
//! A page costs the page. With a delimiter, a common prefix is met once and the walk goes on behind it, however many keys
//! it holds.

use std::ops::ControlFlow;

use crate::model::bucket_name::BucketName;
use crate::model::object::ObjectVersion;
use crate::store::catalogue::Reader;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// Which keys a listing wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// What they begin with.
    pub(crate) prefix: String,
    /// What rolls keys up: all with the same beginning up to it, behind the prefix.
    pub(crate) delimiter: Option<String>,
    /// Behind which key or common prefix; all if empty.
    pub(crate) start_after: String,
    /// How many keys and common prefixes at the most.
    pub(crate) limit: usize,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListPage {
    /// Objects, in the order of their keys.
    pub(crate) versions: Vec<ObjectVersion>,
    /// Common prefixes, in order.
    pub(crate) common_prefixes: Vec<String>,
    /// Whether there is more.
    pub(crate) truncated: bool,
    /// The last entry of a truncated page, a key or a common prefix: where the next one begins.
    pub(crate) next: Option<String>,
}

impl Store {
    /// A page of the current objects of a bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError::Catalogue`].
    pub(crate) fn list(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        let mut walk = Walk {
            query,
            page: ListPage::default(),
            last: None,
        };
        if query.limit == 0 {
            return Ok(walk.page);
        }
        let reader = self.catalogue.read()?;
        let mut from = Some(query.first_key());
        while let Some(start) = from {
            from = walk.run(&reader, bucket, &start)?;
        }
        if walk.page.truncated {
            walk.page.next = walk.last;
        }
        Ok(walk.page)
    }
}

/// Where a walk begins or goes on: at a key, or behind all keys with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    At(String),
    Behind(String),
}

struct Walk<'q> {
    query: &'q ListQuery,
    page: ListPage,
    last: Option<String>,
}

impl ListQuery {
    fn first_key(&self) -> Start {
        let prefix = &self.prefix;
        if self.start_after.as_str() < prefix.as_str() {
            return Start::At(prefix.clone());
        }
        // A marker that is itself a common prefix: all that it stands for was told.
        match self.common_prefix(&self.start_after) {
            Some(common) if common == self.start_after => Start::Behind(common),
            _ => Start::At(self.start_after.clone()),
        }
    }

    /// The common prefix that a key rolls up to.
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.strip_prefix(&self.prefix)?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(key[..end].to_owned())
    }
}

impl Walk<'_> {
    /// Walks until the page is full, the keys end, or a common prefix is to be skipped; then it tells where to go on.
    fn run(
        &mut self,
        reader: &Reader,
        bucket: &BucketName,
        start: &Start,
    ) -> Result<Option<Start>, StoreError> {
        let from = match start {
            Start::At(key) => keys::object(bucket, key),
            Start::Behind(prefix) => match behind(keys::object(bucket, prefix)) {
                Some(from) => from,
                None => return Ok(None),
            },
        };
        let mut next = None;
        reader.scan(
            &keys::object(bucket, &self.query.prefix),
            &from,
            |version: ObjectVersion| {
                if !self.query.start_after.is_empty()
                    && version.key.as_str() <= self.query.start_after.as_str()
                {
                    return Ok(ControlFlow::Continue(()));
                }
                let common = self.query.common_prefix(version.key.as_str());
                if !self.has_room() {
                    self.page.truncated = true;
                    return Ok(ControlFlow::Break(()));
                }
                if let Some(common) = common {
                    self.last = Some(common.clone());
                    next = Some(Start::Behind(common.clone()));
                    self.page.common_prefixes.push(common);
                    Ok(ControlFlow::Break(()))
                } else {
                    self.last = Some(version.key.as_str().to_owned());
                    self.page.versions.push(version);
                    Ok(ControlFlow::Continue(()))
                }
            },
        )?;
        Ok(next)
    }

    fn has_room(&self) -> bool {
        self.page.versions.len() + self.page.common_prefixes.len() < self.query.limit
    }
}

/// The first key behind all that begin with `prefix`.
fn behind(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if let Some(next) = last.checked_add(1) {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}
