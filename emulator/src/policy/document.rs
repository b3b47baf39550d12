//! A policy that has been read.

use crate::policy::condition::{Condition, Operator};
use crate::policy::pattern::Pattern;
use crate::policy::principal::Principals;
use crate::policy::template::Template;

/// A policy. What was read is whole: it has statements, and each of them all that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// `Version`; without one it is that of 2008.
    pub(super) version: Option<Version>,
    /// `Id`.
    pub(super) id: Option<String>,
    /// `Statement`.
    pub(super) statements: Vec<Statement>,
}

/// What a policy hangs on: that decides which elements it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A user, a role, a session, or the boundary of one: about its bearer.
    Identity,
    /// A bucket.
    Bucket,
    /// A KMS key.
    Key,
    /// A role, about who may be in it.
    Trust,
}

/// `Version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// `2008-10-17`: without variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// `Effect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// What a statement is about, or all that it is not about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope<T> {
    /// This.
    Only(T),
    /// All else.
    AllBut(T),
}

/// `Statement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// `Sid`.
    pub(super) sid: Option<String>,
    /// `Effect`.
    pub(super) effect: Effect,
    /// `Principal`, `NotPrincipal`; `None` where it is about whoever bears the policy.
    pub(super) principals: Option<Scope<Principals>>,
    /// `Action`, `NotAction`.
    pub(super) actions: Scope<Vec<Pattern>>,
    /// `Resource`, `NotResource`; `None` for a statement without effect; those of trust policies name none and
    /// are about all.
    pub(super) resources: Option<Scope<Vec<Template>>>,
    /// `Condition`.
    pub(super) conditions: Vec<(Operator, Vec<Condition>)>,
}

impl Document {
    /// Whether a condition looks at a key.
    pub(super) fn looks_at(&self, key: &str) -> bool {
        let conditions = self
            .statements
            .iter()
            .flat_map(|statement| &statement.conditions);
        conditions
            .flat_map(|(_, conditions)| conditions)
            .any(|condition| condition.is_on(key))
    }
}

impl Version {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

impl Effect {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl<T> Scope<T> {
    /// What it names, whichever way.
    pub(super) fn named(&self) -> &T {
        match self {
            Self::Only(named) | Self::AllBut(named) => named,
        }
    }

    /// The same way about something else.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Scope<U> {
        match self {
            Self::Only(named) => Scope::Only(change(named)),
            Self::AllBut(named) => Scope::AllBut(change(named)),
        }
    }
}
