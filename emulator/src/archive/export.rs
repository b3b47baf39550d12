//! `export`: every bucket of a data folder, and what is current in it, as plain files.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::archive::bodies::{cause, pour};
use crate::archive::folder::Unfinished;
use crate::archive::names::Names;
use crate::archive::settings;
use crate::config::Config;
use crate::keyring::managed::S3_ALIAS;
use crate::model::bucket::Bucket;
use crate::model::kms_key::{KeyManager, KmsKey};
use crate::model::object::ObjectVersion;
use crate::model::sealing::Sealing;
use crate::s3::service::S3Service;
use crate::seed::record::ObjectRecord;
use crate::start::{Household, assemble};
use crate::store::handle::Store;
use crate::store::holdings::Holdings;
use crate::store::listing::ListQuery;

/// How many objects are looked up at once.
const PAGE: usize = 1_000;

/// A data folder that somebody wants as plain files.
#[derive(Clone, Debug)]
pub struct Export {
    /// The settings of its server, with the data folder, which no server may hold.
    pub config: Config,
    /// Which buckets; all of them where none is named.
    pub buckets: Vec<String>,
    /// The folder to write, which is empty or not there.
    pub out: PathBuf,
}

/// What was exported, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Buckets.
    pub buckets: u64,
    /// Objects.
    pub objects: u64,
    /// Bytes of their bodies.
    pub size_bytes: u64,
    /// Objects under keys of their customers, who alone can open them.
    pub customer_keys: u64,
    /// Objects that did not open: under a KMS key that cannot be used, or damaged.
    pub unreadable: u64,
}

/// What an export has just come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// An object was written; so many have been.
    Written(u64),
    /// An object was left out.
    Left {
        /// Its bucket.
        bucket: &'a str,
        /// Its key.
        key: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// Who writes.
struct Exporter<'t> {
    store: Store,
    s3: Arc<S3Service>,
    folder: Unfinished,
    /// The ARNs of the keys that AWS manages.
    managed: BTreeSet<String>,
    done: Exported,
    tell: &'t mut dyn FnMut(Step<'_>),
}

impl Export {
    /// Writes the folder: whole, synced, or not at all. Objects that do not open are left out, and told.
    ///
    /// # Errors
    ///
    /// One line: for what is no data folder, or held by a server, a lost root key, a bucket that is not there, an `out`
    /// that is not empty, and where the system refuses to write.
    pub async fn run(&self, tell: &mut dyn FnMut(Step<'_>)) -> Result<Exported, String> {
        let folder = self.config.data.clone().unwrap_or_default();
        if !Store::lies_in(&folder) {
            let folder = folder.display();
            return Err(format!("`{folder}` is no data folder: it has no catalogue"));
        }
        let Household { parts, services } = assemble(&settings::without_seeds(&self.config))
            .await
            .map_err(line)?;
        let mut holdings = self.wanted(parts.store.holdings().map_err(line)?)?;
        let now = parts.clock.now();
        holdings.kms_keys.retain(|key| !key.is_gone(now));
        let mut exporter = Exporter {
            managed: managed(&holdings),
            store: parts.store,
            s3: services.s3,
            folder: Unfinished::begin(&self.out)?,
            done: Exported::default(),
            tell,
        };
        exporter.write_json("seed.json", &settings::render(&holdings, &exporter.managed))?;
        for bucket in &holdings.buckets {
            exporter.write_bucket(bucket).await?;
        }
        let finishing = exporter.folder;
        let finished = tokio::task::spawn_blocking(move || finishing.finish()).await;
        finished.map_err(line)??;
        Ok(exporter.done)
    }

    /// The buckets that are asked for, and all KMS keys.
    fn wanted(&self, mut holdings: Holdings) -> Result<Holdings, String> {
        let mut wanted: BTreeSet<_> = self.buckets.iter().map(String::as_str).collect();
        if wanted.is_empty() {
            return Ok(holdings);
        }
        let is_wanted = |bucket: &Bucket| wanted.remove(bucket.name.as_str());
        holdings.buckets = holdings.buckets.into_iter().filter(is_wanted).collect();
        match wanted.first() {
            None => Ok(holdings),
            Some(missing) => Err(format!("no bucket is called `{missing}`")),
        }
    }
}

impl Exporter<'_> {
    fn write_json(&self, file: &str, value: &Value) -> Result<(), String> {
        let mut out = self.folder.create(file)?;
        writeln!(out, "{value:#}").map_err(|error| format!("cannot write `{file}`: {error}"))
    }

    /// The lines of a bucket's objects, and a file for each.
    async fn write_bucket(&mut self, bucket: &Bucket) -> Result<(), String> {
        let list = format!("objects/{}.jsonl", bucket.name);
        let failed = |error: std::io::Error| format!("cannot write `{list}`: {error}");
        let mut lines = BufWriter::new(self.folder.create(&list)?);
        let (mut names, mut query) = (
            Names::default(),
            ListQuery {
                limit: PAGE,
                ..ListQuery::default()
            },
        );
        loop {
            let page = self.store.list(&bucket.name, &query).map_err(line)?;
            for version in &page.versions {
                let file = names.give(&bucket.name, version.key.as_str());
                if let Some(record) = self.write_object(bucket, version, file).await? {
                    let record = serde_json::to_string(&record).map_err(line)?;
                    writeln!(lines, "{record}").map_err(failed)?;
                }
            }
            query.start_after = page.next;
            if query.start_after.is_none() {
                break;
            }
        }
        self.done.buckets += 1;
        lines.flush().map_err(failed)
    }

    /// `None` for one that is left out.
    async fn write_object(
        &mut self,
        bucket: &Bucket,
        version: &ObjectVersion,
        file: String,
    ) -> Result<Option<ObjectRecord>, String> {
        if matches!(version.content.sealing, Sealing::SseC { .. }) {
            self.done.customer_keys += 1;
            self.leave(bucket, version, "it is under a key that its customer keeps");
            return Ok(None);
        }
        let plaintext = match self.s3.open_stored(bucket, version).await {
            Ok(plaintext) => plaintext,
            Err(error) => return Ok(self.leave_unread(bucket, version, &cause(&error))),
        };
        let out = self.folder.create(&file)?;
        let checksum = version.content.checksum.clone();
        let pouring = tokio::task::spawn_blocking(move || pour(plaintext, out, checksum.as_ref()));
        match pouring.await.map_err(line)? {
            Ok((size_bytes, checksum)) => {
                self.done.objects += 1;
                self.done.size_bytes += size_bytes;
                (self.tell)(Step::Written(self.done.objects));
                let record = self.describe(version, file);
                Ok(Some(ObjectRecord { checksum, ..record }))
            }
            Err(error) => {
                self.folder.remove(&file);
                Ok(self.leave_unread(bucket, version, &error))
            }
        }
    }

    fn describe(&self, version: &ObjectVersion, file: String) -> ObjectRecord {
        let mut record = ObjectRecord::of(version.key.as_str(), file, &version.content);
        // AWS's own key is another one in another folder: there it is made when it is first needed.
        if let Some(encryption) = &mut record.encryption
            && let Some(key) = &mut encryption.kms_key
            && self.managed.contains(key)
        {
            S3_ALIAS.clone_into(key);
        }
        record
    }

    fn leave_unread<T>(
        &mut self,
        bucket: &Bucket,
        version: &ObjectVersion,
        reason: &str,
    ) -> Option<T> {
        self.done.unreadable += 1;
        self.leave(bucket, version, reason);
        None
    }

    fn leave(&mut self, bucket: &Bucket, version: &ObjectVersion, reason: &str) {
        (self.tell)(Step::Left {
            bucket: bucket.name.as_str(),
            key: version.key.as_str(),
            reason,
        });
    }
}

fn managed(holdings: &Holdings) -> BTreeSet<String> {
    let keys = holdings.kms_keys.iter();
    let managed = keys.filter(|key| key.manager == KeyManager::Aws);
    managed.map(KmsKey::arn).collect()
}

fn line(error: impl fmt::Display) -> String {
    error.to_string()
}
