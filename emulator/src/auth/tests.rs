//! Who is let in by which signature: requests are signed here as a client signs them.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use crate::auth::authenticator::{Authenticator, Identified};
use crate::auth::error::AuthError;
use crate::auth::identities::Identities;
use crate::auth::identity::Identity;
use crate::auth::payload::{PayloadError, PayloadVerifier};
use crate::auth::sessions::Sessions;
use crate::auth::sigv2;
use crate::auth::sigv4::{Credential, Signed, sign};
use crate::crypto::digest::sha256;
use crate::model::timestamp::Timestamp;
use crate::wire::aws_chunked::ChunkError;
use crate::wire::encoding::uri_encode;
use crate::wire::query::Query;
use crate::wire::request::Request;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const DATE: &str = "20130524T000000Z";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NAMES: &[&str] = &["host", "x-amz-content-sha256", "x-amz-date"];

fn authenticator(verifies: bool) -> Authenticator {
    let identities = Identities::new(Identity::root("123456789012", KEY, SECRET));
    Authenticator::new(identities, Sessions::new(&[7; 32]), "us-east-1", verifies)
}

fn now() -> Timestamp {
    Timestamp::parse_amz_date(DATE).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

fn identify_at(request: &mut Request, time: Timestamp) -> Result<Identified, AuthError> {
    authenticator(true).identify(request, "s3", None, time)
}

fn identify(request: &mut Request) -> Result<Identified, AuthError> {
    identify_at(request, now())
}

fn request(method: Method, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::new(method, "/photos/cat.png", "");
    "localhost:4566".clone_into(&mut request.host);
    for (name, value) in headers {
        add(&mut request, name, value.as_bytes());
    }
    request
}

fn add(request: &mut Request, name: &str, value: &[u8]) {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    let value = HeaderValue::from_bytes(value).unwrap();
    request.headers.append(name, value);
}

/// The query, encoded as clients do.
fn query(request: &Request) -> String {
    let pair = |(name, value)| format!("{}={}", uri_encode(name), uri_encode(value));
    request
        .query
        .pairs()
        .map(pair)
        .collect::<Vec<_>>()
        .join("&")
}

fn set_query(request: &mut Request, raw: &str) {
    request.query = Query::parse(raw);
}

fn signed(region: &str, service: &str, names: &[&str]) -> Signed {
    let credential = format!("{KEY}/{}/{region}/{service}/aws4_request", &DATE[..8]);
    Signed {
        credential: Credential::parse(&credential).unwrap(),
        headers: names.iter().map(|name| (*name).to_owned()).collect(),
        signature: String::new(),
        date: DATE.to_owned(),
    }
}

/// Signs in the header: adds the date and `Authorization`, and gives the signature.
fn authorize(request: &mut Request, signed: &Signed, payload: &str) -> String {
    add(request, "x-amz-date", DATE.as_bytes());
    let key = signed.credential.signing_key(SECRET);
    let signature = sign(&key, &signed.strings(request, payload).1);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/{}, SignedHeaders={}, Signature={signature}",
        signed.credential.scope(),
        signed.headers.join(";")
    );
    add(request, "authorization", value.as_bytes());
    signature
}

/// A GET that is signed in the header.
fn get(region: &str) -> Request {
    let mut request = request(Method::GET, &[("x-amz-content-sha256", EMPTY)]);
    authorize(&mut request, &signed(region, "s3", NAMES), EMPTY);
    request
}

/// A presigned GET with these parameters behind the usual ones, signed for `payload`.
fn presign(seconds: &str, more: &str, payload: &str) -> Request {
    let mut request = request(Method::GET, &[]);
    let signed = signed("us-east-1", "s3", &["host"]);
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F{}&X-Amz-Date={DATE}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host{more}",
        signed.credential.scope().replace('/', "%2F")
    );
    set_query(&mut request, &query);
    let key = signed.credential.signing_key(SECRET);
    let signature = sign(&key, &signed.strings(&request, payload).1);
    set_query(
        &mut request,
        &format!("{query}&X-Amz-Signature={signature}"),
    );
    request
}

fn presigned() -> Request {
    presign("60", "", "UNSIGNED-PAYLOAD")
}

/// A presigned request of version 2.
fn presign_v2(expires: u64) -> Request {
    let mut request = request(Method::GET, &[]);
    let string = sigv2::string_to_sign(&request, &expires.to_string(), None);
    let signature = sigv2::sign(SECRET, &string);
    let signature = signature.replace('+', "%2B").replace('/', "%2F");
    let query = format!("AWSAccessKeyId={KEY}&Signature={signature}&Expires={expires}");
    set_query(&mut request, &query);
    request
}

fn message(error: &AuthError) -> String {
    error.to_string()
}

#[test]
fn a_header_a_query_and_version_2_prove_the_same_identity() {
    for mut request in [
        get("eu-west-1"),
        presigned(),
        presign_v2(later(9).unix_seconds()),
    ] {
        let identified = identify(&mut request).unwrap();

        assert_eq!(identified.caller.arn(), "arn:aws:iam::123456789012:root");
    }
}

#[test]
fn the_region_is_the_credentials() {
    assert_eq!(identify(&mut get("eu-west-1")).unwrap().region, "eu-west-1");
}

/// Source: a recorded answer, `test_create_bucket_aws_global`.
#[test]
fn nothing_is_signed_for_the_global_pseudo_region() {
    let error = identify(&mut get("aws-global")).unwrap_err();

    assert!(
        matches!(&error, AuthError::Region { expected, in_query: false, .. } if expected == "us-east-1"),
        "{error:?}"
    );
}

/// Source: refusals recorded from AWS, in their order.
#[test]
fn the_time_is_told_before_an_unknown_key() {
    let mut request = get("us-east-1");
    let header = request.header("authorization").unwrap().replace(KEY, "AK");
    request
        .headers
        .insert("authorization", HeaderValue::from_str(&header).unwrap());

    let late = identify_at(&mut request, later(9_999)).unwrap_err();
    let unknown = identify(&mut request).unwrap_err();

    assert!(matches!(late, AuthError::Skewed { .. }));
    assert!(matches!(unknown, AuthError::UnknownKey(key) if key == "AK"));
}

#[test]
fn clocks_may_be_a_quarter_of_an_hour_apart() {
    assert!(identify_at(&mut get("us-east-1"), later(900)).is_ok());
    assert!(matches!(
        identify_at(&mut get("us-east-1"), later(901)),
        Err(AuthError::Skewed { .. })
    ));
}

#[test]
fn a_changed_request_does_not_match() {
    let mut path = get("us-east-1");
    path.path.push('x');
    let mut url = presigned();
    let raw = format!("{}&versionId=1", query(&url));
    set_query(&mut url, &raw);
    let mut old = presign_v2(later(9).unix_seconds());
    add(&mut old, "x-amz-meta-wrong", b"wrong");

    for mut request in [path, url, old] {
        assert!(matches!(
            identify(&mut request),
            Err(AuthError::Mismatch(_))
        ));
    }
}

#[test]
fn a_mismatch_shows_what_was_signed() {
    let mut request = get("us-east-1");
    request.path = "/other".to_owned();

    let Err(AuthError::Mismatch(mismatch)) = identify(&mut request) else {
        panic!("the path is signed");
    };

    let canonical = mismatch.canonical_request.unwrap();
    assert!(canonical.starts_with("GET\n/other\n\nhost:localhost:4566\n"));
    assert!(
        mismatch
            .string_to_sign
            .ends_with(&hex::encode(sha256(canonical.as_bytes())))
    );
    assert_eq!(mismatch.access_key, KEY);
}

#[test]
fn latin_1_bytes_that_were_signed_as_utf_8_do_not_match() {
    let mut request = request(Method::GET, &[("x-amz-content-sha256", EMPTY)]);
    add(&mut request, "x-amz-meta-a", "é".as_bytes());
    let names = [NAMES, &["x-amz-meta-a"]].concat();
    authorize(&mut request, &signed("us-east-1", "s3", &names), EMPTY);
    assert!(identify(&mut request).is_ok());

    let latin_1 = HeaderValue::from_bytes(b"\xe9").unwrap();
    request.headers.insert("x-amz-meta-a", latin_1);

    assert!(matches!(
        identify(&mut request),
        Err(AuthError::Mismatch(_))
    ));
}

#[test]
fn blanks_and_tabs_are_folded() {
    let mut request = request(Method::GET, &[("x-amz-content-sha256", EMPTY)]);
    add(&mut request, "x-amz-meta-a", b"one two");
    let names = [NAMES, &["x-amz-meta-a"]].concat();
    authorize(&mut request, &signed("us-east-1", "s3", &names), EMPTY);
    let value = HeaderValue::from_static(" one \t two ");
    request.headers.insert("x-amz-meta-a", value);

    assert!(identify(&mut request).is_ok());
}

#[test]
fn amz_headers_have_to_be_signed_but_for_the_payloads_hash() {
    let mut header = request(Method::GET, &[("x-amz-content-sha256", EMPTY)]);
    let names = ["host", "x-amz-date"];
    authorize(&mut header, &signed("us-east-1", "s3", &names), EMPTY);
    assert!(identify(&mut header).is_ok());
    let mut query = presigned();
    add(&mut query, "x-amz-tagging", b"a=b");
    add(&mut query, "x-amz-acl", b"public-read");

    let error = identify(&mut query).unwrap_err();

    assert!(
        matches!(&error, AuthError::Unsigned(names) if names == &["x-amz-tagging", "x-amz-acl"]),
        "{error:?}"
    );
}

#[test]
fn a_signed_header_needs_the_payloads_hash() {
    let mut request = request(Method::GET, &[]);
    authorize(
        &mut request,
        &signed("us-east-1", "s3", &["host", "x-amz-date"]),
        EMPTY,
    );

    assert!(matches!(
        identify(&mut request),
        Err(AuthError::NoPayloadHash)
    ));
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    assert!(identify_at(&mut presigned(), later(59)).is_ok());
    assert!(matches!(
        identify_at(&mut presigned(), later(60)),
        Err(AuthError::Expired {
            seconds: Some(60),
            ..
        })
    ));
    assert!(matches!(
        identify_at(&mut presign_v2(later(9).unix_seconds()), later(10)),
        Err(AuthError::Expired { seconds: None, .. })
    ));
}

#[test]
fn a_presigned_request_does_not_begin_in_the_future() {
    let early = Timestamp::from_unix_millis(now().unix_millis() - 901_000);

    assert!(matches!(
        identify_at(&mut presigned(), early),
        Err(AuthError::NotYetValid)
    ));
}

#[test]
fn a_presigned_request_may_sign_the_payloads_hash_in_its_query() {
    let more = format!("&X-Amz-Content-Sha256={EMPTY}");

    assert!(identify(&mut presign("60", &more, EMPTY)).is_ok());
}

#[test]
fn a_checksum_in_the_query_says_nothing_of_the_body() {
    let more =
        "&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-tagging=a%3Db";
    let mut request = presign("60", more, "UNSIGNED-PAYLOAD");

    assert!(identify(&mut request).is_ok());
    assert_eq!(request.header("x-amz-tagging"), Some("a=b"));
    assert_eq!(request.header("x-amz-checksum-crc32"), None);
    assert_eq!(request.header("x-amz-sdk-checksum-algorithm"), None);
}

#[test]
fn over_http2_the_authority_is_signed_in_place_of_the_host() {
    let mut request = request(Method::GET, &[("x-amz-content-sha256", EMPTY)]);
    let names = [":authority", "x-amz-content-sha256", "x-amz-date"];
    authorize(&mut request, &signed("us-east-1", "s3", &names), EMPTY);
    assert!(identify(&mut request).is_ok());

    "localhost:4567".clone_into(&mut request.host);

    assert!(matches!(
        identify(&mut request),
        Err(AuthError::Mismatch(_))
    ));
}

#[test]
fn parameters_are_refused_in_awss_words() {
    let refusals = [
        (presign("x", "", ""), "X-Amz-Expires should be a number"),
        (presign("-1", "", ""), "X-Amz-Expires must be non-negative"),
        (
            presign("604801", "", ""),
            "X-Amz-Expires must be less than a week",
        ),
    ];
    for (mut request, words) in refusals {
        let error = identify(&mut request).unwrap_err();

        assert!(message(&error).starts_with(words), "{error}");
    }
}

#[test]
fn version_2_in_the_query_has_three_parameters() {
    let mut request = presign_v2(later(9).unix_seconds());
    let raw = query(&request).replace("Expires", "Other");
    set_query(&mut request, &raw);

    let error = identify(&mut request).unwrap_err();

    assert!(matches!(error, AuthError::OldQuery(_)));
}

#[test]
fn one_mechanism_is_enough() {
    let mut request = presigned();
    add(&mut request, "authorization", b"AWS key:signature");

    assert!(matches!(
        identify(&mut request),
        Err(AuthError::TwoMechanisms)
    ));
}

#[test]
fn tokens_of_sessions_that_nobody_began_are_refused() {
    let mut query = presign("60", "&X-Amz-Security-Token=t", "UNSIGNED-PAYLOAD");
    let mut header = request(
        Method::GET,
        &[
            ("x-amz-content-sha256", EMPTY),
            ("x-amz-security-token", "t"),
        ],
    );
    let names = [NAMES, &["x-amz-security-token"]].concat();
    authorize(&mut header, &signed("us-east-1", "s3", &names), EMPTY);

    for request in [&mut query, &mut header] {
        assert!(matches!(identify(request), Err(AuthError::BadToken(token)) if token.0 == "t"));
    }
}

#[test]
fn without_verification_only_what_cannot_be_read_is_refused() {
    let off = authenticator(false);
    let mut strange = presign("60", "&X-Amz-Security-Token=t", "not what is sent");
    add(&mut strange, "x-amz-acl", b"public-read");

    let identified = off.identify(&mut strange, "s3", None, later(9_999));

    assert!(identified.is_ok(), "{identified:?}");
}

#[test]
fn other_services_sign_the_body_itself() {
    let sent = hex::encode(sha256(b"Action=GetCallerIdentity"));
    let mut request = request(Method::POST, &[("x-amz-content-sha256", &sent)]);
    authorize(&mut request, &signed("us-east-1", "sts", NAMES), &sent);
    let mut ask = |document: &'static [u8]| {
        request.document = document.into();
        authenticator(true).identify(&mut request, "sts", None, now())
    };

    assert!(ask(b"Action=GetCallerIdentity").is_ok());
    assert!(matches!(
        ask(b"Action=AssumeRole"),
        Err(AuthError::Mismatch(_))
    ));
}

/// Signs an upload in chunks, with a trailer of one checksum, and gives its body beside it.
fn upload(body: &[u8], announced: &str) -> (Request, Vec<u8>) {
    const PAYLOAD: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    let length = body.len().to_string();
    let mut request = request(
        Method::PUT,
        &[
            ("x-amz-content-sha256", PAYLOAD),
            ("x-amz-decoded-content-length", &length),
            ("x-amz-trailer", announced),
        ],
    );
    let names = [NAMES, &["x-amz-decoded-content-length", "x-amz-trailer"]].concat();
    let signed = signed("us-east-1", "s3", &names);
    let mut previous = authorize(&mut request, &signed, PAYLOAD);
    let key = signed.credential.signing_key(SECRET);
    let head = |what, previous: &str| {
        let scope = signed.credential.scope();
        format!("AWS4-HMAC-SHA256-{what}\n{DATE}\n{scope}\n{previous}")
    };
    let mut wire = Vec::new();
    for chunk in body.chunks(8_192).chain([[].as_slice()]) {
        let digest = hex::encode(sha256(chunk));
        previous = sign(
            &key,
            &format!("{}\n{EMPTY}\n{digest}", head("PAYLOAD", &previous)),
        );
        wire.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).into_bytes());
        if !chunk.is_empty() {
            wire.extend(chunk);
            wire.extend(b"\r\n");
        }
    }
    let digest = hex::encode(sha256(b"x-amz-checksum-crc32:AAAAAA==\n"));
    let signature = sign(&key, &format!("{}\n{digest}", head("TRAILER", &previous)));
    wire.extend(b"x-amz-checksum-crc32:AAAAAA==\r\n");
    wire.extend(format!("x-amz-trailer-signature:{signature}\r\n\r\n").into_bytes());
    (request, wire)
}

fn receive(request: &mut Request, pieces: &[&[u8]]) -> Result<Vec<u8>, PayloadError> {
    let payload = identify(request).unwrap().payload;
    let mut verifier = PayloadVerifier::new(&payload, request)?;
    let (mut plain, mut scratch) = (Vec::new(), Vec::new());
    for piece in pieces {
        plain.extend_from_slice(verifier.update(piece, &mut scratch)?);
    }
    verifier.finish()?;
    Ok(plain)
}

fn without(wire: &[u8], line: &str) -> Vec<u8> {
    let text = String::from_utf8(wire.to_vec()).unwrap();
    let kept = text.split_inclusive("\r\n");
    kept.filter(|kept| !kept.starts_with(line))
        .collect::<String>()
        .into_bytes()
}

#[test]
fn a_trailer_cannot_be_left_out_or_go_unsigned() {
    let (mut request, wire) = upload(b"abc", "x-amz-checksum-crc32");
    let unsigned = without(&wire, "x-amz-trailer-signature");
    let none = without(&unsigned, "x-amz-checksum-crc32");

    for wire in [unsigned, none] {
        assert!(matches!(
            receive(&mut request, &[&wire]),
            Err(PayloadError::Chunk(ChunkError::Incomplete))
        ));
    }
}

#[test]
fn a_trailer_is_the_one_that_was_announced() {
    let (mut request, wire) = upload(b"abc", "x-amz-checksum-sha1");

    assert!(matches!(
        receive(&mut request, &[&wire]),
        Err(PayloadError::Chunk(ChunkError::MalformedTrailer))
    ));
}

#[test]
fn chunks_that_claim_to_be_signed_need_a_signature_to_go_on_from() {
    let mut anonymous = request(
        Method::PUT,
        &[("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")],
    );

    assert!(matches!(
        identify(&mut anonymous),
        Err(AuthError::BadPayloadHash(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_sent_in_signed_chunks_arrives(
        body in prop::collection::vec(any::<u8>(), 0..20_000),
        cut: prop::sample::Index,
    ) {
        let (mut request, wire) = upload(&body, "x-amz-checksum-crc32");
        let (one, other) = wire.split_at(cut.index(wire.len()));

        prop_assert_eq!(receive(&mut request, &[one, other]).unwrap(), body);
    }

    #[test]
    fn a_changed_byte_of_body_or_trailer_is_refused(
        body in prop::collection::vec(any::<u8>(), 0..20_000),
        place: prop::sample::Index,
    ) {
        let (mut request, mut wire) = upload(&body, "x-amz-checksum-crc32");
        // The empty line behind a trailer may be missing, and says nothing.
        let place = place.index(wire.len() - 2);
        wire[place] ^= 1;

        prop_assert!(receive(&mut request, &[&wire]).is_err());
    }
}
