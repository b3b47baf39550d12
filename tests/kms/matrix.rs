//! Every kind of caller under every kind of key policy.

use aws_sdk_kms::primitives::Blob;
use strongroom_tests::who::{CALLERS, ROWS, identities};

use crate::sdk::{client_of, is, refusal, with_identities};

#[tokio::test]
async fn each_caller_hears_under_each_policy_what_aws_says() {
    let server = with_identities(&identities()).await;
    for row in ROWS {
        let create = server.kms_client().create_key().policy(row.policy());
        let create = create.bypass_policy_lockout_safety_check(true);
        let arn = create.send().await.unwrap().key_metadata.unwrap();
        let arn = arn.arn.unwrap();
        for (caller, told) in CALLERS.into_iter().zip(row.told) {
            let client = client_of(&server, caller.key, caller.key);

            let call = client.encrypt().key_id(&arn).plaintext(Blob::new("secret"));
            let answer = call.send().await;

            let place = format!("{} under {}", caller.arn, row.statements);
            match told.words(caller, "kms:Encrypt", &arn) {
                None => assert!(answer.is_ok(), "{place}: {answer:?}"),
                Some(words) => {
                    assert_eq!(
                        refusal(answer),
                        is("AccessDeniedException", &words),
                        "{place}"
                    );
                }
            }
        }
    }
}
