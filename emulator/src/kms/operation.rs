//! What an operation is: a trait, and the row of the table that it becomes. Many are told a key and nothing else: they
//! have a smaller trait.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use serde_json::Value;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::model::kms_key::KmsKey;

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

/// An operation that is told a key, by id or ARN, and nothing else.
pub(crate) trait KeyOperation: Send + 'static {
    /// AWS's name.
    const NAME: &'static str;

    /// Does it; `Null` is an answer without a body.
    ///
    /// # Errors
    ///
    /// KMS's answer where it cannot be done.
    fn run(key: KmsKey, cx: &mut Context) -> impl Future<Output = Result<Value, KmsError>> + Send;
}

/// The message of a [`KeyOperation`].
struct Told<K> {
    key_id: String,
    operation: PhantomData<fn() -> K>,
}

impl<K: KeyOperation> Operation for Told<K> {
    const NAME: &'static str = K::NAME;

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            operation: PhantomData,
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key_by_id(&self.key_id).await?;
        K::run(key, cx).await
    }
}

/// An operation on its way.
pub(crate) type Run<'c> = Pin<Box<dyn Future<Output = Result<Value, KmsError>> + Send + 'c>>;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// AWS's name.
    pub(crate) name: &'static str,
    /// What answers.
    pub(crate) run: for<'c> fn(Members, &'c mut Context) -> Run<'c>,
}

impl Entry {
    /// The row of an operation.
    pub(crate) const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            run: perform::<O>,
        }
    }

    /// The row of an operation that is told a key alone.
    pub(crate) const fn of_key<K: KeyOperation>() -> Self {
        Self::of::<Told<K>>()
    }
}

fn perform<O: Operation>(mut members: Members, cx: &mut Context) -> Run<'_> {
    let operation = O::parse(&mut members);
    let tokens = members.take_tokens();
    Box::pin(async move {
        members.check()?;
        cx.check_grant_tokens(&tokens)?;
        operation.run(cx).await
    })
}
