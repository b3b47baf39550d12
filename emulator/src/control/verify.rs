//! Whether everything in a data folder that no server holds is what was written: every row is read, and every sealed body
//! opened to its end, as far as its key is at hand. The folder stays as it is.

use std::path::PathBuf;

use crate::config::Secret;
use crate::control::blob_check::{self, Broken};
use crate::control::damage::{Damage, DamageCause, Tally, VerifyNote};
use crate::control::folder::{keyring_of, open_to_look};
use crate::control::layout::layers_of;
use crate::crypto::data_key::DataKey;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::KmsKey;
use crate::model::object::BlobPlace;
use crate::model::sealing::Sealing;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::inventory::{Inventory, Met, NamedBody, Owner, OwnerId, Unnamed};
use crate::store::row_name::RowName;

/// What stands for a file where a blob lies in the catalogue.
const CATALOGUE: &str = "catalogue";

/// A data folder that somebody wants to have verified.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The data folder, which no server may hold.
    pub folder: PathBuf,
    /// Its root key in base64, where it has no `root.key`.
    pub root_key: Option<Secret>,
}

/// What is told while a folder is verified.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Verified<'v> {
    /// Something is damaged.
    Damage(&'v Damage),
    /// Something is worth a note.
    Note(&'v VerifyNote),
    /// Another blob was looked at; holds what was until now.
    Progress(Tally),
}

impl Verification {
    /// Verifies the folder, and tells what it finds as it goes; how much it has looked at in the end. Memory is bounded:
    /// bodies are read in pieces. Blocks.
    ///
    /// # Errors
    ///
    /// One line, where the folder cannot be verified: it is not ours, a server holds it, its root key is missing or
    /// another one's, its catalogue is that of a newer program or too damaged to be read.
    pub fn run(&self, tell: &mut dyn FnMut(Verified<'_>)) -> Result<Tally, String> {
        let store = open_to_look(&self.folder).map_err(|error| match error {
            StoreError::FolderInUse(_) => format!("{error}: stop its server first"),
            other => other.to_string(),
        })?;
        if store.is_fresh() {
            // There may be no root key yet, and nothing was lost that it would open.
            return Ok(Tally::default());
        }
        let keyring = keyring_of(&store, self.root_key.as_ref())?;
        let mut tally = Tally::default();
        // A page that was altered does not keep us from reading what can be read.
        match store.check_pages() {
            Ok(()) => {}
            Err(error @ StoreError::Corrupted { .. }) => {
                tally.damaged += 1;
                tell(Verified::Damage(&Damage {
                    cause: DamageCause::Catalogue(error.to_string()),
                    ..of_catalogue()
                }));
            }
            Err(error) => return Err(error.to_string()),
        }
        let walked = walk((&store, &keyring), tally, tell);
        walked.map_err(|error| error.to_string())
    }
}

/// Verifies what rows tell of; adds to what was found so far.
fn walk(
    (store, keyring): (&Store, &Keyring),
    tally: Tally,
    tell: &mut dyn FnMut(Verified<'_>),
) -> Result<Tally, StoreError> {
    let inventory = store.inventory()?;
    let mut check = Check {
        keyring,
        inventory: &inventory,
        tell,
        tally,
        keys: Keys::Elsewhere,
    };
    inventory.walk(&mut |met| check.meet(met))?;
    Ok(check.tally)
}

struct Check<'c> {
    keyring: &'c Keyring,
    inventory: &'c Inventory,
    tell: &'c mut dyn FnMut(Verified<'_>),
    tally: Tally,
    /// Those of the owner whose bodies are being met.
    keys: Keys,
}

/// The keys of a body.
enum Keys {
    /// One a layer, the outermost first.
    Here(Vec<DataKey>),
    /// The customer has it, or nobody any more.
    Elsewhere,
}

impl Check<'_> {
    fn meet(&mut self, met: Met<'_>) {
        match met {
            Met::Bucket => self.tally.buckets += 1,
            Met::KmsKey(key) => self.kms_key(key),
            Met::Marker => self.tally.delete_markers += 1,
            Met::Owner(owner) => self.owner(owner),
            Met::Body(owner, body) => self.body(owner, body),
            Met::BadRow(row, finding) => self.bad_row(row, finding),
            Met::Unnamed(unnamed) => (self.tell)(Verified::Note(&note_of(unnamed))),
        }
    }

    fn kms_key(&mut self, key: &KmsKey) {
        self.tally.kms_keys += 1;
        if let Err(error) = self.keyring.check_materials(key) {
            self.damaged(&Damage {
                kms_key_arn: Some(key.arn()),
                cause: DamageCause::Key(error.to_string()),
                ..of_catalogue()
            });
        }
    }

    fn owner(&mut self, owner: &Owner) {
        match owner.id {
            OwnerId::Version(_) => self.tally.versions += 1,
            OwnerId::Upload(_) => self.tally.uploads += 1,
        }
        let arn = format!("{}/{}", owner.bucket.arn(), owner.key);
        let context = EncryptionContext::of_s3(&arn);
        self.keys = match self.keyring.reveal(&owner.sealing, &context) {
            Ok(keys) if keys.is_empty() => Keys::Elsewhere,
            Ok(keys) => Keys::Here(keys),
            Err(error) => {
                self.no_key(owner, &error);
                Keys::Elsewhere
            }
        };
    }

    fn no_key(&mut self, owner: &Owner, error: &KeyringError) {
        let arn = owner.sealing.kms().map(|kms| &kms.key_arn);
        if let (KeyringError::Refused(Refusal::PendingImport(_)), Some(arn)) = (error, arn) {
            let note = VerifyNote::MaterialGone {
                bucket: owner.bucket.to_string(),
                key: owner.key.to_string(),
                kms_key_arn: arn.clone(),
            };
            (self.tell)(Verified::Note(&note));
            return;
        }
        if let (KeyringError::Refused(Refusal::NoSuchKey(_)), Some(arn)) = (error, arn)
            && self.keyring.is_gone(arn).is_ok_and(|is_gone| is_gone)
        {
            let note = VerifyNote::KeyGone {
                bucket: owner.bucket.to_string(),
                key: owner.key.to_string(),
                kms_key_arn: arn.clone(),
            };
            (self.tell)(Verified::Note(&note));
            return;
        }
        self.damaged(&Damage {
            cause: DamageCause::Key(error.to_string()),
            ..of_owner(owner)
        });
    }

    fn body(&mut self, owner: &Owner, body: &NamedBody) {
        self.tally.blobs += 1;
        if let Err(cause) = self.check(owner, body) {
            let blob_id = body.blob.id.to_string();
            self.damaged(&Damage {
                part_number: body.part,
                place: match body.blob.place {
                    BlobPlace::Catalogue => CATALOGUE.to_owned(),
                    BlobPlace::File => format!("blobs/{}/{blob_id}", &blob_id[..2]),
                },
                blob_id: Some(blob_id),
                cause,
                ..of_owner(owner)
            });
        }
        (self.tell)(Verified::Progress(self.tally));
    }

    fn check(&mut self, owner: &Owner, body: &NamedBody) -> Result<(), DamageCause> {
        let expected_bytes = body.blob.sealed_bytes;
        let found_bytes = self
            .inventory
            .measure(body.blob)
            .map_err(|error| unreadable(&error))?;
        let found_bytes = found_bytes.ok_or(DamageCause::Missing)?;
        self.tally.bytes += found_bytes;
        if found_bytes < expected_bytes {
            return Err(DamageCause::Cut {
                found_bytes,
                expected_bytes,
            });
        }
        if found_bytes > expected_bytes {
            return Err(DamageCause::Longer {
                found_bytes,
                expected_bytes,
            });
        }
        let length = DamageCause::Length {
            sealed_bytes: expected_bytes,
            size_bytes: body.size_bytes,
        };
        let innermost = layers_of(expected_bytes, layers(&owner.sealing));
        let innermost = innermost.and_then(|layers| layers.last().copied());
        if innermost.is_none_or(|layer| layer.plaintext_bytes != body.size_bytes) {
            return Err(length);
        }
        let reader = self
            .inventory
            .open(body.blob)
            .map_err(|error| unreadable(&error))?;
        let Keys::Here(keys) = &self.keys else {
            self.tally.unopened += 1;
            return blob_check::check_header(&reader).map_err(|broken| cause_of(broken, length));
        };
        let blob_id = body.blob.id.to_string();
        blob_check::check(&reader, &blob_id, keys, body.size_bytes)
            .map_err(|broken| cause_of(broken, length))
    }

    fn bad_row(&mut self, row: &RowName, finding: &str) {
        self.damaged(&Damage {
            bucket: row.bucket.clone(),
            key: row.key.clone(),
            cause: DamageCause::Row {
                name: row.to_string(),
                finding: finding.to_owned(),
            },
            ..of_catalogue()
        });
    }

    fn damaged(&mut self, damage: &Damage) {
        self.tally.damaged += 1;
        (self.tell)(Verified::Damage(damage));
    }
}

/// How many layers a body has.
fn layers(sealing: &Sealing) -> usize {
    match sealing {
        Sealing::DsseKms { .. } => 2,
        Sealing::SseS3 { .. } | Sealing::SseKms(_) | Sealing::SseC { .. } => 1,
    }
}

fn of_catalogue() -> Damage {
    Damage {
        place: CATALOGUE.to_owned(),
        ..Damage::default()
    }
}

fn of_owner(owner: &Owner) -> Damage {
    let (version_id, upload_id) = match owner.id {
        OwnerId::Version(id) => (Some(id.to_string()), None),
        OwnerId::Upload(id) => (None, Some(id.to_string())),
    };
    Damage {
        bucket: Some(owner.bucket.to_string()),
        key: Some(owner.key.to_string()),
        version_id,
        upload_id,
        ..of_catalogue()
    }
}

fn note_of(unnamed: &Unnamed) -> VerifyNote {
    match unnamed {
        Unnamed::File { path, goes } => VerifyNote::Unnamed {
            place: path.display().to_string(),
            blob_id: path.file_name().unwrap_or_default().display().to_string(),
            goes: *goes,
        },
        Unnamed::Body(blob) => VerifyNote::Unnamed {
            place: CATALOGUE.to_owned(),
            blob_id: blob.to_string(),
            goes: false,
        },
    }
}

fn cause_of(broken: Broken, length: DamageCause) -> DamageCause {
    match broken {
        Broken::Tag { layer, segment } => DamageCause::Tag { layer, segment },
        Broken::Header { layer } => DamageCause::Header { layer },
        Broken::Size => length,
        Broken::Unreadable(error) => unreadable(&error),
    }
}

fn unreadable(error: &StoreError) -> DamageCause {
    DamageCause::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::clock::Clock;
    use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
    use crate::entropy::Entropy;
    use crate::faults::rules::Faults;
    use crate::journal::kms_calls::KmsCalls;
    use crate::keyring::fixtures::{asker, key, through_s3};
    use crate::keyring::handle::KeyringParts;
    use crate::keyring::lifecycle::NewKey;
    use crate::keyring::planted::Planted;
    use crate::keyring::root_key::RootKey;
    use crate::keyring::s3_keys::ObjectNeed;
    use crate::model::bucket_name::BucketName;
    use crate::model::kms_key::KeyOrigin;
    use crate::model::object_key::ObjectKey;
    use crate::s3::fixtures::{Shelf, plaintext};

    fn keyring(shelf: &Shelf) -> Keyring {
        let parts = KeyringParts {
            store: shelf.store.clone(),
            clock: Clock::system(),
            entropy: Entropy::system(),
            calls: KmsCalls::default(),
            faults: Faults::default(),
        };
        Keyring::new(&RootKey::generate(&Entropy::seeded(1)), parts)
    }

    /// Keeps an object under SSE-KMS whose key is bound to this one.
    fn keep(shelf: &Shelf, keyring: &Keyring, kms_key: &KmsKey, bound_to: &str) {
        let context = EncryptionContext::of_s3(bound_to);
        let need = ObjectNeed {
            key: Some(kms_key.id.as_str()),
            context: &context,
            under_bucket_key: None,
        };
        let asker = through_s3();
        let wrapped = keyring.wrap_for_s3(&asker, need);
        let (data_key, kms) = shelf.runtime.block_on(wrapped).unwrap();
        shelf.keep(100_000, |blob| {
            let seed = SealSeed {
                salt: [1; 32],
                nonce_prefix: [2; 7],
            };
            let id = blob.to_string();
            let mut sealer = Sealer::new(&data_key, id.as_bytes(), &seed, SEGMENT_BYTES);
            let mut bytes = Vec::new();
            sealer.update(&plaintext(100_000), &mut bytes);
            sealer.finish(&mut bytes);
            bytes
        });
        let bucket = BucketName::parse("photos").unwrap();
        let name = ObjectKey::parse("a").unwrap();
        let version = shelf.store.version(&bucket, &name, None).unwrap();
        let sealing = Sealing::SseKms(kms);
        let swapped = shelf.store.swap_sealing(&bucket, &version, &sealing);
        assert!(shelf.runtime.block_on(swapped).unwrap());
    }

    fn verified(shelf: &Shelf, keyring: &Keyring) -> (Tally, Vec<String>) {
        let mut told = Vec::new();
        let mut tell = |verified: Verified<'_>| match verified {
            Verified::Damage(damage) => told.push(damage.to_string()),
            Verified::Note(note) => told.push(note.to_string()),
            Verified::Progress(_) => {}
        };
        let tally = walk((&shelf.store, keyring), Tally::default(), &mut tell).unwrap();
        (tally, told)
    }

    #[test]
    fn an_object_whose_kms_key_was_deleted_is_a_note_and_no_damage() {
        let shelf = Shelf::new();
        let keyring = keyring(&shelf);
        let kms_key = shelf.runtime.block_on(key(&keyring));
        keep(&shelf, &keyring, &kms_key, "arn:aws:s3:::photos/a");
        let before = verified(&shelf, &keyring);

        let place = (kms_key.region.as_str(), &kms_key.id);
        let deleted = shelf.store.delete_kms_key(place, |_| true);
        shelf.runtime.block_on(deleted).unwrap();
        let (tally, told) = verified(&shelf, &keyring);

        assert_eq!(
            (before.0.blobs, before.0.unopened, before.1.len()),
            (1, 0, 0)
        );
        assert_eq!((tally.blobs, tally.unopened, tally.damaged), (1, 1, 0));
        assert_eq!(
            told,
            [format!(
                "photos/a: nothing opens it any more, as its KMS key {} was deleted",
                kms_key.arn()
            )]
        );
    }

    #[test]
    fn an_object_whose_material_was_taken_away_is_a_note_and_no_damage() {
        let shelf = Shelf::new();
        let keyring = keyring(&shelf);
        let planted = Planted {
            material: Some(Zeroizing::new(vec![7; 32])),
            ..Planted::default()
        };
        let new = NewKey {
            origin: KeyOrigin::External,
            planted,
            ..NewKey::default()
        };
        let asker = asker("CreateKey");
        let made = keyring.create_key(&asker, new);
        let kms_key = shelf.runtime.block_on(made).unwrap();
        keep(&shelf, &keyring, &kms_key, "arn:aws:s3:::photos/a");

        let deleted = keyring.delete_material(&kms_key, None);
        shelf.runtime.block_on(deleted).unwrap();
        let (tally, told) = verified(&shelf, &keyring);

        assert_eq!((tally.blobs, tally.unopened, tally.damaged), (1, 1, 0));
        let arn = kms_key.arn();
        assert_eq!(
            told,
            [format!(
                "photos/a: nothing opens it until the material of its KMS key {arn} is imported again"
            )]
        );
    }

    #[test]
    fn a_key_that_does_not_unwrap_is_damage_and_tells_why() {
        let shelf = Shelf::new();
        let keyring = keyring(&shelf);
        let kms_key = shelf.runtime.block_on(key(&keyring));
        keep(&shelf, &keyring, &kms_key, "arn:aws:s3:::photos/a");
        let other = Keyring::new(
            &RootKey::generate(&Entropy::seeded(2)),
            KeyringParts {
                store: shelf.store.clone(),
                clock: Clock::system(),
                entropy: Entropy::system(),
                calls: KmsCalls::default(),
                faults: Faults::default(),
            },
        );

        let (tally, told) = verified(&shelf, &other);

        assert_eq!((tally.damaged, tally.unopened), (2, 1));
        let arn = kms_key.arn();
        let why =
            format!("cannot unwrap the material of `{arn}`: its authentication tag does not match");
        assert_eq!(
            told,
            [
                format!("the KMS key {arn}: {why}"),
                format!("photos/a, version null: {why}")
            ]
        );
    }
}
