//! Whose temporary credentials are, by each way that a signature can come, and how they are refused.
//!
//! Source: refusals recorded from AWS, and their order.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};

use crate::auth::authenticator::Authenticator;
use crate::auth::error::AuthError;
use crate::auth::iam_names::Tags;
use crate::auth::identities::Identities;
use crate::auth::identity::{Caller, Identity};
use crate::auth::lookup::{Credentials, Drawn, NewSession};
use crate::auth::sessions::{SessionOf, Sessions};
use crate::auth::signed_form::FormAuthError;
use crate::auth::sigv2;
use crate::auth::sigv4::{Credential, Signed, sign};
use crate::crypto::aead::IV_BYTES;
use crate::model::timestamp::Timestamp;
use crate::policy::document::{Document, Kind};
use crate::wire::encoding::{base64, uri_encode};
use crate::wire::forms::Fields;
use crate::wire::query::Query;
use crate::wire::request::Request;

const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TOKEN: &str = "x-amz-security-token";
const FILE: &str = r#"{
    "users": [{"name": "ann", "account": "111122223333", "access_key": "ANN", "secret_key": "secret",
        "policies": [], "tags": {"Team": "red", "stage": "test"}}],
    "roles": [{"name": "reader", "path": "/team/", "account": "111122223333", "tags": {"team": "blue"}}]
}"#;
const ROLE: &str = "arn:aws:iam::111122223333:role/team/reader";
const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

fn authenticator_of(file: &str, verifies: bool) -> Authenticator {
    let mut identities = Identities::new(Identity::root("000000000000", "test", "test"));
    identities.add_file(file.as_bytes()).unwrap();
    let sessions = Sessions::new(&[7; 32]);
    Authenticator::new(identities, sessions, "us-east-1", verifies)
}

fn authenticator() -> Authenticator {
    authenticator_of(FILE, true)
}

fn now() -> Timestamp {
    Timestamp::parse_amz_date(DATE).unwrap()
}

fn new(of: SessionOf) -> NewSession {
    NewSession {
        of,
        tags: Tags::new(),
        transitive: Vec::new(),
        policy: None,
        source_identity: None,
        lasts: Duration::from_mins(15),
    }
}

fn in_role() -> NewSession {
    new(SessionOf::Role {
        arn: ROLE.to_owned(),
        name: "job".to_owned(),
    })
}

fn begin(session: NewSession, number: u8) -> Credentials {
    let drawn = Drawn {
        key: [number; 5],
        iv: [number; IV_BYTES],
    };
    authenticator().begin(session, now(), drawn)
}

/// The ways in which a request can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Header,
    Query,
    OldHeader,
    OldQuery,
}

const WAYS: [Way; 4] = [Way::Header, Way::Query, Way::OldHeader, Way::OldQuery];

fn header(request: &mut Request, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).unwrap();
    request.headers.insert(HeaderName::from_static(name), value);
}

/// A GET by an access key, with a token or without.
fn signed(way: Way, key: &str, secret: &str, token: Option<&str>) -> Request {
    let mut request = Request::new(Method::GET, "/photos/cat.png", "");
    "localhost".clone_into(&mut request.host);
    match way {
        Way::Header => sign_header(&mut request, (key, secret), token),
        Way::Query => sign_query(&mut request, (key, secret), token),
        Way::OldHeader | Way::OldQuery => {
            sign_old(way, &mut request, (key, secret), token);
        }
    }
    request
}

/// What a signature of version 4 says of these headers, and itself.
fn signature_of(
    request: &Request,
    (key, secret): (&str, &str),
    names: &[&str],
    payload: &str,
) -> String {
    let of = Signed {
        credential: Credential::parse(&format!("{key}/{SCOPE}")).unwrap(),
        headers: names.iter().map(|name| (*name).to_owned()).collect(),
        signature: String::new(),
        date: DATE.to_owned(),
    };
    let signing = of.credential.signing_key(secret);
    sign(&signing, &of.strings(request, payload).1)
}

fn sign_header(request: &mut Request, keys: (&str, &str), token: Option<&str>) {
    header(request, "x-amz-date", DATE);
    header(request, "x-amz-content-sha256", EMPTY);
    let mut names = vec!["host", "x-amz-content-sha256", "x-amz-date"];
    if let Some(token) = token {
        header(request, TOKEN, token);
        names.push(TOKEN);
    }
    let signature = signature_of(request, keys, &names, EMPTY);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{SCOPE}, SignedHeaders={}, Signature={signature}",
        keys.0,
        names.join(";")
    );
    header(request, "authorization", &value);
}

fn sign_query(request: &mut Request, keys: (&str, &str), token: Option<&str>) {
    let token = token.map(|token| format!("&X-Amz-Security-Token={}", uri_encode(token)));
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={DATE}&X-Amz-Expires=3600&X-Amz-SignedHeaders=host{}",
        uri_encode(&format!("{}/{SCOPE}", keys.0)),
        token.unwrap_or_default()
    );
    request.query = Query::parse(&query);
    let signature = signature_of(request, keys, &["host"], "UNSIGNED-PAYLOAD");
    request.query = Query::parse(&format!("{query}&X-Amz-Signature={signature}"));
}

fn sign_old(way: Way, request: &mut Request, (key, secret): (&str, &str), token: Option<&str>) {
    if let Some(token) = token {
        header(request, TOKEN, token);
    }
    if way == Way::OldHeader {
        header(request, "x-amz-date", DATE);
        let signature = sigv2::sign(secret, &sigv2::string_to_sign(request, "", None));
        header(request, "authorization", &format!("AWS {key}:{signature}"));
        return;
    }
    let ends = (now().unix_seconds() + 3_600).to_string();
    let signature = sigv2::sign(secret, &sigv2::string_to_sign(request, &ends, None));
    request.headers.clear();
    let token = token.map(|token| format!("&{TOKEN}={}", uri_encode(token)));
    request.query = Query::parse(&format!(
        "AWSAccessKeyId={key}&Signature={}&Expires={ends}{}",
        uri_encode(&signature),
        token.unwrap_or_default()
    ));
}

fn identify_by(
    authenticator: &Authenticator,
    request: &mut Request,
    seconds: u64,
) -> Result<Identity, AuthError> {
    let time = now().plus(Duration::from_secs(seconds));
    let identified = authenticator.identify(request, "s3", None, time)?;
    match identified.caller {
        Caller::Known(identity) => Ok((*identity).clone()),
        Caller::Anonymous => panic!("somebody has signed"),
    }
}

fn identify(request: &mut Request, seconds: u64) -> Result<Identity, AuthError> {
    identify_by(&authenticator(), request, seconds)
}

fn by(way: Way, of: &Credentials, token: Option<&str>) -> Request {
    signed(way, &of.access_key, &of.secret_key, token)
}

#[test]
fn a_session_is_let_in_by_each_way_until_it_expires() {
    let session = begin(in_role(), 1);
    for way in WAYS {
        let mut request = by(way, &session, Some(&session.token));

        let identity = identify(&mut request, 899).unwrap();
        let expired = identify(&mut by(way, &session, Some(&session.token)), 900);

        let arn = "arn:aws:sts::111122223333:assumed-role/reader/job";
        assert_eq!(identity.arn(), arn, "{way:?}");
        assert_eq!(identity.policy_caller().role_arn().as_deref(), Some(ROLE));
        let Err(AuthError::ExpiredToken(sent)) = expired else {
            panic!("{way:?} {expired:?}");
        };
        assert_eq!(sent.0, session.token.as_str());
    }
}

#[test]
fn a_key_of_a_session_is_nothing_without_its_token() {
    let (session, other) = (begin(in_role(), 1), begin(in_role(), 2));
    for way in WAYS {
        for token in [None, Some(""), Some(other.token.as_str())] {
            let refused = identify(&mut by(way, &session, token), 0);

            assert!(
                matches!(&refused, Err(AuthError::UnknownKey(key)) if *key == session.access_key),
                "{way:?} {refused:?}"
            );
        }
        let malformed = identify(&mut by(way, &session, Some("malformed")), 0);
        assert!(matches!(malformed, Err(AuthError::BadToken(_))), "{way:?}");
    }
}

#[test]
fn whose_key_is_unknown_is_not_told_of_his_token() {
    for key in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"] {
        let refused = identify(&mut signed(Way::Header, key, "s", Some("malformed")), 0);

        assert!(matches!(refused, Err(AuthError::UnknownKey(_))), "{key}");
    }
}

#[test]
fn a_key_for_good_has_no_token_and_its_signature_is_told_before() {
    let session = begin(in_role(), 1);
    for way in WAYS {
        for token in ["malformed", session.token.as_str()] {
            let refused = identify(&mut signed(way, "ANN", "secret", Some(token)), 0);
            let mismatch = identify(&mut signed(way, "ANN", "other", Some(token)), 0);

            assert!(matches!(refused, Err(AuthError::BadToken(_))), "{way:?}");
            assert!(matches!(mismatch, Err(AuthError::Mismatch(_))), "{way:?}");
        }
    }
}

#[test]
fn a_token_has_to_be_signed_and_is_repeated_to_nobody() {
    let session = begin(in_role(), 1);
    let mut unsigned = by(Way::Header, &session, None);
    header(&mut unsigned, TOKEN, &session.token);

    let told = identify(&mut unsigned, 0);

    let expected = vec![TOKEN.to_owned()];
    assert!(
        matches!(&told, Err(AuthError::Unsigned(names)) if *names == expected),
        "{told:?}"
    );
    for way in WAYS {
        let token = Some(session.token.as_str());
        let mut request = signed(way, &session.access_key, "another secret", token);
        let told = format!("{:?}", identify(&mut request, 0).unwrap_err());

        assert!(told.starts_with("Mismatch"), "{told}");
        let encoded = uri_encode(&session.token);
        assert!(
            !told.contains(session.token.as_str()) && !told.contains(&encoded),
            "{told}"
        );
    }
}

#[test]
fn a_session_goes_with_its_role_and_its_maker() {
    let of_user = begin(new(SessionOf::Owner("ANN".to_owned())), 2);
    let empty = authenticator_of(r#"{"users":[]}"#, true);
    for session in [begin(in_role(), 1), of_user] {
        let request = || by(Way::Header, &session, Some(&session.token));

        assert!(identify(&mut request(), 0).is_ok());
        let gone = identify_by(&empty, &mut request(), 0);
        assert!(matches!(gone, Err(AuthError::UnknownKey(_))), "{gone:?}");
    }
}

#[test]
fn tags_of_a_session_go_over_those_of_its_role() {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let session = begin(
        NewSession {
            tags: [tag("Team", "green"), tag("cost", "1")].into(),
            ..in_role()
        },
        1,
    );

    let identity = identify(&mut by(Way::Header, &session, Some(&session.token)), 0).unwrap();

    let expected = [tag("Team", "green"), tag("cost", "1")].into();
    assert_eq!(identity.tags, expected);
}

#[test]
fn a_policy_of_a_session_caps_and_a_federated_user_has_nothing_without_one() {
    let policy = Document::parse(ALLOW, Kind::Identity).unwrap();
    let federated = || {
        new(SessionOf::Federated {
            by: "ANN".to_owned(),
            name: "bob".to_owned(),
        })
    };
    let with = |session: NewSession| NewSession {
        policy: Some(policy.clone()),
        ..session
    };
    let who = |session: NewSession, number| {
        let session = begin(session, number);
        identify(&mut by(Way::Header, &session, Some(&session.token)), 0).unwrap()
    };

    let capped = who(with(in_role()), 1);
    let bob = who(with(federated()), 2);
    let bare = who(federated(), 3);

    assert_eq!(capped.permissions.session, vec![policy.clone()]);
    assert_eq!(capped.permissions.identity, None);
    assert_eq!(bob.permissions.session, vec![policy]);
    assert_eq!(bob.arn(), "arn:aws:sts::111122223333:federated-user/bob");
    assert_eq!(bare.permissions.identity, Some(Vec::new()));
}

#[test]
fn where_everybody_is_believed_a_session_is_still_that_session() {
    let session = begin(in_role(), 1);
    let believing = authenticator_of(FILE, false);
    let mut with = signed(
        Way::Header,
        &session.access_key,
        "no secret",
        Some(&session.token),
    );
    let mut without = signed(Way::Header, &session.access_key, "no secret", None);

    let known = identify_by(&believing, &mut with, 9_999).unwrap();
    let unknown = identify_by(&believing, &mut without, 0).unwrap();

    assert_eq!(known.name, "job");
    assert_eq!(unknown.arn(), "arn:aws:iam::000000000000:root");
}

/// A form for the bucket `photos`, in version 4.
fn form(session: &Credentials, token: Option<&str>) -> Fields {
    let json = r#"{"expiration":"2013-05-25T00:00:00Z","conditions":[{"bucket":"photos"},["starts-with","$key",""],["starts-with","$x-amz-security-token",""],["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]]}"#;
    let policy = base64(json.as_bytes());
    let credential = format!("{}/{SCOPE}", session.access_key);
    let key = Credential::parse(&credential)
        .unwrap()
        .signing_key(&session.secret_key);
    let mut fields = Fields::from([
        ("key", "k"),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", &credential),
        ("x-amz-date", DATE),
        ("x-amz-signature", &sign(&key, &policy)),
        ("policy", &policy),
    ]);
    if let Some(token) = token {
        fields.push(TOKEN, token);
    }
    fields
}

#[test]
fn a_form_is_filled_in_with_its_token() {
    let session = begin(in_role(), 1);
    let identify = |fields: &Fields, seconds| {
        let time = now().plus(Duration::from_secs(seconds));
        authenticator().identify_form(fields, "photos", time)
    };
    let whole = form(&session, Some(&session.token));

    let filled = identify(&whole, 0).unwrap();
    let expired = identify(&whole, 900).unwrap_err();
    let bare = identify(&form(&session, None), 0).unwrap_err();
    let keyless = Fields::from([("key", "k"), (TOKEN, session.token.as_str())]);
    let keyless = identify(&keyless, 0).unwrap_err();

    let arn = "arn:aws:sts::111122223333:assumed-role/reader/job";
    assert_eq!(filled.by.caller.arn(), arn);
    assert!(matches!(
        expired,
        FormAuthError::Auth(AuthError::ExpiredToken(_))
    ));
    assert!(matches!(
        bare,
        FormAuthError::Auth(AuthError::UnknownKey(_))
    ));
    assert!(matches!(
        keyless,
        FormAuthError::Auth(AuthError::NoAccessKey)
    ));
}
