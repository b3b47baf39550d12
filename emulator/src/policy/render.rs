//! A policy as S3 reads it back: its elements in one order, a list of one as its only value.
//!
//! Source: answers of AWS; what is longer than one keeps the order in which it was sent.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::policy::condition::{Condition, Operator};
use crate::policy::document::{Document, Scope, Statement};
use crate::policy::principal::{Principal, Principals};

/// In one line.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if let Some(version) = self.version {
            members.serialize_entry("Version", version.name())?;
        }
        if let Some(id) = &self.id {
            members.serialize_entry("Id", id)?;
        }
        members.serialize_entry("Statement", &self.statements)?;
        members.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if let Some(sid) = &self.sid {
            members.serialize_entry("Sid", sid)?;
        }
        members.serialize_entry("Effect", self.effect.name())?;
        if let Some(principals) = &self.principals {
            let name = spelled(principals, "Principal", "NotPrincipal");
            members.serialize_entry(name, principals.named())?;
        }
        let actions = self.actions.named().iter().map(|it| it.source.clone());
        let name = spelled(&self.actions, "Action", "NotAction");
        members.serialize_entry(name, &OneOrMany(actions.collect()))?;
        if let Some(resources) = &self.resources
            && !resources.named().is_empty()
        {
            let named = resources.named().iter().map(|it| it.source.clone());
            let name = spelled(resources, "Resource", "NotResource");
            members.serialize_entry(name, &OneOrMany(named.collect()))?;
        }
        if !self.conditions.is_empty() {
            members.serialize_entry("Condition", &Conditions(&self.conditions))?;
        }
        members.end()
    }
}

fn spelled<T>(scope: &Scope<T>, only: &'static str, all_but: &'static str) -> &'static str {
    match scope {
        Scope::Only(_) => only,
        Scope::AllBut(_) => all_but,
    }
}

impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_bare {
            return serializer.serialize_str("*");
        }
        let mut members = serializer.serialize_map(None)?;
        for kind in ["AWS", "CanonicalUser", "Federated", "Service"] {
            let names = self.listed.iter().map(Principal::names);
            let of_kind = names.filter(|(other, _)| *other == kind);
            let names: Vec<_> = of_kind.map(|(_, name)| name).collect();
            if !names.is_empty() {
                members.serialize_entry(kind, &OneOrMany(names))?;
            }
        }
        members.end()
    }
}

struct OneOrMany(Vec<String>);

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => serializer.serialize_str(one),
            many => serializer.collect_seq(many),
        }
    }
}

struct Conditions<'c>(&'c [(Operator, Vec<Condition>)]);

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.0.iter();
        serializer
            .collect_map(members.map(|(operator, conditions)| (&operator.name, Keys(conditions))))
    }
}

struct Keys<'c>(&'c [Condition]);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|condition| {
            let values = condition.values.iter().map(|value| value.source.clone());
            (&condition.key, OneOrMany(values.collect()))
        }))
    }
}
