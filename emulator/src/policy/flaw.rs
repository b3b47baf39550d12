//! What is wrong with a policy, told so that each service can word it as AWS's does.

use std::fmt;

/// A policy that cannot be read: its first flaw, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadPolicy {
    /// The `Sid` of the statement, or `NO_ID-` and its index from 0; `None` for the document itself.
    pub(crate) statement: Option<String>,
    /// What it is.
    pub(crate) flaw: Flaw,
}

/// An element of a document or a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// `Statement`.
    Statement,
    /// `Effect`.
    Effect,
    /// `Principal`, `NotPrincipal`.
    Principal,
    /// `Action`, `NotAction`.
    Action,
    /// `Resource`, `NotResource`.
    Resource,
}

/// A flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The text does not begin with `{`.
    NoObject,
    /// It does, and is no JSON.
    BrokenJson,
    /// More bytes than are looked at.
    TooLong,
    /// Nested deeper than any policy is.
    TooDeep,
    /// A name stands twice in an object; holds it.
    DuplicateName(String),
    /// An element that policies of this kind do not have; holds its name.
    UnknownElement(String),
    /// An element is not there.
    Missing(Element),
    /// An element names nothing.
    Empty(Element),
    /// An element and its opposite: `Action` beside `NotAction`.
    Both(Element),
    /// A value of another JSON type than it must have; holds the name of the element.
    Syntax(String),
    /// No version that there is; holds it.
    Version(String),
    /// A `Sid` that IAM does not take, or takes once; holds it.
    Sid(String),
    /// Neither `Allow` nor `Deny`; holds it.
    Effect(String),
    /// Nobody; holds the kind of principal and its name.
    Principal(String, String),
    /// `Allow` to all but somebody.
    AllowNotPrincipal,
    /// No action of any service; holds it.
    Action(String),
    /// No resource; holds it.
    Resource(String),
    /// No operator of conditions; holds its name.
    Operator(String),
    /// No address, and no range of them; holds it.
    IpAddress(String),
    /// No base64; holds it.
    Base64(String),
}

impl Element {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Statement => "Statement",
            Self::Effect => "Effect",
            Self::Principal => "Principal",
            Self::Action => "Action",
            Self::Resource => "Resource",
        }
    }
}

impl Flaw {
    /// The flaw of the document itself.
    pub(crate) fn of_document(self) -> BadPolicy {
        BadPolicy {
            statement: None,
            flaw: self,
        }
    }
}

/// The words are S3's where they are known.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject => {
                f.write_str("Policies must be valid JSON and the first byte must be '{'")
            }
            Self::BrokenJson => f.write_str("This policy contains invalid Json"),
            Self::TooLong => f.write_str("The policy is too long"),
            Self::TooDeep => f.write_str("The policy is nested too deep"),
            Self::DuplicateName(name) => write!(f, "Duplicate name: {name}"),
            Self::UnknownElement(name) => write!(f, "Unknown element: {name}"),
            Self::Missing(element) => write!(f, "Missing required field {}", element.name()),
            Self::Empty(Element::Statement) => {
                f.write_str("Could not parse the policy: Statement is empty!")
            }
            Self::Empty(element) => {
                write!(
                    f,
                    "Missing required field {} cannot be empty!",
                    element.name()
                )
            }
            Self::Both(element) => write!(f, "{0} beside Not{0}", element.name()),
            Self::Syntax(_) => f.write_str("Invalid policy syntax."),
            Self::Version(_) => f.write_str("The policy must contain a valid version string"),
            Self::Sid(sid) => write!(f, "Invalid statement id: {sid}"),
            Self::Effect(effect) => write!(f, "Invalid effect: {effect}"),
            Self::Principal(..) => f.write_str("Invalid principal in policy"),
            Self::AllowNotPrincipal => f.write_str("Allow with NotPrincipal is not allowed."),
            Self::Action(_) => f.write_str("Policy has invalid action"),
            Self::Resource(_) => f.write_str("Policy has invalid resource"),
            Self::Operator(name) => write!(f, "Invalid Condition type : {name}"),
            Self::IpAddress(_) => f.write_str("Invalid IP address in Conditions"),
            Self::Base64(_) => f.write_str("Invalid Base64 value for binary condition"),
        }
    }
}
