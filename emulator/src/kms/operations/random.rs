//! Random bytes: `GenerateRandom`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<GenerateRandom>()];

/// Gives random bytes, and keeps none.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html>
#[derive(Debug)]
struct GenerateRandom {
    number_of_bytes: Option<u32>,
}

impl Operation for GenerateRandom {
    const NAME: &'static str = "GenerateRandom";

    fn parse(members: &mut Members) -> Self {
        Self {
            number_of_bytes: members.number("NumberOfBytes", 1..=1_024),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.authorize("*")?;
        let count = self
            .number_of_bytes
            .and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or_else(|| KmsError::validation("NumberOfBytes is required."))?;
        let mut bytes = Zeroizing::new(vec![0; count]);
        cx.entropy.fill(&mut bytes);
        Ok(json!({ "Plaintext": base64(&bytes) }))
    }
}
