//! What the keyring's tests begin with: a keyring over an empty store, and somebody who asks.

use std::sync::Arc;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::faults::rules::Faults;
use crate::journal::kms_calls::{KmsCalls, Through};
use crate::keyring::asker::Asker;
use crate::keyring::handle::{Keyring, KeyringParts};
use crate::keyring::lifecycle::NewKey;
use crate::keyring::root_key::RootKey;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::KmsKey;
use crate::model::timestamp::Timestamp;
use crate::policy::caller::Caller;
use crate::policy::keys::ContextKeys;
use crate::store::folder::Folder;
use crate::store::handle::{Store, StoreOptions};

/// A keyring whose root key comes of a seed, with a clock that stands still.
pub(super) fn keyring(seed: u64) -> Keyring {
    let entropy = Entropy::seeded(seed);
    let clock = Clock::at(Timestamp::from_unix_millis(1_800_000_000_000));
    let store = Store::open(StoreOptions {
        folder: Folder::Ephemeral,
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let parts = KeyringParts {
        store: store.unwrap(),
        clock,
        entropy: entropy.clone(),
        calls: KmsCalls::default(),
        faults: Faults::default(),
    };
    Keyring::new(&RootKey::generate(&entropy), parts)
}

/// The root of the default account, in us-east-1, who calls KMS himself.
pub(crate) fn asker(operation: &'static str) -> Asker {
    let caller = "arn:aws:iam::000000000000:root";
    Asker {
        who: Caller::parse(caller).unwrap(),
        caller: caller.to_owned(),
        account: "000000000000".to_owned(),
        permissions: Arc::default(),
        region: "us-east-1".to_owned(),
        through: Through::Direct,
        operation,
        action: operation,
        context: EncryptionContext::default(),
        facts: ContextKeys::default(),
    }
}

/// The same one through S3.
pub(crate) fn through_s3() -> Asker {
    Asker {
        through: Through::S3,
        ..asker("GenerateDataKey")
    }
}

/// A new key.
pub(crate) async fn key(keyring: &Keyring) -> KmsKey {
    let new = NewKey::default();
    keyring.create_key(&asker("CreateKey"), new).await.unwrap()
}
