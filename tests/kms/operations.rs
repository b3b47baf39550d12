//! Every operation of KMS: what comes back fits its state in `fixtures/kms-operations.txt`.

use std::collections::BTreeSet;

use strongroom_tests::send_body;

use crate::table::{ask, given, given_for_import, json_of, open_server, outcome_of, rows};

#[test]
fn the_table_names_all_56_operations_once() {
    let rows = rows();
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();

    assert_eq!((rows.len(), names.len()), (56, 56));
}

#[tokio::test]
async fn every_operation_answers_as_its_state_says() {
    for row in rows() {
        let (server, mut given) = given().await;
        if row.imports() {
            given = given_for_import(&server, given).await;
        }

        let body = row.body(&given).to_string();
        let answer = ask(&server, row.name, body.as_bytes()).await;

        let fits = match row.state {
            "built" => answer.status == 200,
            exception => answer.status == 400 && json_of(&answer)["__type"] == exception,
        };
        let (name, state) = (row.name, row.state);
        assert!(
            fits,
            "{name} ({state}): {} {}",
            answer.status,
            answer.text()
        );
    }
}

#[tokio::test]
async fn every_target_is_its_own_operations() {
    let server = open_server().await;
    let (rows, seeds) = (rows(), server.kms_calls().len());

    for row in &rows {
        ask(&server, row.name, b"{}").await;
    }

    let calls = server.kms_calls();
    let called = calls[seeds..].iter().map(|call| call.operation.as_str());
    assert!(called.eq(rows.iter().map(|row| row.name)));
}

#[tokio::test]
async fn a_target_that_is_nearly_an_operation_is_unknown() {
    let server = open_server().await;

    for row in rows() {
        let (cut, _) = row.name.split_at(row.name.len() - 1);
        let others = [
            row.name.to_lowercase(),
            format!("{}s", row.name),
            format!("TrentService.{}", row.name),
            cut.to_owned(),
        ];
        for name in others {
            let answer = ask(&server, &name, b"{}").await;
            assert_eq!(outcome_of(&answer), "UnknownOperationException: ", "{name}");
        }
    }
}

#[tokio::test]
async fn an_unknown_operation_is_unknown() {
    let server = open_server().await;

    for name in ["", "Frobnicate", "ListBuckets"] {
        let answer = ask(&server, name, b"{}").await;
        assert_eq!(outcome_of(&answer), "UnknownOperationException: ", "{name}");
    }
}

#[tokio::test]
async fn a_request_that_is_signed_for_kms_has_to_name_an_operation() {
    let server = open_server().await;
    let scope = "AWS4-HMAC-SHA256 Credential=test/20270115/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0";

    for target in ["CreateKey", "DynamoDB_20120810.ListTables"] {
        let headers = [("Authorization", scope), ("X-Amz-Target", target)];
        let answer = send_body(server.address(), "POST /", &headers, b"{}").await;
        assert_eq!(
            outcome_of(&answer),
            "UnknownOperationException: ",
            "{target}"
        );
    }
}
