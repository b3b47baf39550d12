//! Putting the house together: store, keys, identities, services, listener.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;

use crate::auth::authenticator::Authenticator;
use crate::auth::identities::{Identities, is_account};
use crate::auth::sessions::{self, Sessions};
use crate::clock::Clock;
use crate::config::{Authentication, Config, is_region};
use crate::control::folder;
use crate::control::gate::Gate;
use crate::control::service::ControlService;
use crate::control::state::{Provision, State};
use crate::entropy::Entropy;
use crate::faults::rules::Faults;
use crate::journal::kms_calls::KmsCalls;
use crate::journal::requests::Requests;
use crate::keyring::handle::{Keyring, KeyringParts};
use crate::keyring::root_key::RootKey;
use crate::kms::service::KmsService;
use crate::model::bucket_name::BucketName;
use crate::model::timestamp::Timestamp;
use crate::provision;
use crate::running::{Running, StartError};
use crate::s3::context::Settings;
use crate::s3::service::S3Service;
use crate::s3::target::Hosts;
use crate::s3::workers::Workers;
use crate::seed::client::root;
use crate::seed::load;
use crate::server::bounds::Bounds;
use crate::server::dispatch::{Dispatch, Protocol};
use crate::server::filter::Front;
use crate::server::health::Health;
use crate::server::listener::Listener;
use crate::server::open_files;
use crate::server::panics::Panics;
use crate::server::tls::Tls;
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::handle::{Store, StoreOptions};
use crate::sts::service::StsService;
use crate::wire::json_lines::Finding;

/// The server.
#[derive(Clone, Copy, Debug)]
pub struct Emulator;

/// What is made once and shared by all.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    entropy: Entropy,
    pub(crate) store: Store,
    kms_calls: KmsCalls,
    requests: Requests,
    panics: Panics,
    faults: Faults,
}

/// A server that nobody can reach yet.
pub(crate) struct Prepared {
    parts: Parts,
    state: Arc<State>,
    pub(crate) front: Front,
    pub(crate) tls: Arc<Tls>,
}

/// All protocols.
pub(crate) struct Services {
    pub(crate) s3: Arc<S3Service>,
    pub(crate) kms: Arc<KmsService>,
    sts: Arc<StsService>,
}

/// All that answers, whether or not anybody listens.
pub(crate) struct Household {
    pub(crate) parts: Parts,
    pub(crate) services: Services,
}

impl Emulator {
    /// Starts a server on the current runtime; when this returns, it answers, and what its settings name is there.
    ///
    /// # Errors
    ///
    /// [`StartError`] for a taken port, a folder that cannot be used or is in use, a lost root key, a bad setting, a seed that cannot be loaded.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        open_files::raise();
        let refused = |error: io::Error| taken(config.listen, &error);
        // First: where the port is taken, nothing else is touched.
        let listener = Listener::bind(config.listen).map_err(refused)?;
        let Prepared {
            parts,
            state,
            front,
            tls,
        } = prepare(&config).await?;
        Ok(Running {
            address: listener.address(),
            clock: parts.clock,
            store: parts.store,
            kms_calls: parts.kms_calls,
            requests: parts.requests,
            state,
            panics: parts.panics,
            tls: Arc::clone(&tls),
            serving: listener.serve(Arc::new(front), tls).map_err(refused)?,
        })
    }
}

/// Everything but the port.
///
/// # Errors
///
/// As [`Emulator::start`].
pub(crate) async fn prepare(config: &Config) -> Result<Prepared, StartError> {
    let Household { parts, services } = assemble(config).await?;
    let tls = Arc::new(Tls::prepare(config).map_err(StartError::of)?);
    let state = Arc::new(state(config, &parts, &services));
    let making = (state.provision)().map_err(StartError)?;
    making.await.map_err(StartError)?;
    let front = front(config, &parts, services, (&state, &tls));
    Ok(Prepared {
        parts,
        state,
        front,
        tls,
    })
}

/// Store, keys and services, which nobody can reach from outside yet.
///
/// # Errors
///
/// [`StartError`] for a folder that cannot be used or is in use, a lost root key, a bad setting.
pub(crate) async fn assemble(config: &Config) -> Result<Household, StartError> {
    check(config)?;
    let parts = open(config).await?;
    let root = root_key(config, &parts.store, &parts.entropy)?;
    let keyring = Arc::new(open_keyring(&root, &parts).await?);
    let sessions = Sessions::new(&root.subkey(sessions::PURPOSE));
    let authenticator = Arc::new(authenticator(config, sessions)?);
    let services = Services::new(config, &parts, &keyring, &authenticator);
    Ok(Household { parts, services })
}

/// What would only show when the first client comes.
fn check(config: &Config) -> Result<(), StartError> {
    let Config {
        account, region, ..
    } = config;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_host = |host: &str| {
        host.split('.')
            .all(|label| !label.is_empty() && label.bytes().all(name))
    };
    let bad_host = config.hosts.iter().find(|host| !is_host(host));
    let refused = match bad_host {
        _ if !is_account(account) => format!("the account `{account}` is not twelve digits"),
        _ if !is_region(region) => format!("`{region}` is no region; one is like eu-west-1"),
        Some(host) => {
            format!("`{host}` is no host; one is a DNS name without scheme and port, like s3.test")
        }
        None => return Ok(()),
    };
    Err(StartError(refused))
}

async fn open(config: &Config) -> Result<Parts, StartError> {
    if config.entropy_seed.is_some() && config.data.is_some() {
        let refused = "an entropy seed draws the same names at each start, and would overwrite what a data folder holds";
        return Err(StartError(refused.to_owned()));
    }
    let clock = config.clock.map_or_else(Clock::system, |time| {
        Clock::at(Timestamp::from_system(time))
    });
    let entropy = config
        .entropy_seed
        .map_or_else(Entropy::system, Entropy::seeded);
    let options = StoreOptions {
        folder: config
            .data
            .clone()
            .map_or(Folder::Ephemeral, Folder::Durable),
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let opening = tokio::task::spawn_blocking(move || Store::open(options));
    let store = opening
        .await
        .map_err(StartError::of)?
        .map_err(|error| match error {
            StoreError::FolderInUse(_) => StartError(format!(
                "{error}: stop that one, or give this one another folder"
            )),
            StoreError::Io { ref source, .. } if is_about_place(source.kind()) => {
                StartError(format!("{error}; {}", place_hint(config)))
            }
            other => StartError::of(other),
        })?;
    Ok(Parts {
        clock,
        entropy,
        store,
        kms_calls: KmsCalls::default(),
        requests: Requests::default(),
        panics: Panics::default(),
        faults: Faults::default(),
    })
}

/// Whether another folder would have done.
fn is_about_place(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::NotFound
    )
}

fn place_hint(config: &Config) -> &'static str {
    match config.data {
        Some(_) => "--data needs a folder that this user can write",
        None => "set TMPDIR to a folder that this user can write, or keep the data with --data DIR",
    }
}

fn state(config: &Config, parts: &Parts, services: &Services) -> State {
    State {
        runtime: Handle::current(),
        store: parts.store.clone(),
        keyring: Arc::clone(&services.s3.keyring),
        clock: parts.clock.clone(),
        entropy: parts.entropy.clone(),
        requests: parts.requests.clone(),
        kms_calls: parts.kms_calls.clone(),
        faults: parts.faults.clone(),
        provision: provision(config, services),
        gate: Gate::default(),
        named: Mutex::default(),
    }
}

fn provision(config: &Config, services: &Services) -> Provision {
    let config = Arc::new(config.clone());
    let (s3, kms) = (Arc::clone(&services.s3), Arc::clone(&services.kms));
    Box::new(move || {
        let seeds = load::sources(&config).map_err(|error| error.to_string())?;
        let (config, s3, kms) = (Arc::clone(&config), Arc::clone(&s3), Arc::clone(&kms));
        Ok(Box::pin(async move {
            let made = provision::everything(&config, &seeds, (&s3, &kms)).await;
            made.map_err(|error| error.to_string())
        }))
    })
}

/// All protocols on one port. A later one is one more line.
fn front(
    config: &Config,
    parts: &Parts,
    services: Services,
    (state, tls): (&Arc<State>, &Arc<Tls>),
) -> Front {
    let Services { s3, kms, sts } = services;
    let buckets = Arc::clone(&s3);
    let bucket_exists =
        move |name: &str| BucketName::parse(name).is_ok_and(|name| buckets.has_bucket(&name));
    let health = Health::new(
        config.hosts.clone(),
        Arc::new(bucket_exists),
        parts.panics.clone(),
    );
    let tls = Arc::clone(tls);
    let ca_pem = move || {
        tls.ca_pem()
            .map(str::to_owned)
            .map_err(|error| error.to_string())
    };
    let control = ControlService::new(Arc::clone(state), Arc::new(ca_pem), &config.hosts);
    let dispatch = Dispatch::new(health, parts.clock.clone(), parts.entropy.clone())
        .with_control(Arc::new(control))
        .with(Protocol::S3, s3)
        .with(Protocol::Kms, kms)
        .with(Protocol::Sts, sts);
    Front {
        service: Arc::new(dispatch),
        clock: parts.clock.clone(),
        entropy: parts.entropy.clone(),
        bounds: Bounds::default(),
        requests: parts.requests.clone(),
        gate: state.gate.clone(),
        panics: parts.panics.clone(),
        is_crowded: AtomicBool::new(false),
    }
}

fn taken(listen: SocketAddr, error: &io::Error) -> StartError {
    let any = SocketAddr::new(listen.ip(), 0);
    StartError(match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "cannot listen on {listen}: the port is taken; --listen {any} takes one that is free"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "cannot listen on {listen}: the port is for the system alone; take one from 1024 on, or --listen {any}"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            let port = listen.port();
            format!(
                "cannot listen on {listen}: no address of this machine; --listen 0.0.0.0:{port} takes all of them"
            )
        }
        _ => format!("cannot listen on {listen}: {error}"),
    })
}

/// The keys of the store. A root key is made for a new folder alone: over existing data it would lose it for good.
async fn open_keyring(root: &RootKey, parts: &Parts) -> Result<Keyring, StartError> {
    let store = &parts.store;
    let keyring_parts = KeyringParts {
        store: store.clone(),
        clock: parts.clock.clone(),
        entropy: parts.entropy.clone(),
        calls: parts.kms_calls.clone(),
        faults: parts.faults.clone(),
    };
    let keyring = Keyring::new(root, keyring_parts);
    match keyring.fits_store().map_err(StartError::of)? {
        Some(true) => {}
        Some(false) => return Err(StartError(folder::wrong_root_key(store.path()))),
        None => keyring.mark_store().await.map_err(StartError::of)?,
    }
    Ok(keyring)
}

fn root_key(config: &Config, store: &Store, entropy: &Entropy) -> Result<RootKey, StartError> {
    if config.root_key.is_none() && config.data.is_none() {
        return Ok(RootKey::generate(entropy));
    }
    let given = config.root_key.as_ref();
    match folder::root_key(store.path(), given).map_err(StartError::of)? {
        Some(key) => Ok(key),
        None if store.is_fresh() => {
            let path = store.path().join(folder::ROOT_KEY_FILE);
            RootKey::create(&path, entropy).map_err(StartError::of)
        }
        None => Err(StartError(folder::no_root_key(store.path()))),
    }
}

fn authenticator(config: &Config, sessions: Sessions) -> Result<Authenticator, StartError> {
    let mut identities = Identities::new(root(config));
    if let Some(path) = &config.identities {
        let json = std::fs::read(path)
            .map_err(|error| StartError(format!("cannot read `{}`: {error}", path.display())))?;
        identities.add_file(&json).map_err(|finding| {
            let Finding { line, message } = finding;
            StartError(format!("in `{}`, line {line}: {message}", path.display()))
        })?;
    }
    load::identities(config, &mut identities).map_err(StartError::of)?;
    let verifies = config.authentication == Authentication::Verify;
    Ok(Authenticator::new(
        identities,
        sessions,
        &config.region,
        verifies,
    ))
}

impl Services {
    fn new(
        config: &Config,
        parts: &Parts,
        keyring: &Arc<Keyring>,
        authenticator: &Arc<Authenticator>,
    ) -> Self {
        let s3 = S3Service {
            store: parts.store.clone(),
            keyring: Arc::clone(keyring),
            authenticator: Arc::clone(authenticator),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
            hosts: Hosts::new(config.hosts.iter().cloned()),
            workers: Workers::new(),
            settings: Arc::new(Settings {
                new_buckets: config.new_buckets,
                strict_tls: config.strict_tls,
                strict_region: config.strict_region,
            }),
            faults: parts.faults.clone(),
        };
        let kms = KmsService {
            keyring: Arc::clone(keyring),
            authenticator: Arc::clone(authenticator),
            calls: parts.kms_calls.clone(),
            faults: parts.faults.clone(),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
        };
        let sts = StsService {
            authenticator: Arc::clone(authenticator),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
        };
        Self {
            s3: Arc::new(s3),
            kms: Arc::new(kms),
            sts: Arc::new(sts),
        }
    }
}
