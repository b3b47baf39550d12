//! What STS refuses to everybody: members that cannot be, and operations that there are not.
//!
//! Source: answers recorded from AWS or quoted from it.

use strongroom_tests::send_body;

use crate::sdk::says;
use crate::sts::{Keys, refusal, role_arn, simple};

type Told = (String, u16, String);

fn invalid(text: &str) -> Told {
    says("ValidationError", 400, text)
}

fn one(rest: &str) -> Told {
    invalid(&format!("1 validation error detected: Value {rest}"))
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let (server, ann) = simple().await;
    let arn = role_arn("reader");
    let long = "x".repeat(65);
    let usual = [("RoleArn", arn.as_str()), ("RoleSessionName", "job")];
    let rows = [
        (
            vec![("RoleSessionName", "job")],
            one("null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ),
        (
            vec![("RoleArn", "not an arn, however long it is"), usual[1]],
            invalid("not an arn, however long it is is invalid"),
        ),
        (
            vec![usual[0], ("RoleSessionName", "a b")],
            one(
                r"'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
            ),
        ),
        (
            vec![usual[0], ("RoleSessionName", &long)],
            one(&format!(
                "'{long}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"
            )),
        ),
        (
            vec![("RoleArn", "short"), ("RoleSessionName", "x")],
            invalid(
                "2 validation errors detected: Value 'short' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
            ),
        ),
    ];
    for (members, expected) in rows {
        let answer = ann.ask(&server, "AssumeRole", &members).await;
        assert_eq!(refusal(&answer), expected);
    }
}

#[tokio::test]
async fn what_a_session_cannot_have_is_told() {
    let (server, ann) = simple().await;
    let arn = role_arn("reader");
    let usual = [("RoleArn", arn.as_str()), ("RoleSessionName", "job")];
    let twice = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("Tags.member.2.Key", "Team"),
        ("Tags.member.2.Value", "b"),
    ];
    let with = |members: &[(&'static str, &'static str)]| [&usual[..], members].concat();
    let rows = [
        (
            [&usual[..], &twice].concat(),
            says(
                "InvalidParameterValue",
                400,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ),
        ),
        (
            with(&[("Policy", "{")]),
            says(
                "MalformedPolicyDocument",
                400,
                "This policy contains invalid Json",
            ),
        ),
        (
            with(&[(
                "PolicyArns.member.1.arn",
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
            )]),
            invalid(
                "Policy arn:aws:iam::aws:policy/ReadOnlyAccess does not exist or is not attachable.",
            ),
        ),
        (
            with(&[("TokenCode", "123456")]),
            says(
                "AccessDenied",
                403,
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
            ),
        ),
    ];
    for (members, expected) in rows {
        let answer = ann.ask(&server, "AssumeRole", &members).await;
        assert_eq!(refusal(&answer), expected);
    }
}

#[tokio::test]
async fn what_sts_does_not_know_is_told() {
    let (server, ann) = simple().await;

    let unknown = ann.ask(&server, "AssumeNothing", &[]).await;
    let versioned = ann
        .send(&server, "Action=GetCallerIdentity&Version=2010-01-01")
        .await;
    let unversioned = ann.send(&server, "Action=GetCallerIdentity").await;
    let nothing = ann.send(&server, "Version=2011-06-15").await;
    let unbuilt = ann.ask(&server, "AssumeRoleWithSAML", &[]).await;
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let form = b"Action=GetSessionToken&Version=2011-06-15";
    let unsigned = send_body(server.address(), "POST /", &kind, form).await;
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..ann
    };
    let mismatch = wrong.ask(&server, "GetCallerIdentity", &[]).await;

    let not_found = |rest: &str| {
        says(
            "InvalidAction",
            400,
            &format!("Could not find operation {rest}"),
        )
    };
    assert_eq!(
        refusal(&unknown),
        not_found("AssumeNothing for version 2011-06-15")
    );
    assert!(
        unknown
            .text()
            .contains("xmlns=\"http://webservices.amazon.com/AWSFault/2005-15-09\"")
    );
    assert_eq!(
        refusal(&versioned),
        not_found("GetCallerIdentity for version 2010-01-01")
    );
    assert_eq!(
        refusal(&unversioned),
        not_found("GetCallerIdentity for version NO_VERSION_SPECIFIED")
    );
    assert_eq!(
        (nothing.status, nothing.header("location")),
        (302, Some("https://aws.amazon.com/iam"))
    );
    let not_built = says(
        "UnsupportedOperation",
        400,
        "AssumeRoleWithSAML is not built yet",
    );
    assert_eq!(refusal(&unbuilt), not_built);
    let missing = says(
        "MissingAuthenticationToken",
        403,
        "Request is missing Authentication Token",
    );
    assert_eq!(refusal(&unsigned), missing);
    assert_eq!(refusal(&mismatch).0, "SignatureDoesNotMatch");
}
