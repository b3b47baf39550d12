//! Material that the owner of a key brings: what is known of it beside its bytes, and which of it is here.
//!
//! A material that was brought once belongs to its key for good. Its bytes may be taken away or expire; then the key waits
//! until the same bytes are brought again.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html>

use crate::model::kms_key::{KeyMaterial, KeyState, KmsKey, MaterialId};
use crate::model::sealing::WrappedKey;
use crate::model::timestamp::Timestamp;

/// `ExpirationModel` of what goes at this moment, or never.
pub(crate) fn expiration_model(valid_to: Option<Timestamp>) -> &'static str {
    if valid_to.is_some() {
        "KEY_MATERIAL_EXPIRES"
    } else {
        "KEY_MATERIAL_DOES_NOT_EXPIRE"
    }
}

impl KeyMaterial {
    /// Whether its bytes are here.
    pub(crate) fn is_present(&self) -> bool {
        !self.wrapped.0.is_empty()
    }

    /// Takes its bytes away, and with them the day on which they would have gone.
    pub(crate) fn drop_bytes(&mut self) {
        self.wrapped = WrappedKey(Vec::new());
        if let Some(import) = &mut self.import {
            import.valid_to = None;
        }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        let valid_to = self.import.as_ref().and_then(|import| import.valid_to);
        valid_to.is_some_and(|valid_to| valid_to <= now)
    }
}

impl KmsKey {
    /// The material of this id whose bytes are here.
    pub(crate) fn material(&self, id: MaterialId) -> Option<&KeyMaterial> {
        let mut present = self.materials.iter().filter(|found| found.is_present());
        present.find(|material| material.id == id)
    }

    /// Whether every material that belongs to it is here, and there is one.
    pub(crate) fn is_complete(&self) -> bool {
        !self.materials.is_empty() && self.materials.iter().all(KeyMaterial::is_present)
    }

    /// When the first of its materials goes; `None` for never.
    pub(crate) fn valid_to(&self) -> Option<Timestamp> {
        let imports = self.materials.iter().filter_map(|one| one.import.as_ref());
        imports.filter_map(|import| import.valid_to).min()
    }

    /// Whether the time of one of its materials has come, be it one that waits for its rotation.
    pub(crate) fn has_expired_material(&self, now: Timestamp) -> bool {
        let all = self.materials.iter().chain(&self.pending_rotation);
        all.into_iter().any(|material| material.is_expired(now))
    }

    /// Takes the bytes away whose time has come.
    // AWS: unverified. That a material which waits for its rotation is forgotten when it expires: it does not belong to
    // its key yet, as is documented.
    pub(crate) fn drop_expired(&mut self, now: Timestamp) {
        self.pending_rotation
            .take_if(|pending| pending.is_expired(now));
        for material in &mut self.materials {
            if material.is_expired(now) {
                material.drop_bytes();
            }
        }
        self.settle_import();
    }

    /// Lets a key whose owner brings its material wait while some is missing, and work when none is any more. One that
    /// waits for its deletion goes on doing so.
    pub(crate) fn settle_import(&mut self) {
        self.state = match self.state {
            KeyState::PendingImport if self.is_complete() => KeyState::Enabled,
            KeyState::Enabled | KeyState::Disabled if !self.is_complete() => {
                KeyState::PendingImport
            }
            state => state,
        };
    }
}
