//! `GetSessionToken`: temporary credentials for a user or a root, who may do with them what they may anyway.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>

use crate::auth::iam_names::Tags;
use crate::auth::lookup::NewSession;
use crate::auth::sessions::SessionOf;
use crate::sts::context::{Context, tell_credentials};
use crate::sts::document::Node;
use crate::sts::error::StsError;
use crate::sts::form::Form;
use crate::sts::members::Members;
use crate::sts::session::{OWNERS_DEFAULT, OWNERS_SECONDS, lasting, refuse_devices};

/// Begins a session of the caller's own.
pub(super) fn run(cx: &Context<'_>, form: &Form) -> Result<Vec<Node>, StsError> {
    let mut members = Members::of(form);
    let asked = members.seconds(OWNERS_SECONDS, OWNERS_DEFAULT)?;
    members.end()?;
    if cx.caller.session.is_some() {
        return Err(StsError::denied(
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    refuse_devices(form)?;
    let credentials = cx.begin(NewSession {
        of: SessionOf::Owner(cx.caller.access_key.clone()),
        tags: Tags::new(),
        transitive: Vec::new(),
        policy: None,
        source_identity: None,
        lasts: lasting(&cx.caller, asked),
    });
    Ok(vec![tell_credentials(&credentials)])
}
