//! What a caller's own side says of it: the policies that it bears, and what caps them.

use crate::policy::decision::{IdentityPolicies, Policies, Rule};
use crate::policy::document::Document;

/// The policies of a caller; the default is that of whom nobody gave any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions {
    /// What it may do. `None` where nobody gave it policies: then it has `Allow` for everything. An empty list allows
    /// nothing.
    pub(crate) identity: Option<Vec<Document>>,
    /// The boundary of its permissions.
    pub(crate) boundary: Option<Document>,
    /// Those that its session was begun with; empty for none.
    pub(crate) session: Vec<Document>,
}

impl Permissions {
    /// All policies that have a say about a KMS key: these, and the key's.
    pub(crate) fn with_key<'p>(&'p self, key: &'p Document) -> Policies<'p> {
        self.with(Some(key), Rule::ResourceDecides)
    }

    /// All policies that have a say about who may be in a role: these, and whom the role trusts.
    pub(crate) fn with_role<'p>(&'p self, trust: &'p Document) -> Policies<'p> {
        self.with(Some(trust), Rule::ResourceDecides)
    }

    /// These alone, about what nothing but the caller's own side decides.
    pub(crate) fn alone(&self) -> Policies<'_> {
        self.with(None, Rule::AccountDecides)
    }

    fn with<'p>(&'p self, resource: Option<&'p Document>, rule: Rule) -> Policies<'p> {
        Policies {
            identity: self.of_identity(),
            boundary: self.boundary.as_ref(),
            session: &self.session,
            resource,
            rule,
            is_granted: false,
        }
    }

    fn of_identity(&self) -> IdentityPolicies<'_> {
        match &self.identity {
            None => IdentityPolicies::Unlimited,
            Some(documents) => IdentityPolicies::Documents(documents),
        }
    }
}
