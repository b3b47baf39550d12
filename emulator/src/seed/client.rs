//! Asks S3 and KMS in process, as the root of an account, who need not sign: what a server is told to hold is made as any
//! client would make it.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::auth::authenticator::Identified;
use crate::auth::identity::{Caller, Identity};
use crate::auth::payload::PayloadSigning;
use crate::config::Config;
use crate::keyring::planted::Planted;
use crate::kms::service::KmsService;
use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::kms_name::KeyId;
use crate::s3::service::S3Service;
use crate::wire::body::Body;
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::{self, XmlWriter};

/// Where a bucket of any region can be made.
const ANY_REGION: &str = "us-east-1";

/// Whoever asks in process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InProcess<'a> {
    pub(crate) config: &'a Config,
    pub(crate) s3: &'a S3Service,
    pub(crate) kms: &'a KmsService,
}

/// Whose something is, and where it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl InProcess<'_> {
    /// Where something lives that says nothing of it: in the default account and `--region`.
    pub(crate) fn home(&self) -> Home {
        Home {
            account: self.config.account.clone(),
            region: self.config.region.clone(),
        }
    }

    /// Asks KMS.
    ///
    /// # Errors
    ///
    /// One line: exception and message.
    pub(crate) async fn kms(
        &self,
        home: &Home,
        operation: &str,
        body: &Value,
    ) -> Result<Value, String> {
        self.kms.call(self.root_of(home), operation, body).await
    }

    /// What KMS tells of a key; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`InProcess::kms`].
    pub(crate) async fn describe_key(
        &self,
        home: &Home,
        name: &str,
    ) -> Result<Option<Value>, String> {
        let body = serde_json::json!({ "KeyId": name });
        match self.kms(home, "DescribeKey", &body).await {
            Ok(mut told) => Ok(Some(told["KeyMetadata"].take())),
            Err(error) if error.starts_with("NotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a KMS key of which something is fixed.
    ///
    /// # Errors
    ///
    /// As [`InProcess::kms`].
    pub(crate) async fn plant_key(
        &self,
        home: &Home,
        body: &Value,
        planted: Planted,
    ) -> Result<Value, String> {
        let made = self
            .kms
            .plant_key(self.root_of(home), body, planted)
            .await?;
        Ok(made["KeyMetadata"].clone())
    }

    /// Whether a KMS key began with these materials, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`InProcess::kms`].
    pub(crate) async fn has_materials(
        &self,
        home: &Home,
        id: &KeyId,
        materials: &[&[u8]],
    ) -> Result<bool, String> {
        let caller = self.root_of(home);
        self.kms.has_materials(caller, id, materials).await
    }

    /// A bucket, whoever owns it.
    pub(crate) fn bucket(&self, name: &BucketName) -> Option<Bucket> {
        self.s3.bucket(name)
    }

    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// As [`InProcess::put`].
    pub(crate) async fn make_bucket<'t>(
        &self,
        home: &Home,
        name: &BucketName,
        tags: impl IntoIterator<Item = (&'t String, &'t String)>,
    ) -> Result<(), String> {
        let document = configuration(&home.region, tags);
        let mut asking = home.clone();
        if asking.region != self.config.region {
            // The one endpoint that knows every region, and so refuses what is none.
            ANY_REGION.clone_into(&mut asking.region);
        }
        self.put(&asking, &format!("/{name}"), "", document).await
    }

    /// Puts something to S3: a bucket, or a document of one.
    ///
    /// # Errors
    ///
    /// One line: S3's code and message.
    pub(crate) async fn put(
        &self,
        home: &Home,
        path: &str,
        query: &str,
        body: impl Into<Body>,
    ) -> Result<(), String> {
        let mut request = Request::new(Method::PUT, path, query);
        request.body = body.into();
        self.send(home, request).await.map(drop)
    }

    /// Sends a request to S3, which is taken to have come by TLS: nobody could listen.
    ///
    /// # Errors
    ///
    /// As [`InProcess::put`].
    pub(crate) async fn send(&self, home: &Home, mut request: Request) -> Result<Response, String> {
        request.connection.tls = true;
        let caller = self.root_of(home);
        let response = self.s3.respond_to(Some(caller), request).await;
        if response.status.is_success() {
            return Ok(response);
        }
        Err(refusal(response))
    }

    fn root_of(&self, home: &Home) -> Identified {
        let account = &home.account;
        let root = if *account == self.config.account {
            root(self.config)
        } else {
            Identity::root(account, account, account)
        };
        Identified {
            caller: Caller::Known(Arc::new(root)),
            region: home.region.clone(),
            payload: PayloadSigning::Unsigned,
            is_version_4: true,
        }
    }
}

impl Home {
    /// That of a bucket.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        Self {
            account: bucket.account.clone(),
            region: bucket.region().to_owned(),
        }
    }
}

/// The root of the default account.
pub(crate) fn root(config: &Config) -> Identity {
    Identity::root(
        &config.account,
        &config.access_key,
        config.secret_key.expose(),
    )
}

/// What `CreateBucket` is told, so that a bucket lives in this region and has these tags.
fn configuration<'t>(
    region: &str,
    tags: impl IntoIterator<Item = (&'t String, &'t String)>,
) -> Bytes {
    let mut tags = tags.into_iter().peekable();
    let location = Some(region).filter(|region| *region != ANY_REGION);
    if location.is_none() && tags.peek().is_none() {
        return Bytes::new();
    }
    let mut xml = XmlWriter::document("CreateBucketConfiguration");
    xml.maybe("LocationConstraint", location);
    if tags.peek().is_some() {
        xml.nest("Tags", |xml| {
            for (key, value) in tags {
                xml.nest("Tag", |xml| {
                    xml.element("Key", key).element("Value", value);
                });
            }
        });
    }
    xml.finish()
}

/// What S3 says in its error document, or its status where there is none.
fn refusal(response: Response) -> String {
    let status = response.status.to_string();
    let body = response.body.into_parts().unwrap_or_default();
    let Ok(error) = xml::parse(&body) else {
        return status;
    };
    match (error.text_of("Code"), error.text_of("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => status,
    }
}
