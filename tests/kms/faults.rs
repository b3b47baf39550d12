//! What tests let go wrong in KMS, for whoever calls it.

use strongroom_testkit::{Fault, FaultAnswer, Strongroom};

const ANSWERS: [(FaultAnswer, u16, &str); 5] = [
    (FaultAnswer::SlowDown, 400, "ThrottlingException"),
    (FaultAnswer::InternalError, 500, "KMSInternalException"),
    (FaultAnswer::ServiceUnavailable, 503, "ServiceUnavailable"),
    (
        FaultAnswer::RequestTimeout,
        500,
        "DependencyTimeoutException",
    ),
    (FaultAnswer::AccessDenied, 400, "AccessDeniedException"),
];

#[tokio::test]
async fn each_answer_has_its_status_and_exception_and_is_in_the_journal() {
    let server = Strongroom::builder().kms_key("alias/app").start().await;
    let config = aws_sdk_kms::config::Builder::from(&server.sdk_config());
    let once = aws_sdk_kms::config::retry::RetryConfig::disabled();
    let client = aws_sdk_kms::Client::from_conf(config.retry_config(once).build());
    for (answer, status, exception) in ANSWERS {
        server.fault(Fault::on("DescribeKey").answer(answer).times(1));

        let refused = client.describe_key().key_id("alias/app").send().await;

        let refused = refused.unwrap_err();
        let raw = refused.raw_response().unwrap();
        assert_eq!(raw.status().as_u16(), status, "{exception}");
        let code = refused
            .into_service_error()
            .meta()
            .code()
            .map(str::to_owned);
        assert_eq!(code.as_deref(), Some(exception));
        let call = server.kms_calls().pop().unwrap();
        assert_eq!(call.error.as_deref(), Some(exception));
    }
    let described = client.describe_key().key_id("alias/app").send().await;
    assert!(described.is_ok());
}
