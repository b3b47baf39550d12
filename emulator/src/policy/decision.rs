//! The decision: may they?
//!
//! One matching `Deny` ends it, wherever it stands; without an `Allow` it is no. Which `Allow` is enough depends on where
//! the caller is at home, and on whether the account or the resource's own policy decides.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use crate::policy::document::Document;
use crate::policy::matching::{Finding, ask};
use crate::policy::principal::Reach;
use crate::policy::question::Question;

/// All policies that have a say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies<'p> {
    /// Those of the caller.
    pub(crate) identity: IdentityPolicies<'p>,
    /// The boundary of the caller's permissions.
    pub(crate) boundary: Option<&'p Document>,
    /// Those that a session was begun with; empty for none.
    pub(crate) session: &'p [Document],
    /// That of the resource.
    pub(crate) resource: Option<&'p Document>,
    /// Who decides at home.
    pub(crate) rule: Rule,
    /// Whether a grant of KMS allows it.
    pub(crate) is_granted: bool,
}

/// The policies of a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IdentityPolicies<'p> {
    /// Nobody gave it any, and so it has `Allow` for everything.
    Unlimited,
    /// These.
    Documents(&'p [Document]),
}

/// Whether callers of the resource's account need its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Their own policies are enough, and their root needs none: buckets.
    AccountDecides,
    /// Their own policies count as far as the resource's lets their account in, and so it is with their root: KMS keys.
    ResourceDecides,
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The caller's.
    Identity,
    /// The boundary of its permissions.
    Boundary,
    /// Its session's.
    Session,
    /// The resource's.
    Resource,
}

/// What allowed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Being the root of the account.
    Root,
    /// The caller's policies.
    Identity,
    /// The resource's policy, and the caller's where it is at home elsewhere.
    Resource,
    /// A grant.
    Grant,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// A policy of this layer says so.
    Explicit(Layer),
    /// None of this layer allows it.
    Silent(Layer),
    /// The caller is of another account, or of none: they are not told why.
    Foreign,
}

impl Policies<'_> {
    /// Whether a condition of any of them looks at a key: what nobody looks at need not be found out.
    pub(crate) fn look_at(&self, key: &str) -> bool {
        let identity = match self.identity {
            IdentityPolicies::Unlimited => &[],
            IdentityPolicies::Documents(documents) => documents,
        };
        let capped = identity.iter().chain(self.session);
        let others = self.boundary.into_iter().chain(self.resource);
        capped.chain(others).any(|document| document.looks_at(key))
    }
}

/// Decides.
///
/// # Errors
///
/// [`Denial`].
pub(crate) fn decide(question: &Question<'_>, policies: &Policies<'_>) -> Result<By, Denial> {
    let findings = Findings::gather(question, policies);
    findings.denials(question)?;
    if policies.is_granted {
        return Ok(By::Grant);
    }
    if is_abroad(question) {
        return findings.decide_abroad(question);
    }
    match policies.rule {
        Rule::AccountDecides => findings.decide_by_account(question),
        Rule::ResourceDecides => findings.decide_by_resource(question),
    }
}

/// Whether the caller is at home in another account than the resource, or in none.
fn is_abroad(question: &Question<'_>) -> bool {
    question.caller.account() != Some(question.owner)
}

#[derive(Debug)]
struct Findings {
    identity: Finding,
    boundary: Option<Finding>,
    session: Option<Finding>,
    resource: Finding,
}

impl Findings {
    fn gather(question: &Question<'_>, policies: &Policies<'_>) -> Self {
        let identity = match policies.identity {
            IdentityPolicies::Unlimited => Finding {
                is_denied: false,
                allowed: Some(Reach::Named),
            },
            IdentityPolicies::Documents(documents) => ask(documents, question),
        };
        let session = policies.session;
        Self {
            identity,
            boundary: policies.boundary.map(|document| ask([document], question)),
            session: (!session.is_empty()).then(|| ask(session, question)),
            resource: ask(policies.resource, question),
        }
    }

    /// What a resource's policy says is not told to callers of other accounts, nor to those of none.
    // AWS: unverified. Which of several denials is told.
    fn denials(&self, question: &Question<'_>) -> Result<(), Denial> {
        let layers = [
            (Some(self.identity), Layer::Identity),
            (self.boundary, Layer::Boundary),
            (self.session, Layer::Session),
            (Some(self.resource), Layer::Resource),
        ];
        let denies = |finding: &Option<Finding>| finding.is_some_and(|finding| finding.is_denied);
        match layers.into_iter().find(|(finding, _)| denies(finding)) {
            Some((_, Layer::Resource)) if is_abroad(question) => Err(Denial::Foreign),
            Some((_, layer)) => Err(Denial::Explicit(layer)),
            None => Ok(()),
        }
    }

    /// Callers of other accounts need both sides; their roots count as allowed on theirs. Callers of none need the
    /// resource's alone.
    fn decide_abroad(&self, question: &Question<'_>) -> Result<By, Denial> {
        let caller = question.caller;
        let is_allowed_at_home = caller.account().is_none()
            || caller.is_root()
            || (self.caps().is_ok() && self.identity.allowed.is_some());
        if self.resource.allowed.is_some() && is_allowed_at_home {
            Ok(By::Resource)
        } else {
            Err(Denial::Foreign)
        }
    }

    fn decide_by_account(&self, question: &Question<'_>) -> Result<By, Denial> {
        if question.caller.is_root() {
            return Ok(By::Root);
        }
        if self.resource.allowed == Some(Reach::Named) {
            return Ok(By::Resource);
        }
        self.caps()?;
        if self.resource.allowed == Some(Reach::OneOfMany) {
            return Ok(By::Resource);
        }
        self.by_identity()
    }

    fn decide_by_resource(&self, question: &Question<'_>) -> Result<By, Denial> {
        let reach = self.resource.allowed;
        let reach = reach.ok_or(Denial::Silent(Layer::Resource))?;
        if reach == Reach::Named || question.caller.is_root() {
            return Ok(By::Resource);
        }
        self.caps()?;
        match reach {
            Reach::Account => self.by_identity(),
            Reach::OneOfMany | Reach::Named => Ok(By::Resource),
        }
    }

    /// What a session and a boundary leave of the caller's permissions.
    // AWS: unverified. That they cap what a resource gives to everybody.
    fn caps(&self) -> Result<(), Denial> {
        let is_silent = |finding: Option<Finding>| finding.is_some_and(|it| it.allowed.is_none());
        if is_silent(self.session) {
            return Err(Denial::Silent(Layer::Session));
        }
        if is_silent(self.boundary) {
            return Err(Denial::Silent(Layer::Boundary));
        }
        Ok(())
    }

    fn by_identity(&self) -> Result<By, Denial> {
        match self.identity.allowed {
            Some(_) => Ok(By::Identity),
            None => Err(Denial::Silent(Layer::Identity)),
        }
    }
}

impl Denial {
    /// How a refusal ends, without a full stop; `None` for who is not told.
    pub(crate) fn reason(self, action: &str) -> Option<String> {
        match self {
            Self::Explicit(layer) => Some(format!("with an explicit deny in {}", layer.one())),
            Self::Silent(layer) => {
                let one = layer.one();
                let kind = one.split_once(' ').map_or(one, |(_, kind)| kind);
                Some(format!("because no {kind} allows the {action} action"))
            }
            Self::Foreign => None,
        }
    }
}

impl Layer {
    fn one(self) -> &'static str {
        match self {
            Self::Identity => "an identity-based policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::Resource => "a resource-based policy",
        }
    }
}
