//! The operations of STS.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assume_role;
mod federation_token;
mod identity;
mod session_token;

use crate::sts::operation::Entry;

const ALL: &[Entry] = &[
    Entry::of("AssumeRole", assume_role::run),
    Entry::unbuilt("AssumeRoleWithSAML"),
    Entry::unbuilt("AssumeRoleWithWebIdentity"),
    Entry::unbuilt("AssumeRoot"),
    Entry::unbuilt("DecodeAuthorizationMessage"),
    Entry::unbuilt("GetAccessKeyInfo"),
    Entry::of("GetCallerIdentity", identity::run),
    Entry::unbuilt("GetDelegatedAccessToken"),
    Entry::of("GetFederationToken", federation_token::run),
    Entry::of("GetSessionToken", session_token::run),
    Entry::unbuilt("GetWebIdentityToken"),
];

/// The operation of a name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}
