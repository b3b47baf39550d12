//! What an operation is: a trait, and the row of the table that it becomes.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;

/// One operation of KMS.
pub(crate) trait Operation: Sized + Send + 'static {
    /// AWS's name, which `X-Amz-Target` carries behind `TrentService.`.
    const NAME: &'static str;

    /// Reads the message: pure. What is wrong with it is noted in `members`, and then nothing of this is used.
    fn parse(members: &mut Members) -> Self;

    /// Does it; `Null` is an answer without a body.
    ///
    /// # Errors
    ///
    /// KMS's answer where it cannot be done.
    fn run(self, cx: &mut Context) -> impl Future<Output = Result<Value, KmsError>> + Send;
}

/// An operation on its way.
pub(crate) type Run<'c> = Pin<Box<dyn Future<Output = Result<Value, KmsError>> + Send + 'c>>;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// AWS's name.
    pub(crate) name: &'static str,
    /// What answers.
    pub(crate) call: Call,
}

/// What answers an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// It is built.
    Operation(for<'c> fn(Members, &'c mut Context) -> Run<'c>),
    /// It is known, and not built yet.
    Unbuilt,
}

impl Entry {
    /// The row of an operation.
    pub(crate) const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            call: Call::Operation(perform::<O>),
        }
    }

    /// The row of one that is not built.
    pub(crate) const fn unbuilt(name: &'static str) -> Self {
        Self {
            name,
            call: Call::Unbuilt,
        }
    }
}

fn perform<O: Operation>(mut members: Members, cx: &mut Context) -> Run<'_> {
    let operation = O::parse(&mut members);
    Box::pin(async move {
        members.check()?;
        operation.run(cx).await
    })
}
