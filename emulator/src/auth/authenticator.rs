//! Finds out who calls: by header, by query, or not at all.
//!
//! The order of refusals is AWS's: what cannot be read, the time, an unknown key or a bad token, what should have been
//! signed, the signature, and last a token that is none of this key's.

use std::time::Duration;

use crate::auth::customer_keys;
use crate::auth::error::{AuthError, Mismatch};
use crate::auth::identities::Identities;
use crate::auth::identity::{Caller, Identity};
use crate::auth::payload::{ChunkSigning, PayloadSigning};
use crate::auth::presigned::{self, Presigned};
use crate::auth::sessions::Sessions;
use crate::auth::sigv2;
use crate::auth::sigv4::{self, ALGORITHM, AUTHORITY, Credential, Signed};
use crate::crypto::digest::{equal, sha256};
use crate::model::timestamp::Timestamp;
use crate::wire::request::Request;

/// How far the clocks of client and server may be apart.
pub(crate) const MAX_SKEW: Duration = Duration::from_mins(15);
/// What some clients call the region of a global endpoint. AWS refuses a signature for it and names the real one.
pub(super) const PSEUDO_REGION: &str = "aws-global";
const CONTENT_HASH: &str = "x-amz-content-sha256";
pub(super) const SECURITY_TOKEN: &str = "x-amz-security-token";
const MALFORMED_CREDENTIAL: &str = "The authorization header is malformed; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// Knows identities and checks signatures.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(super) identities: Identities,
    pub(super) sessions: Sessions,
    /// The region of whoever signs for none.
    pub(super) region: String,
    pub(super) verifies: bool,
}

/// Who called, and what that says of the rest.
#[derive(Debug)]
pub(crate) struct Identified {
    /// Who.
    pub(crate) caller: Caller,
    /// The region that the request was signed for.
    pub(crate) region: String,
    /// How its body is signed.
    pub(crate) payload: PayloadSigning,
    /// Whether version 4 proves it, which SSE-KMS asks for; everybody is believed where nothing is verified.
    pub(crate) is_version_4: bool,
}

/// Where a request carries its signature.
enum Mechanism {
    None,
    HeaderV4(String),
    HeaderV2(String),
    QueryV4,
    QueryV2,
}

impl Authenticator {
    /// Over identities. Without verification everybody is who they say, and unknown callers are the default identity.
    pub(crate) fn new(
        identities: Identities,
        sessions: Sessions,
        region: &str,
        verifies: bool,
    ) -> Self {
        Self {
            identities,
            sessions,
            region: region.to_owned(),
            verifies,
        }
    }

    /// Finds out who sent a request. Headers that travel in the query of a presigned one are put in their place.
    ///
    /// # Errors
    ///
    /// [`AuthError`].
    pub(crate) fn identify(
        &self,
        request: &mut Request,
        service: &str,
        host_bucket: Option<&str>,
        now: Timestamp,
    ) -> Result<Identified, AuthError> {
        match mechanism(request)? {
            Mechanism::None => self.anonymous(request),
            Mechanism::HeaderV4(header) => self.by_header(request, &header, service, now),
            Mechanism::QueryV4 => self.by_query(request, service, now),
            Mechanism::HeaderV2(header) => self.by_old_header(request, &header, host_bucket, now),
            Mechanism::QueryV2 => self.by_old_query(request, host_bucket, now),
        }
    }

    fn anonymous(&self, request: &Request) -> Result<Identified, AuthError> {
        self.unproven(request, self.nobody())
    }

    /// Who does not sign: nobody, or the default identity where everybody is believed.
    pub(super) fn nobody(&self) -> Caller {
        if self.verifies {
            Caller::Anonymous
        } else {
            Caller::Known(self.identities.default())
        }
    }

    fn by_header(
        &self,
        request: &Request,
        header: &str,
        service: &str,
        now: Timestamp,
    ) -> Result<Identified, AuthError> {
        let (date, time) = date_of(request)?;
        let signed = parse_header(header, date)?;
        check_service(&signed.credential, service, false)?;
        check_region(&signed.credential, false)?;
        let said = request.header(CONTENT_HASH);
        let payload = payload_hash(request, service, said).ok_or(AuthError::NoPayloadHash)?;
        self.check_skew(time, &signed.date, now)?;
        let token = token_of(request);
        let caller = self.find(&signed.credential.access_key, token, now)?;
        self.check_signed(request, &signed)?;
        let signing = PayloadSigning::parse(&payload)?;
        self.verify(request, &signed, &caller, &payload)?;
        self.refuse_token(&caller, token)?;
        let signing = signing.chained(self.chunks(&signed, &caller));
        Ok(Identified {
            caller: Caller::Known(caller),
            region: signed.credential.region,
            payload: signing,
            is_version_4: true,
        })
    }

    fn by_query(
        &self,
        request: &mut Request,
        service: &str,
        now: Timestamp,
    ) -> Result<Identified, AuthError> {
        let presigned = Presigned::parse(&request.query)?;
        let signed = &presigned.signed;
        check_service(&signed.credential, service, true)?;
        check_region(&signed.credential, true)?;
        let token = token_of(request).map(str::to_owned);
        let token = token.as_deref();
        let caller = self.find(&signed.credential.access_key, token, now)?;
        if self.verifies {
            check_begun(&presigned, now)?;
            presigned.check_time(now)?;
        }
        self.check_signed(request, signed)?;
        let said = request.query.find("X-Amz-Content-Sha256");
        let said = said.or_else(|| request.header(CONTENT_HASH));
        let payload =
            payload_hash(request, service, said).unwrap_or_else(|| "UNSIGNED-PAYLOAD".to_owned());
        self.verify(request, signed, &caller, &payload)?;
        self.refuse_token(&caller, token)?;
        let signing = PayloadSigning::parse(&payload)?.chained(self.chunks(signed, &caller));
        presigned::hoist(request);
        let region = signed.credential.region.clone();
        Ok(Identified {
            caller: Caller::Known(caller),
            region,
            payload: signing,
            is_version_4: true,
        })
    }

    fn by_old_header(
        &self,
        request: &Request,
        header: &str,
        bucket: Option<&str>,
        now: Timestamp,
    ) -> Result<Identified, AuthError> {
        let (key, signature) = header
            .split_once(':')
            .ok_or_else(|| AuthError::OldHeader(format!("AWS {header}")))?;
        let token = token_of(request);
        let caller = self.find(key, token, now)?;
        let amz_date = request.header("x-amz-date");
        let date = amz_date
            .or_else(|| request.header("date"))
            .unwrap_or_default();
        let time = Timestamp::parse_http_date(date).or_else(|| Timestamp::parse_amz_date(date));
        self.check_skew(time.ok_or(AuthError::NoDate)?, date, now)?;
        let string =
            sigv2::string_to_sign(request, if amz_date.is_some() { "" } else { date }, bucket);
        self.verify_old(&caller, &string, signature)?;
        self.refuse_token(&caller, token)?;
        self.unproven(request, Caller::Known(caller))
    }

    fn by_old_query(
        &self,
        request: &mut Request,
        bucket: Option<&str>,
        now: Timestamp,
    ) -> Result<Identified, AuthError> {
        presigned::hoist(request);
        let find = |name: &str| request.query.find(name).map(str::to_owned);
        let (Some(key), Some(signature), Some(expires)) =
            (find("AWSAccessKeyId"), find("Signature"), find("Expires"))
        else {
            return Err(AuthError::OldQuery(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters".to_owned(),
            ));
        };
        let token = token_of(request);
        let caller = self.find(&key, token, now)?;
        let ends = expires
            .parse::<u64>()
            .ok()
            .map(|seconds| Timestamp::from_unix_millis(seconds.saturating_mul(1_000)));
        let ends = ends.ok_or_else(|| {
            AuthError::OldQuery(format!(
                "Invalid date (should be seconds since epoch): {expires}"
            ))
        })?;
        if self.verifies && now >= ends {
            return Err(AuthError::Expired {
                seconds: None,
                expires: ends,
                server: now,
            });
        }
        let string = sigv2::string_to_sign(request, &expires, bucket);
        self.verify_old(&caller, &string, &signature)?;
        self.refuse_token(&caller, token)?;
        self.unproven(request, Caller::Known(caller))
    }

    /// A caller whose signature, if there is one, says nothing of region and body. Chunks that claim to be signed have no
    /// signature to go on from.
    fn unproven(&self, request: &Request, caller: Caller) -> Result<Identified, AuthError> {
        let value = request.header(CONTENT_HASH).unwrap_or_default();
        let payload = PayloadSigning::parse(value)?;
        if self.verifies && payload.has_signed_chunks() {
            return Err(AuthError::BadPayloadHash(value.to_owned()));
        }
        Ok(Identified {
            caller,
            region: self.region.clone(),
            payload,
            is_version_4: !self.verifies,
        })
    }

    fn check_skew(&self, time: Timestamp, sent: &str, now: Timestamp) -> Result<(), AuthError> {
        if self.verifies && time.distance(now) > MAX_SKEW {
            return Err(AuthError::Skewed {
                request: sent.to_owned(),
                sent: time,
                server: now,
            });
        }
        Ok(())
    }

    /// The host and every `x-amz-*` header that was sent have to be signed, but for `x-amz-content-sha256`: its value is
    /// signed as the payload's hash.
    fn check_signed(&self, request: &Request, signed: &Signed) -> Result<(), AuthError> {
        let is_signed = |name: &str| {
            let is_host = name == "host";
            let mut headers = signed.headers.iter();
            headers.any(|signed| signed == name || is_host && signed == AUTHORITY)
        };
        let names = request
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| name.starts_with("x-amz-") && *name != CONTENT_HASH);
        let unsigned: Vec<_> = std::iter::once("host")
            .chain(names)
            .filter(|name| !is_signed(name))
            .map(str::to_owned)
            .collect();
        if unsigned.is_empty() || !self.verifies {
            Ok(())
        } else {
            Err(AuthError::Unsigned(unsigned))
        }
    }

    fn verify(
        &self,
        request: &Request,
        signed: &Signed,
        caller: &Identity,
        payload: &str,
    ) -> Result<(), AuthError> {
        if !self.verifies {
            return Ok(());
        }
        let (canonical_request, string_to_sign) = signed.strings(request, payload);
        let key = signed.credential.signing_key(&caller.secret_key);
        if equal(
            sigv4::sign(&key, &string_to_sign).as_bytes(),
            signed.signature.as_bytes(),
        ) {
            return Ok(());
        }
        Err(AuthError::Mismatch(Box::new(Mismatch {
            access_key: signed.credential.access_key.clone(),
            string_to_sign,
            signature: signed.signature.clone(),
            canonical_request: Some(customer_keys::mask(&canonical_request)),
        })))
    }

    fn verify_old(
        &self,
        caller: &Identity,
        string_to_sign: &str,
        signature: &str,
    ) -> Result<(), AuthError> {
        let ours = sigv2::sign(&caller.secret_key, string_to_sign);
        if !self.verifies || equal(ours.as_bytes(), signature.as_bytes()) {
            return Ok(());
        }
        Err(AuthError::Mismatch(Box::new(Mismatch {
            access_key: caller.access_key.clone(),
            string_to_sign: customer_keys::mask(string_to_sign),
            signature: signature.to_owned(),
            canonical_request: None,
        })))
    }

    /// How the chunks of a body are signed; not at all where nothing is verified.
    fn chunks(&self, signed: &Signed, caller: &Identity) -> Option<ChunkSigning> {
        self.verifies.then(|| ChunkSigning {
            key: signed.credential.signing_key(&caller.secret_key),
            access_key: caller.access_key.clone(),
            date: signed.date.clone(),
            scope: signed.credential.scope(),
            seed: signed.signature.clone(),
        })
    }
}

/// The token of a session, wherever it stands.
fn token_of(request: &Request) -> Option<&str> {
    request
        .header(SECURITY_TOKEN)
        .or_else(|| request.query.find("X-Amz-Security-Token"))
        .or_else(|| request.query.find(SECURITY_TOKEN))
}

fn mechanism(request: &Request) -> Result<Mechanism, AuthError> {
    let header = request.header("authorization");
    let in_query = request.query.has("X-Amz-Algorithm") || request.query.has("X-Amz-Signature");
    let in_old_query = request.query.has("AWSAccessKeyId") || request.query.has("Signature");
    match header {
        Some(_) if in_query || in_old_query => Err(AuthError::TwoMechanisms),
        Some(header) => match header.split_once(' ') {
            Some((ALGORITHM, rest)) => Ok(Mechanism::HeaderV4(rest.to_owned())),
            Some(("AWS", rest)) => Ok(Mechanism::HeaderV2(rest.trim().to_owned())),
            _ => Err(AuthError::UnknownScheme(header.to_owned())),
        },
        None if in_query => Ok(Mechanism::QueryV4),
        None if in_old_query => Ok(Mechanism::QueryV2),
        None => Ok(Mechanism::None),
    }
}

/// `x-amz-date`, else `Date`, in SigV4's form.
fn date_of(request: &Request) -> Result<(String, Timestamp), AuthError> {
    let amz = request.header("x-amz-date");
    let time = match amz {
        Some(date) => Timestamp::parse_amz_date(date),
        None => request.header("date").and_then(|date| {
            Timestamp::parse_http_date(date).or_else(|| Timestamp::parse_amz_date(date))
        }),
    };
    let time = time.ok_or(AuthError::NoDate)?;
    Ok((time.amz_date(), time))
}

/// `Credential=…, SignedHeaders=…, Signature=…`, in any order.
fn parse_header(header: &str, date: String) -> Result<Signed, AuthError> {
    let part = |name: &str| {
        let mut parts = header.split(',').map(str::trim);
        parts
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    let (Some(credential), Some(headers), Some(signature)) =
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return Err(AuthError::Header(
            "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.".to_owned(),
        ));
    };
    let credential = Credential::parse(&credential)
        .ok_or_else(|| AuthError::Header(MALFORMED_CREDENTIAL.to_owned()))?;
    if !date.starts_with(&credential.day) {
        let message = format!(
            "The authorization header is malformed; Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            credential.day,
            &date[..8]
        );
        return Err(AuthError::Header(message));
    }
    let headers = headers.split(';').map(str::to_ascii_lowercase).collect();
    Ok(Signed {
        credential,
        headers,
        signature,
        date,
    })
}

fn check_service(credential: &Credential, service: &str, in_query: bool) -> Result<(), AuthError> {
    if credential.service == service {
        return Ok(());
    }
    Err(AuthError::Service {
        given: credential.service.clone(),
        expected: service.to_owned(),
        in_query,
    })
}

fn check_region(credential: &Credential, in_query: bool) -> Result<(), AuthError> {
    if credential.region != PSEUDO_REGION {
        return Ok(());
    }
    Err(AuthError::Region {
        given: credential.region.clone(),
        expected: "us-east-1".to_owned(),
        in_query,
    })
}

/// A date in the future would make a presigned request outlive its week.
fn check_begun(presigned: &Presigned, now: Timestamp) -> Result<(), AuthError> {
    if presigned.begins > now.plus(MAX_SKEW) {
        Err(AuthError::NotYetValid)
    } else {
        Ok(())
    }
}

/// What is signed of the body. S3 takes the client's word and proves it while the body streams; other services have the
/// body in hand and take nobody's word.
fn payload_hash(request: &Request, service: &str, said: Option<&str>) -> Option<String> {
    if service == "s3" {
        said.map(str::to_owned)
    } else {
        Some(hex::encode(sha256(&request.document)))
    }
}
