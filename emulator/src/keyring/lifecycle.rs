//! The life of a key: made, changed, switched off and on, gone after its window.

use zeroize::Zeroizing;

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::planted::Planted;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::kms_key::{
    AutomaticRotation, Import, KeyManager, KeyMaterial, KeyOrigin, KeySpec, KeyState, KeyUsage,
    KmsKey, MaterialId,
};
use crate::model::kms_name::KeyId;
use crate::model::multi_region::MultiRegion;
use crate::model::timestamp::Timestamp;

/// What a key is made of.
#[derive(Clone, Debug)]
pub(crate) struct NewKey {
    /// What its owner says of it.
    pub(crate) description: String,
    /// Who looks after it.
    pub(crate) manager: KeyManager,
    /// What it is.
    pub(crate) spec: KeySpec,
    /// What it is made for; `None` for the first of what its spec can do.
    pub(crate) usage: Option<KeyUsage>,
    /// Where its material comes from.
    pub(crate) origin: KeyOrigin,
    /// Whether keys in other regions may share its id and material.
    pub(crate) is_of_many_regions: bool,
    /// Its tags.
    pub(crate) tags: Vec<(String, String)>,
    /// Its policy; `None` for the usual one.
    pub(crate) policy: Option<String>,
    /// What is fixed of it.
    pub(crate) planted: Planted,
}

impl Default for NewKey {
    /// An enabled symmetric key of its owner's.
    fn default() -> Self {
        Self {
            description: String::new(),
            manager: KeyManager::Customer,
            spec: KeySpec::SymmetricDefault,
            usage: None,
            origin: KeyOrigin::AwsKms,
            is_of_many_regions: false,
            tags: Vec::new(),
            policy: None,
            planted: Planted::default(),
        }
    }
}

impl Keyring {
    /// Makes a key in the asker's region and account.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`]; `KeyExists` for a fixed id that is taken; [`KeyringError::Unwrap`] for a pair that cannot be
    /// made.
    pub(crate) async fn create_key(
        &self,
        asker: &Asker,
        new: NewKey,
    ) -> Result<KmsKey, KeyringError> {
        let mut new = new;
        new.planted.material = self.planted_material(new.spec, &new.planted).await?;
        let pair = self.first_pair(&new).await?;
        let key = self.new_key(asker, new, pair);
        self.store.create_kms_key(&key, None).await?;
        Ok(key)
    }

    /// A key that is not kept yet; `pair` is the PKCS#8 of a key that is one.
    pub(super) fn new_key(
        &self,
        asker: &Asker,
        new: NewKey,
        pair: Option<Zeroizing<Vec<u8>>>,
    ) -> KmsKey {
        let Planted {
            id,
            material,
            valid_to,
            rotations,
            rotation_period_days,
            is_disabled,
        } = new.planted;
        let id = id.unwrap_or_else(|| self.new_id(new.is_of_many_regions));
        let created = self.clock.now();
        let enabled = if is_disabled {
            KeyState::Disabled
        } else {
            KeyState::Enabled
        };
        let (state, materials) = match new.origin {
            KeyOrigin::AwsKms => {
                let material = match (material, pair) {
                    (Some(bytes), _) => self.fixed_material(&id, &bytes, created),
                    (None, Some(pair)) => {
                        let named = (&id, MaterialId(self.entropy.bytes()));
                        self.wrap_material(named, &pair, created)
                    }
                    (None, None) => self.new_material(&id, new.spec, created),
                };
                let turned = self.planted_rotations((&id, new.spec), &rotations, created);
                (enabled, [vec![material], turned].concat())
            }
            KeyOrigin::External => match material {
                Some(bytes) => {
                    let material = self.fixed_material(&id, &bytes, created);
                    (enabled, vec![brought(material, valid_to)])
                }
                None => (KeyState::PendingImport, Vec::new()),
            },
        };
        KmsKey {
            id,
            region: asker.region.clone(),
            account: asker.account.clone(),
            created,
            description: new.description,
            manager: new.manager,
            spec: new.spec,
            chosen_usage: new.usage,
            origin: new.origin,
            state,
            materials,
            pending_rotation: None,
            rotation: rotation_period_days.map(|period_days| AutomaticRotation {
                period_days,
                next: created.plus_days(period_days),
            }),
            tags: new.tags,
            policy: new.policy,
            multi_region: MultiRegion::default(),
        }
    }

    fn new_id(&self, is_of_many_regions: bool) -> KeyId {
        if is_of_many_regions {
            return KeyId::of_parts(true, self.entropy.bytes());
        }
        KeyId::parse(&self.entropy.uuid()).expect("a UUID is an id")
    }

    /// Sends a key to its end, so many days from now; a primary with replicas waits for theirs first.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for its state; [`KeyringError::Store`].
    pub(crate) async fn schedule_deletion(
        &self,
        key: &KmsKey,
        window_days: u32,
    ) -> Result<KmsKey, KeyringError> {
        let now = self.clock.now();
        // Replicas whose time has come count no more.
        self.relatives(key).await?;
        let change = |key: &mut KmsKey| {
            key.state = if key.multi_region.replicas.is_empty() {
                let deletion = now.plus_days(window_days);
                KeyState::PendingDeletion { deletion }
            } else {
                KeyState::PendingReplicaDeletion {
                    window_days,
                    last_gone: now,
                }
            };
            Ok(())
        };
        self.change_key(key, Need::Change, change).await
    }

    /// Changes a key whose state allows it; both are decided at one moment.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for its state, or of `change`; [`KeyringError::Store`].
    pub(crate) async fn change_key(
        &self,
        key: &KmsKey,
        need: Need,
        mut change: impl FnMut(&mut KmsKey) -> Result<(), Refusal>,
    ) -> Result<KmsKey, KeyringError> {
        let now = self.clock.now();
        let missing = |key: &KmsKey| Refusal::NoSuchKey(key.arn());
        let checked = |current: &mut KmsKey| {
            if current.is_gone(now) {
                return Err(missing(current));
            }
            if current.has_expired_material(now) {
                current.drop_expired(now);
            }
            need.check(current)?;
            change(current)
        };
        let place = (key.region.as_str(), &key.id);
        let changed = self.store.update_kms_key(place, checked).await?;
        Ok(changed.ok_or_else(|| missing(key))??)
    }
}

/// Material as its owner brings it.
fn brought(material: KeyMaterial, valid_to: Option<Timestamp>) -> KeyMaterial {
    let import = Import {
        description: None,
        valid_to,
    };
    KeyMaterial {
        import: Some(import),
        ..material
    }
}
