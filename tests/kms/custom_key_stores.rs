//! Custom key stores: none is here, and none can be made.

use serde_json::json;

use crate::table::{Given, open_server, outcome, row, told};

const ON_A_STORE: [&str; 4] = [
    "ConnectCustomKeyStore",
    "DeleteCustomKeyStore",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
];

#[tokio::test]
async fn an_account_has_none() {
    let server = open_server().await;

    let all = told(&server, "DescribeCustomKeyStores", &json!({"Limit": 5})).await;

    assert_eq!(all, json!({"CustomKeyStores": [], "Truncated": false}));
    for named in [
        json!({"CustomKeyStoreId": "cks-1"}),
        json!({"CustomKeyStoreName": "mine"}),
    ] {
        let refused = outcome(&server, "DescribeCustomKeyStores", &named).await;
        assert!(
            refused.starts_with("CustomKeyStoreNotFoundException"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn what_is_asked_of_one_finds_none() {
    let server = open_server().await;

    for operation in ON_A_STORE {
        let named = outcome(&server, operation, &json!({"CustomKeyStoreId": "cks-1"})).await;
        let unnamed = outcome(&server, operation, &json!({})).await;

        assert!(
            named.starts_with("CustomKeyStoreNotFoundException"),
            "{named}"
        );
        assert!(unnamed.ends_with("Value null at 'customKeyStoreId' failed to satisfy constraint: Member must not be null"), "{unnamed}");
    }
}

#[tokio::test]
async fn none_can_be_made() {
    let server = open_server().await;
    let cluster = row("CreateCustomKeyStore").body(&Given::default());
    let proxy = json!({
        "CustomKeyStoreName": "mine", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://xks.example.com", "XksProxyUriPath": "/example/kms/xks/v1",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyAuthenticationCredential": {
            "AccessKeyId": "ABCDE12345670EXAMPLE", "RawSecretAccessKey": "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo=",
        },
    });
    let mut endpoint = proxy.clone();
    endpoint["XksProxyConnectivity"] = json!("VPC_ENDPOINT_SERVICE");
    let mut short = cluster.clone();
    short.as_object_mut().unwrap().remove("KeyStorePassword");

    for (body, exception) in [
        (cluster, "CloudHsmClusterNotFoundException"),
        (proxy, "XksProxyUriUnreachableException"),
        (endpoint, "XksProxyVpcEndpointServiceNotFoundException"),
        (short, "ValidationException"),
        (json!({}), "ValidationException"),
    ] {
        let refused = outcome(&server, "CreateCustomKeyStore", &body).await;
        assert!(refused.starts_with(exception), "{refused}");
    }
}

#[tokio::test]
async fn a_password_is_never_repeated() {
    let server = open_server().await;
    let body = json!({"CustomKeyStoreName": "mine", "KeyStorePassword": "secret"});

    let refused = outcome(&server, "CreateCustomKeyStore", &body).await;

    assert!(refused.ends_with("Value at 'keyStorePassword' failed to satisfy constraint: Member must have length greater than or equal to 7"), "{refused}");
}

#[tokio::test]
async fn no_key_is_made_in_one() {
    let server = open_server().await;
    let cases = [
        (
            json!({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"}),
            "CustomKeyStoreNotFoundException",
        ),
        (
            json!({"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": "cks-1", "XksKeyId": "k"}),
            "CustomKeyStoreNotFoundException",
        ),
        (
            json!({"CustomKeyStoreId": "cks-1"}),
            "CustomKeyStoreNotFoundException",
        ),
        (json!({"Origin": "AWS_CLOUDHSM"}), "ValidationException"),
        (
            json!({"Origin": "EXTERNAL_KEY_STORE"}),
            "ValidationException",
        ),
    ];

    for (body, exception) in cases {
        let refused = outcome(&server, "CreateKey", &body).await;
        assert!(refused.starts_with(exception), "{body}: {refused}");
    }
}
