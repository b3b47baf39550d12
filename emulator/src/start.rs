//! Putting the house together: store, keys, identities, services, listener.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::Method;
use tokio::sync::watch;

use crate::auth::authenticator::{Authenticator, Identified};
use crate::auth::identities::{Identities, is_account};
use crate::auth::identity::{Caller, Identity};
use crate::auth::payload::PayloadSigning;
use crate::config::Config;
use crate::keyring::data_keys::Keyring;
use crate::keyring::root_key::RootKey;
use crate::model::bucket_name::BucketName;
use crate::running::Running;
use crate::s3::context::Settings;
use crate::s3::service::S3Service;
use crate::s3::target::Hosts;
use crate::server::dispatch::Services;
use crate::server::listener;
use crate::server::tls::{Source, Tls};
use crate::store::folder::Place;
use crate::store::handle::Store;
use crate::sts::service::StsService;
use crate::wire::encoding::parse_base64;
use crate::wire::request::Request;

/// The catalogue's row by which the root key is recognised.
const KEY_CHECK: &str = "root-key-check";

/// The server.
#[derive(Clone, Copy, Debug)]
pub struct Emulator;

/// Why the server did not start: one line that says what to change.
#[derive(Clone, PartialEq, Eq)]
pub struct StartError(String);

impl Emulator {
    /// Starts a server on the current runtime and gives it back when it is ready: buckets are made, the port is open.
    ///
    /// # Errors
    ///
    /// [`StartError`] for a taken port, a folder that cannot be used or is in use, a lost root key, a bad setting.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        check(&config)?;
        let (socket, address) = listener::bind(&config.listen)
            .await
            .map_err(|error| StartError(format!("cannot listen on {}: {error}", config.listen)))?;
        let store = open_store(&config).await?;
        let keyring = Arc::new(open_keyring(&config, &store).await?);
        let identities = identities(&config)?;
        let tls = Arc::new(Tls::new(tls_source(&config)?));
        if let Some(path) = &config.ca_out {
            write_ca(&tls, path)?;
        }
        let services = Arc::new(services(&config, &store, keyring, identities));
        make_buckets(&config, &services.s3).await?;

        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listener::serve(socket, services, Arc::clone(&tls), stopped));
        Ok(Running {
            address: reachable(address),
            clock: config.clock,
            store,
            tls,
            stop,
            serving,
        })
    }
}

fn check(config: &Config) -> Result<(), StartError> {
    if !is_account(&config.account) {
        return Err(StartError(format!(
            "the account `{}` is not twelve digits",
            config.account
        )));
    }
    Ok(())
}

async fn open_store(config: &Config) -> Result<Store, StartError> {
    let place = config.data.clone().map_or(Place::Ephemeral, Place::Durable);
    Store::open(&place, config.clock.clone(), config.entropy.clone())
        .await
        .map_err(StartError::of)
}

/// The keys of the store. A root key is made for a new folder alone: over existing data it would lose it for good.
async fn open_keyring(config: &Config, store: &Store) -> Result<Keyring, StartError> {
    let root = root_key(config, store)?;
    let keyring = Keyring::new(&root, config.entropy.clone());
    let check: Option<String> = store.meta(KEY_CHECK).map_err(StartError::of)?;
    match check {
        Some(check) if hex::decode(&check).is_ok_and(|check| keyring.made(&check)) => Ok(keyring),
        Some(_) => Err(StartError(format!(
            "the root key is not the one that the data in `{}` was encrypted under; without that one the data is lost",
            store.path().display()
        ))),
        None => {
            store
                .set_meta(KEY_CHECK, &hex::encode(keyring.check_value()))
                .await
                .map_err(StartError::of)?;
            Ok(keyring)
        }
    }
}

fn root_key(config: &Config, store: &Store) -> Result<RootKey, StartError> {
    if let Some(given) = &config.root_key {
        let bytes = zeroize::Zeroizing::new(parse_base64(given.trim()).unwrap_or_default());
        return RootKey::from_bytes(&bytes, "STRONGROOM_ROOT_KEY").map_err(StartError::of);
    }
    if config.data.is_none() {
        return Ok(RootKey::generate(&config.entropy));
    }
    let path = store.path().join("root.key");
    match RootKey::load(&path).map_err(StartError::of)? {
        Some(key) => Ok(key),
        None if store
            .meta::<String>(KEY_CHECK)
            .map_err(StartError::of)?
            .is_none() =>
        {
            RootKey::create(&path, &config.entropy).map_err(StartError::of)
        }
        None => Err(StartError(format!(
            "the root key `{}` is missing: put it back, or set STRONGROOM_ROOT_KEY; without it the data is lost",
            path.display()
        ))),
    }
}

fn identities(config: &Config) -> Result<Identities, StartError> {
    let default = Identity::root(&config.account, &config.access_key, &config.secret_key);
    let mut identities = Identities::new(default);
    if let Some(path) = &config.identities {
        let json = std::fs::read(path)
            .map_err(|error| StartError(format!("cannot read `{}`: {error}", path.display())))?;
        identities
            .add_file(&json)
            .map_err(|error| StartError(format!("in `{}`: {}", path.display(), error.0)))?;
    }
    Ok(identities)
}

fn tls_source(config: &Config) -> Result<Source, StartError> {
    match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => Ok(Source::Given {
            cert: cert.clone(),
            key: key.clone(),
        }),
        (None, None) => {
            let folder = config.data.as_ref().map(|data| data.join("tls"));
            Ok(Source::Test {
                folder,
                hosts: config.hosts.clone(),
            })
        }
        _ => Err(StartError(
            "a certificate needs its key, and a key its certificate".to_owned(),
        )),
    }
}

fn write_ca(tls: &Tls, path: &Path) -> Result<(), StartError> {
    let pem = tls.ca_pem().map_err(StartError::of)?;
    std::fs::write(path, pem)
        .map_err(|error| StartError(format!("cannot write `{}`: {error}", path.display())))
}

fn services(
    config: &Config,
    store: &Store,
    keyring: Arc<Keyring>,
    identities: Identities,
) -> Services {
    let authenticator = Arc::new(Authenticator::new(
        identities,
        &config.region,
        config.verify_signatures,
    ));
    let settings = Settings {
        new_buckets: config.new_buckets,
        strict_tls: config.strict_tls,
        strict_region: config.strict_region,
    };
    let s3 = S3Service {
        store: store.clone(),
        keyring,
        authenticator: Arc::clone(&authenticator),
        clock: config.clock.clone(),
        entropy: config.entropy.clone(),
        hosts: Hosts::new(config.hosts.iter().cloned()),
        settings: Arc::new(settings),
    };
    let sts = StsService {
        authenticator,
        clock: config.clock.clone(),
        entropy: config.entropy.clone(),
    };
    Services {
        s3: Arc::new(s3),
        sts,
    }
}

/// Makes the buckets of `--bucket` as any client would; one that is there already stays.
async fn make_buckets(config: &Config, s3: &S3Service) -> Result<(), StartError> {
    for name in &config.buckets {
        let bucket = BucketName::parse(name)
            .map_err(|error| StartError(format!("bucket `{name}`: {error}")))?;
        if s3.has_bucket(&bucket) {
            continue;
        }
        let root = Identity::root(&config.account, &config.access_key, &config.secret_key);
        let caller = Identified {
            caller: Caller::Known(Arc::new(root)),
            region: "us-east-1".to_owned(),
            payload: PayloadSigning::Unsigned,
        };
        let response = s3
            .answer_as(
                Some(caller),
                Request::new(Method::PUT, &format!("/{bucket}"), ""),
            )
            .await;
        if !response.status.is_success() {
            return Err(StartError(format!(
                "cannot make the bucket `{name}`: {}",
                response.status
            )));
        }
    }
    Ok(())
}

/// The address that a client can use: an unspecified one is reached on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr = if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        };
        address.set_ip(loopback);
    }
    address
}

impl StartError {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same line, so that an `unwrap` in a test reads well.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
