//! What the server calls: anything that answers a request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::wire::request::Request;
use crate::wire::response::Response;

/// An answer on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A protocol: S3, STS, or what picks among them.
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers. Errors are answers too: how they are spelled is the protocol's own business.
    fn answer(self: Arc<Self>, request: Request) -> Answer;
}
