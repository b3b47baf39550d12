//! Every operation of S3, sent in its wire form: what comes back fits its state in `fixtures/operations.txt`.

use std::collections::BTreeMap;

use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::{Answer, send, send_body};

const TABLE: &str = include_str!("../../fixtures/operations.txt");

struct Row {
    name: &'static str,
    state: &'static str,
    target: &'static str,
    header: Option<(&'static str, &'static str)>,
}

fn rows() -> Vec<Row> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let columns: Vec<_> = line.split(" | ").collect();
            let [name, state, target, header] = columns[..] else {
                panic!("four columns: {line}")
            };
            Row {
                name,
                state,
                target,
                header: header.split_once(": "),
            }
        })
        .collect()
}

async fn server() -> Strongroom {
    let off = |config: &mut strongroom_testkit::Config| config.authentication = Authentication::Off;
    let server = Strongroom::builder()
        .bucket("table")
        .config(off)
        .start()
        .await;
    assert_eq!(
        send_body(server.address(), "PUT /table/key", &[], b"x")
            .await
            .status,
        200
    );
    server
}

async fn ask(row: &Row) -> Answer {
    let server = server().await;
    let headers: Vec<_> = row.header.into_iter().collect();
    send(server.address(), row.target, &headers).await
}

#[test]
fn the_table_names_all_116_operations_once() {
    let rows = rows();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();

    assert_eq!((rows.len(), names.len()), (116, 116));
}

#[tokio::test]
async fn every_operation_answers_as_its_state_says() {
    let rows = rows();
    let states: BTreeMap<_, _> = rows.iter().map(|row| (row.name, row.state)).collect();
    for row in &rows {
        let answer = ask(row).await;

        let state = row
            .state
            .strip_prefix('=')
            .map_or(row.state, |other| states[other]);
        let fits = match state {
            "unbuilt" => {
                answer.status == 501
                    && (row.target.starts_with("HEAD")
                        || answer.text().contains("<Code>NotImplemented<"))
            }
            "built" => answer.status != 501 && answer.status != 405 && answer.status < 500,
            "fresh" => {
                answer.status == 200
                    || answer.text().contains("<BucketName>table<")
                    || answer.text().contains("NotAllowed")
                    || answer.text().contains("NoSuchConfiguration")
            }
            "no-name" => answer.text().contains("<Code>InvalidBucketName<"),
            other => panic!("{}: the state `{other}`", row.name),
        };
        assert!(
            fits,
            "{} ({state}): {} {}",
            row.name,
            answer.status,
            answer.text()
        );
    }
}

/// Read from AWS in September 2026: codes of what was never set, and bodies of what has a default.
#[tokio::test]
async fn a_fresh_bucket_answers_as_on_aws() {
    let server = server().await;
    let missing = [
        ("cors", "NoSuchCORSConfiguration"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("metadataConfiguration", "MetadataConfigurationNotFound"),
    ];
    for (query, code) in missing {
        let answer = send(server.address(), &format!("GET /table?{query}"), &[]).await;
        assert_eq!(
            (answer.status, answer.element("Code").as_deref()),
            (404, Some(code)),
            "{query}"
        );
        let declared = answer.text().starts_with("<?xml");
        assert_eq!(
            declared,
            !["lifecycle", "metadataConfiguration"].contains(&query),
            "{query}"
        );
    }
    let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let bodies = [
        (
            "versioning",
            format!("{declaration}<VersioningConfiguration {namespace}/>"),
        ),
        (
            "location",
            format!("{declaration}<LocationConstraint {namespace}/>"),
        ),
        (
            "requestPayment",
            format!(
                "{declaration}<RequestPaymentConfiguration {namespace}><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
            ),
        ),
        (
            "analytics",
            format!(
                "<ListBucketAnalyticsConfigurationsResult {namespace}><IsTruncated>false</IsTruncated></ListBucketAnalyticsConfigurationsResult>"
            ),
        ),
    ];
    for (query, body) in bodies {
        let answer = send(server.address(), &format!("GET /table?{query}"), &[]).await;
        assert_eq!((answer.status, answer.text()), (200, body), "{query}");
    }
}

/// Target, status and message, measured on AWS.
const REFUSALS: &[(&str, u16, &str)] = &[
    (
        "GET /table?versioning&acl",
        400,
        "Conflicting query string parameters: acl, versioning",
    ),
    (
        "GET /table?versionId=x",
        400,
        "This operation does not accept a version-id.",
    ),
    (
        "GET /table?partNumber=1",
        400,
        "Object must have a valid key name.",
    ),
    (
        "GET /table/key?logging",
        400,
        "There is no such thing as the ?logging sub-resource for a key",
    ),
    (
        "PUT /table?location",
        405,
        "The specified method is not allowed against this resource.",
    ),
    (
        "GET /table?website=x",
        400,
        "The website parameter must not have a value",
    ),
    (
        "POST /table",
        412,
        "At least one of the pre-conditions you specified did not hold",
    ),
    (
        "OPTIONS /table",
        400,
        "Insufficient information. Origin request header needed.",
    ),
    (
        "FROB /table",
        400,
        "An error occurred when parsing the HTTP request.",
    ),
];

#[tokio::test]
async fn what_the_table_does_not_know_is_refused_as_on_aws() {
    let server = server().await;
    for &(target, status, message) in REFUSALS {
        let answer = send(server.address(), target, &[]).await;
        assert_eq!(
            (answer.status, answer.element("Message").as_deref()),
            (status, Some(message)),
            "{target}"
        );
    }
    let refused = send(server.address(), "PUT /table?location", &[]).await;
    assert_eq!(refused.element("ResourceType").as_deref(), Some("LOCATION"));
    assert_eq!(refused.header("allow"), Some("GET"));
    let head = send(server.address(), "HEAD /table?acl", &[]).await;
    assert_eq!((head.status, head.body.len()), (405, 0));
}
