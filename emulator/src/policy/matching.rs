//! Which statements concern a request.

use crate::policy::caller::Caller;
use crate::policy::document::{Document, Effect, Scope, Statement};
use crate::policy::keys::ContextKeys;
use crate::policy::pattern::matches;
use crate::policy::principal::Reach;
use crate::policy::question::{About, Question};
use crate::policy::template::Template;

/// What policies of one layer say about a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether some statement denies it.
    pub(super) is_denied: bool,
    /// How it is allowed, in the way that is worth most.
    pub(super) allowed: Option<Reach>,
}

/// Asks policies.
pub(super) fn ask<'p>(
    documents: impl IntoIterator<Item = &'p Document>,
    question: &Question<'_>,
) -> Finding {
    let action = question.action.to_ascii_lowercase();
    let mut finding = Finding::default();
    for statement in documents
        .into_iter()
        .flat_map(|document| &document.statements)
    {
        let Some(reach) = statement.concerns(question, &action) else {
            continue;
        };
        match statement.effect {
            Effect::Deny => finding.is_denied = true,
            Effect::Allow => finding.allowed = finding.allowed.max(Some(reach)),
        }
    }
    finding
}

impl Statement {
    /// How it reaches the caller, if it is about what they want.
    fn concerns(&self, question: &Question<'_>, lower_action: &str) -> Option<Reach> {
        let reach = self.reach(question.caller)?;
        let concerns = self.has_action(lower_action)
            && match question.about {
                About::Request { resource, keys } => {
                    self.has_resource(resource, keys) && self.holds(keys)
                }
                About::Anything { resource } => self.concerns_anything(resource),
            };
        concerns.then_some(reach)
    }

    fn reach(&self, caller: &Caller) -> Option<Reach> {
        match &self.principals {
            None => Some(Reach::Named),
            Some(Scope::Only(principals)) => principals.reach(caller),
            Some(Scope::AllBut(principals)) => {
                (!principals.spare(caller)).then_some(Reach::OneOfMany)
            }
        }
    }

    fn has_action(&self, lower_action: &str) -> bool {
        let mut named = self.actions.named().iter();
        let is_named = named.any(|pattern| pattern.matches_lower(lower_action));
        is_named != matches!(self.actions, Scope::AllBut(_))
    }

    /// A variable without a value makes a pattern match nothing.
    fn has_resource(&self, resource: &str, keys: &ContextKeys) -> bool {
        let is_named = |template: &Template| {
            template
                .pattern(keys)
                .is_some_and(|pattern| matches(&pattern, resource))
        };
        match &self.resources {
            None => false,
            Some(Scope::Only(named)) => named.iter().any(is_named),
            Some(Scope::AllBut(named)) => !named.iter().any(is_named),
        }
    }

    fn holds(&self, keys: &ContextKeys) -> bool {
        self.conditions.iter().all(|(operator, conditions)| {
            let mut conditions = conditions.iter();
            conditions.all(|condition| operator.holds(condition, keys))
        })
    }

    /// What nobody knows yet speaks for the caller: whether conditions hold, and what variables stand for.
    fn concerns_anything(&self, resource: Option<&str>) -> bool {
        let keys = ContextKeys::default();
        let is_named = |template: &Template| match resource {
            Some(resource) => {
                let pattern = template.pattern(&keys);
                pattern.map(|pattern| matches(&pattern, resource))
            }
            None => (template.source == "*").then_some(true),
        };
        let is_for_sure = |named: &[Template]| {
            named
                .iter()
                .any(|template| is_named(template) == Some(true))
        };
        let may_be = |named: &[Template]| {
            named
                .iter()
                .any(|template| is_named(template) != Some(false))
        };
        match (self.effect, &self.resources) {
            (_, None) => false,
            (Effect::Deny, Some(_)) if !self.conditions.is_empty() => false,
            (Effect::Allow, Some(Scope::Only(named))) => may_be(named),
            (Effect::Allow, Some(Scope::AllBut(named))) => !is_for_sure(named),
            (Effect::Deny, Some(Scope::Only(named))) => is_for_sure(named),
            (Effect::Deny, Some(Scope::AllBut(named))) => !may_be(named),
        }
    }
}
