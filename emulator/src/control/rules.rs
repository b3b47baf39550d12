//! Faults as the control takes and tells them: `operation`, `bucket`, `key`, `answer` and `times`, in a query and in JSON.

use serde_json::{Value, json};

use crate::faults::rules::{Fault, FaultAnswer};
use crate::kms;
use crate::s3;
use crate::wire::query::Query;

/// Reads a rule.
///
/// # Errors
///
/// One line, for what is missing or cannot be.
pub(super) fn parse(query: &Query) -> Result<Fault, String> {
    let named = |name: &str| query.find(name).filter(|value| !value.is_empty());
    let operation = named("operation").ok_or("the parameter `operation` is missing")?;
    let mut fault = Fault::on(operation);
    if let Some(bucket) = named("bucket") {
        fault = fault.bucket(bucket);
    }
    if let Some(key) = named("key") {
        fault = fault.key(key);
    }
    if let Some(name) = named("answer") {
        let answer = FaultAnswer::parse(name).ok_or_else(|| {
            let known = FaultAnswer::names().collect::<Vec<_>>().join(", ");
            format!("the answer `{name}` is none of {known}")
        })?;
        fault = fault.answer(answer);
    }
    if let Some(times) = named("times") {
        let count = times.parse();
        fault = fault.times(count.map_err(|_| format!("`{times}` is no number of times"))?);
    }
    Ok(fault)
}

/// Checks that a rule can ever apply.
///
/// # Errors
///
/// One line, for an operation that neither S3 nor KMS has.
pub(super) fn check(fault: &Fault) -> Result<(), String> {
    let operation = fault.operation.as_str();
    let of_s3 = s3::operations::FAMILIES.iter().copied().flatten();
    let is_known = of_s3
        .map(|entry| entry.name)
        .chain(kms::operations::all().map(|entry| entry.name))
        .any(|name| name == operation);
    if is_known {
        Ok(())
    } else {
        Err(format!("no operation is called `{operation}`"))
    }
}

/// Tells the rules that stand.
pub(super) fn render(faults: &[Fault]) -> Value {
    let told = faults.iter().map(|fault| {
        json!({
            "operation": fault.operation,
            "bucket": fault.bucket,
            "key": fault.key,
            "answer": fault.answer.name(),
            "times": fault.times,
        })
    });
    json!({ "faults": told.collect::<Vec<_>>() })
}
