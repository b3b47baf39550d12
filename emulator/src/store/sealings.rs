//! How a stored version is sealed, changed while its body stays where it is.

use crate::model::bucket_name::BucketName;
use crate::model::object::{AnyVersion, ObjectVersion};
use crate::model::sealing::Sealing;
use crate::store::catalogue::Transaction;
use crate::store::error::StoreError;
use crate::store::handle::Store;

impl Store {
    /// Stores another wrapping of a version's data key. Whether it did: not where the version is gone meanwhile, or has
    /// another body or another wrapping than `read`, of which `sealing` was made.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn swap_sealing(
        &self,
        bucket: &BucketName,
        read: &ObjectVersion,
        sealing: &Sealing,
    ) -> Result<bool, StoreError> {
        let work = |tx: &mut Transaction| {
            let now = tx.named(bucket, &read.key, read.version_id)?;
            let Some((row, AnyVersion::Object(mut version))) = now else {
                return Ok(false);
            };
            if version.body != read.body || version.content.sealing != read.content.sealing {
                return Ok(false);
            }
            version.content.sealing = sealing.clone();
            tx.put_back(bucket, row, *version)?;
            Ok(true)
        };
        self.catalogue().transact(None, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures::{LARGE, deletion, key, photos, put, read, with_photos};

    fn sealing(number: u8) -> Sealing {
        let key_md5 = [number; 16];
        Sealing::SseC { key_md5 }
    }

    async fn swap(store: &Store, read: &ObjectVersion, number: u8) -> bool {
        let sealing = sealing(number);
        let swapped = store.swap_sealing(&photos(), read, &sealing).await;
        swapped.unwrap()
    }

    #[tokio::test]
    async fn the_sealing_changes_and_nothing_else() {
        let store = with_photos().await;
        for body in [&b"small"[..], &LARGE] {
            let before = put(&store, "a", body).await.unwrap();

            let swapped = swap(&store, &before, 1).await;

            assert!(swapped);
            let mut after = store.version(&photos(), &key("a"), None).unwrap();
            assert_eq!(after.content.sealing, sealing(1));
            after.content.sealing = before.content.sealing.clone();
            assert_eq!(after, before);
            assert_eq!(read(&store, "a").unwrap(), body);
        }
    }

    #[tokio::test]
    async fn a_version_that_changed_meanwhile_keeps_what_it_has() {
        let store = with_photos().await;
        let read = put(&store, "a", &LARGE).await.unwrap();
        let replaced = put(&store, "a", &LARGE).await.unwrap();

        let stale_body = swap(&store, &read, 1).await;
        assert_eq!(store.version(&photos(), &key("a"), None).unwrap(), replaced);
        let first = swap(&store, &replaced, 1).await;
        let stale_sealing = swap(&store, &replaced, 2).await;
        store.delete(&photos(), &deletion("a")).await.unwrap();
        let gone = swap(&store, &replaced, 3).await;

        assert_eq!(
            (stale_body, first, stale_sealing, gone),
            (false, true, false, false)
        );
        assert!(store.version(&photos(), &key("a"), None).is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_many_that_read_the_same_version_one_swaps() {
        let store = with_photos().await;
        let read = put(&store, "a", &LARGE).await.unwrap();
        let swaps = (1..=32).map(|number| {
            let (store, read) = (store.clone(), read.clone());
            tokio::spawn(async move { swap(&store, &read, number).await.then_some(number) })
        });

        let mut won = Vec::new();
        for swap in swaps.collect::<Vec<_>>() {
            won.extend(swap.await.unwrap());
        }

        let now = store.version(&photos(), &key("a"), None).unwrap();
        let [winner] = won[..] else {
            panic!("one: {won:?}")
        };
        assert_eq!(now.content.sealing, sealing(winner));
    }
}
