//! What conditions may look at when a session is asked for.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>

use http::header::USER_AGENT;

use crate::policy::keys::ContextKeys;
use crate::sts::context::Context;
use crate::sts::session::Checked;

/// Of the caller, of how the request came, and of the tags that it brings.
pub(super) fn of(cx: &Context<'_>, asked: &Checked) -> ContextKeys {
    let mut keys = cx
        .caller
        .caller_keys()
        .with("aws:CurrentTime", cx.now.iso8601())
        .with("aws:EpochTime", cx.now.unix_seconds().to_string())
        .with("aws:RequestedRegion", &*cx.region)
        .with("aws:SecureTransport", cx.request.is_secure().to_string())
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:ViaAWSService", "false");
    if let Some(peer) = cx.request.connection.peer {
        keys = keys.with("aws:SourceIp", peer.ip().to_string());
    }
    if let Some(agent) = cx.request.header(USER_AGENT.as_str()) {
        keys = keys.with("aws:UserAgent", agent);
    }
    if !asked.tags.is_empty() {
        keys = keys.with_set("aws:TagKeys", asked.tags.keys());
    }
    if !asked.transitive.is_empty() {
        keys = keys.with_set("sts:TransitiveTagKeys", &asked.transitive);
    }
    for (key, value) in &asked.tags {
        keys = keys.with(&format!("aws:RequestTag/{key}"), value);
    }
    keys
}
