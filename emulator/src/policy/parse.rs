//! Reads policies. It stops at the first flaw.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use crate::policy::comparison::{Comparison, is_base64, is_network};
use crate::policy::condition::{Condition, Operator};
use crate::policy::document::{Document, Effect, Kind, Scope, Statement, Version};
use crate::policy::flaw::{BadPolicy, Element, Flaw};
use crate::policy::json::{self, Json};
use crate::policy::pattern::Pattern;
use crate::policy::principal::{Principal, Principals};
use crate::policy::template::Template;

type Members = Vec<(String, Json)>;

const STATEMENT: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Document {
    /// Reads a policy of a kind.
    ///
    /// # Errors
    ///
    /// [`BadPolicy`]: the first flaw.
    pub(crate) fn parse(text: &str, kind: Kind) -> Result<Self, BadPolicy> {
        let members = json::parse(text).map_err(Flaw::of_document)?;
        let (head, statements) = parse_head(&members).map_err(Flaw::of_document)?;
        let mut document = Self {
            statements: Vec::with_capacity(statements.len()),
            ..head
        };
        for (index, statement) in statements.iter().enumerate() {
            let read = parse_statement(statement, kind, &document);
            let read = read.map_err(|flaw| BadPolicy {
                statement: Some(name_of(statement, index)),
                flaw,
            })?;
            document.statements.push(read);
        }
        Ok(document)
    }
}

/// The document without its statements, and those.
fn parse_head(members: &Members) -> Result<(Document, &[Json]), Flaw> {
    refuse_unknown(members, &["Version", "Id", "Statement"])?;
    let version = match text(members, "Version")? {
        None => None,
        Some("2008-10-17") => Some(Version::V2008),
        Some("2012-10-17") => Some(Version::V2012),
        Some(other) => return Err(Flaw::Version(other.to_owned())),
    };
    let id = text(members, "Id")?.map(str::to_owned);
    let statements = match member(members, "Statement") {
        None => return Err(Flaw::Missing(Element::Statement)),
        Some(Json::List(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
    };
    if statements.is_empty() {
        return Err(Flaw::Empty(Element::Statement));
    }
    let head = Document {
        version,
        id,
        statements: Vec::new(),
    };
    Ok((head, statements))
}

fn name_of(statement: &Json, index: usize) -> String {
    let sid = match statement {
        Json::Object(members) => text(members, "Sid").ok().flatten(),
        _ => None,
    };
    sid.map_or_else(|| format!("NO_ID-{index}"), str::to_owned)
}

fn parse_statement(json: &Json, kind: Kind, before: &Document) -> Result<Statement, Flaw> {
    let Json::Object(members) = json else {
        return Err(Flaw::Syntax("Statement".to_owned()));
    };
    refuse_unknown(members, STATEMENT)?;
    let has_variables = before.version == Some(Version::V2012);
    let sid = parse_sid(members, kind, before)?;
    let principals = parse_principals(members, kind)?;
    let effect = parse_effect(members)?;
    if effect == Effect::Allow && matches!(principals, Some(Scope::AllBut(_))) {
        return Err(Flaw::AllowNotPrincipal);
    }
    Ok(Statement {
        sid,
        effect,
        principals,
        actions: parse_actions(members, kind)?,
        resources: parse_resources(members, kind, has_variables)?,
        conditions: parse_conditions(members, has_variables)?,
    })
}

/// IAM takes letters and digits, and each once.
fn parse_sid(members: &Members, kind: Kind, before: &Document) -> Result<Option<String>, Flaw> {
    let Some(sid) = text(members, "Sid")? else {
        return Ok(None);
    };
    let is_known = |other: &Statement| other.sid.as_deref() == Some(sid);
    let is_good = kind != Kind::Identity
        || (sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !before.statements.iter().any(is_known));
    if is_good {
        Ok(Some(sid.to_owned()))
    } else {
        Err(Flaw::Sid(sid.to_owned()))
    }
}

fn parse_effect(members: &Members) -> Result<Effect, Flaw> {
    match text(members, "Effect")? {
        None => Err(Flaw::Missing(Element::Effect)),
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(other) => Err(Flaw::Effect(other.to_owned())),
    }
}

fn parse_principals(members: &Members, kind: Kind) -> Result<Option<Scope<Principals>>, Flaw> {
    let found = either(members, Element::Principal, ("Principal", "NotPrincipal"))?;
    let Some(found) = found else {
        return match kind {
            Kind::Identity => Ok(None),
            _ => Err(Flaw::Missing(Element::Principal)),
        };
    };
    if kind == Kind::Identity {
        return Err(Flaw::UnknownElement("Principal".to_owned()));
    }
    let kinds = match found.named() {
        Json::Scalar { text, .. } if text == "*" => {
            return Ok(Some(found.map(|_| Principals::everybody())));
        }
        Json::Object(kinds) => kinds,
        _ => return Err(Flaw::Syntax("Principal".to_owned())),
    };
    let mut listed = Vec::new();
    for (name, json) in kinds {
        for text in texts(json, "Principal")? {
            let principal = Principal::parse(name, &text).filter(|it| is_taken(it, kind));
            let bad = || Flaw::Principal(name.clone(), text.clone());
            listed.push(principal.ok_or_else(bad)?);
        }
    }
    if listed.is_empty() {
        return Err(Flaw::Empty(Element::Principal));
    }
    let principals = Principals {
        is_bare: false,
        listed,
    };
    Ok(Some(found.map(|_| principals)))
}

fn is_taken(principal: &Principal, kind: Kind) -> bool {
    match principal {
        Principal::CanonicalUser(_) => kind == Kind::Bucket,
        Principal::Federated(_) => kind == Kind::Trust,
        _ => true,
    }
}

fn parse_actions(members: &Members, kind: Kind) -> Result<Scope<Vec<Pattern>>, Flaw> {
    let found = either(members, Element::Action, ("Action", "NotAction"))?;
    let Some(found) = found else {
        return match kind {
            // Such a statement can be put, and has no effect.
            Kind::Key => Ok(Scope::Only(Vec::new())),
            _ => Err(Flaw::Missing(Element::Action)),
        };
    };
    let actions = texts(found.named(), "Action")?;
    if actions.is_empty() {
        return Err(Flaw::Empty(Element::Action));
    }
    let is_action = |action: &String| action == "*" || action.contains(':');
    if let Some(bad) = actions.iter().find(|action| !is_action(action)) {
        return Err(Flaw::Action(bad.clone()));
    }
    let actions = actions.into_iter().map(Pattern::ignoring_case).collect();
    Ok(found.map(|_| actions))
}

fn parse_resources(
    members: &Members,
    kind: Kind,
    has_variables: bool,
) -> Result<Option<Scope<Vec<Template>>>, Flaw> {
    let found = either(members, Element::Resource, ("Resource", "NotResource"))?;
    let Some(found) = found else {
        return match kind {
            Kind::Key => Ok(None),
            // The role that it hangs on is all that it can be about.
            Kind::Trust => Ok(Some(Scope::AllBut(Vec::new()))),
            Kind::Identity | Kind::Bucket => Err(Flaw::Missing(Element::Resource)),
        };
    };
    if kind == Kind::Trust {
        return Err(Flaw::UnknownElement("Resource".to_owned()));
    }
    let resources = texts(found.named(), "Resource")?;
    if resources.is_empty() {
        return Err(Flaw::Empty(Element::Resource));
    }
    let read = |text: String| parse_resource(text, has_variables);
    let resources = resources.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Some(found.map(|_| resources)))
}

/// Variables stand behind the fifth colon.
fn parse_resource(text: String, has_variables: bool) -> Result<Template, Flaw> {
    let fifth = text.match_indices(':').nth(4);
    match fifth {
        Some((colon, _)) if has_variables && text.starts_with("arn:") => {
            Ok(Template::with_variables(text, colon + 1))
        }
        // AWS: unverified. Patterns that are no whole ARN, such as `arn:aws:s3*`.
        _ if text == "*" || text.starts_with("arn:") => Ok(Template::plain(text)),
        _ => Err(Flaw::Resource(text)),
    }
}

fn parse_conditions(
    members: &Members,
    has_variables: bool,
) -> Result<Vec<(Operator, Vec<Condition>)>, Flaw> {
    let operators = match member(members, "Condition") {
        None => return Ok(Vec::new()),
        Some(Json::Object(operators)) => operators,
        Some(_) => return Err(Flaw::Syntax("Condition".to_owned())),
    };
    let mut conditions = Vec::with_capacity(operators.len());
    for (name, json) in operators {
        let Json::Object(keys) = json else {
            return Err(Flaw::Syntax("Condition".to_owned()));
        };
        let operator = Operator::parse(name).ok_or_else(|| Flaw::Operator(name.clone()))?;
        let read = |(key, values): &(String, Json)| {
            let values = parse_values(values, &operator, has_variables)?;
            Ok(Condition::new(key, values))
        };
        let of_operator = keys.iter().map(read).collect::<Result<_, _>>()?;
        conditions.push((operator, of_operator));
    }
    Ok(conditions)
}

fn parse_values(
    json: &Json,
    operator: &Operator,
    has_variables: bool,
) -> Result<Vec<Template>, Flaw> {
    let values = scalars(json).ok_or_else(|| Flaw::Syntax("Condition".to_owned()))?;
    let read = |(text, _): (&String, bool)| {
        match operator.comparison() {
            Some(Comparison::IpAddress) if !is_network(text) => {
                return Err(Flaw::IpAddress(text.clone()));
            }
            Some(Comparison::Binary) if !is_base64(text) => {
                return Err(Flaw::Base64(text.clone()));
            }
            _ => {}
        }
        Ok(if has_variables && operator.takes_variables() {
            Template::with_variables(text.clone(), 0)
        } else {
            Template::plain(text.clone())
        })
    };
    values.into_iter().map(read).collect()
}

/// An element or its opposite.
fn either<'m>(
    members: &'m Members,
    element: Element,
    (only, all_but): (&str, &str),
) -> Result<Option<Scope<&'m Json>>, Flaw> {
    match (member(members, only), member(members, all_but)) {
        (None, None) => Ok(None),
        (Some(found), None) => Ok(Some(Scope::Only(found))),
        (None, Some(found)) => Ok(Some(Scope::AllBut(found))),
        (Some(_), Some(_)) => Err(Flaw::Both(element)),
    }
}

fn refuse_unknown(members: &Members, known: &[&str]) -> Result<(), Flaw> {
    let unknown = |(name, _): &&(String, Json)| !known.contains(&name.as_str());
    match members.iter().find(unknown) {
        Some((name, _)) => Err(Flaw::UnknownElement(name.clone())),
        None => Ok(()),
    }
}

fn member<'m>(members: &'m Members, name: &str) -> Option<&'m Json> {
    let mut members = members.iter();
    members
        .find(|member| member.0 == name)
        .map(|(_, value)| value)
}

/// A text in quotes.
fn text<'m>(members: &'m Members, name: &str) -> Result<Option<&'m str>, Flaw> {
    match member(members, name) {
        None => Ok(None),
        Some(Json::Scalar {
            text,
            is_quoted: true,
        }) => Ok(Some(text)),
        Some(_) => Err(Flaw::Syntax(name.to_owned())),
    }
}

/// One text, or those of a list.
fn texts(json: &Json, element: &str) -> Result<Vec<String>, Flaw> {
    let syntax = || Flaw::Syntax(element.to_owned());
    let texts = scalars(json).ok_or_else(syntax)?;
    let owned = |(text, is_quoted): (&String, bool)| is_quoted.then(|| text.clone());
    let texts = texts.into_iter().map(owned).collect::<Option<_>>();
    texts.ok_or_else(syntax)
}

fn scalars(json: &Json) -> Option<Vec<(&String, bool)>> {
    let list = match json {
        Json::List(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().map(Json::scalar).collect()
}
