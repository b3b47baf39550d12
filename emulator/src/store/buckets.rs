//! Buckets: made, found, changed, listed, removed.

use std::ops::ControlFlow;

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// Which buckets a listing wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketPage {
    /// Whose.
    pub(crate) account: String,
    /// What their names begin with.
    pub(crate) prefix: String,
    /// In which region; anywhere if `None`.
    pub(crate) region: Option<String>,
    /// Behind which name; all if empty.
    pub(crate) after: String,
    /// How many at the most.
    pub(crate) limit: usize,
}

impl Store {
    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError::BucketExists`] with the one that is there.
    pub(crate) async fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        let key = keys::bucket(&bucket.name);
        self.catalogue
            .transact(|transaction| match transaction.get::<Bucket>(&key)? {
                Some(existing) => Err(StoreError::BucketExists(Box::new(existing))),
                None => transaction.put(key.clone(), &bucket),
            })
            .await
    }

    /// Finds a bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`].
    pub(crate) fn bucket(&self, name: &BucketName) -> Result<Bucket, StoreError> {
        let found = self.catalogue.read()?.get(&keys::bucket(name))?;
        found.ok_or_else(|| StoreError::NoSuchBucket(name.clone()))
    }

    /// Changes a bucket; `change` may run more than once.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`].
    pub(crate) async fn update_bucket(
        &self,
        name: &BucketName,
        mut change: impl FnMut(&mut Bucket),
    ) -> Result<(), StoreError> {
        let key = keys::bucket(name);
        self.catalogue
            .transact(|transaction| {
                let found = transaction.get::<Bucket>(&key)?;
                let mut bucket = found.ok_or_else(|| StoreError::NoSuchBucket(name.clone()))?;
                change(&mut bucket);
                transaction.put(key.clone(), &bucket)
            })
            .await
    }

    /// Removes an empty bucket. It is still empty when that commits: no write slips in between.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBucket`], [`StoreError::BucketNotEmpty`].
    pub(crate) async fn delete_bucket(&self, name: &BucketName) -> Result<(), StoreError> {
        let key = keys::bucket(name);
        self.catalogue
            .transact(|transaction| {
                if transaction.get::<Bucket>(&key)?.is_none() {
                    return Err(StoreError::NoSuchBucket(name.clone()));
                }
                if !transaction.is_empty(&keys::objects(name))? {
                    return Err(StoreError::BucketNotEmpty(name.clone()));
                }
                transaction.delete(key.clone());
                Ok(())
            })
            .await
    }

    /// Buckets in the order of their names, and whether there are more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Catalogue`].
    pub(crate) fn list_buckets(
        &self,
        page: &BucketPage,
    ) -> Result<(Vec<Bucket>, bool), StoreError> {
        let mut buckets = Vec::new();
        let mut truncated = false;
        self.catalogue.read()?.scan(
            keys::BUCKETS,
            &keys::buckets_from(&page.after),
            |bucket: Bucket| {
                if !page.takes(&bucket) {
                    return Ok(ControlFlow::Continue(()));
                }
                if buckets.len() == page.limit {
                    truncated = true;
                    return Ok(ControlFlow::Break(()));
                }
                buckets.push(bucket);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok((buckets, truncated))
    }
}

impl BucketPage {
    fn takes(&self, bucket: &Bucket) -> bool {
        bucket.account == self.account
            && bucket.name.as_str() > self.after.as_str()
            && bucket.name.as_str().starts_with(&self.prefix)
            && self
                .region
                .as_deref()
                .is_none_or(|region| region == bucket.region())
    }
}
