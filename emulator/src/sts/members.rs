//! The members of a request, checked as STS does: all of them first, and all that is wrong in one refusal.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::sts::error::StsError;
use crate::sts::form::Form;

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Its length, in characters.
    pub(super) length: (usize, usize),
    /// What it is made of.
    pub(super) pattern: Option<Pattern>,
}

/// How AWS writes a pattern, and whether a text is like it.
pub(super) type Pattern = (&'static str, fn(&str) -> bool);

/// Reads members, and remembers what is wrong with them.
#[derive(Debug)]
pub(super) struct Members<'f> {
    form: &'f Form,
    violations: Vec<String>,
}

impl<'f> Members<'f> {
    /// Of a form.
    pub(super) fn of(form: &'f Form) -> Self {
        Self {
            form,
            violations: Vec::new(),
        }
    }

    /// A text that has to be there; empty where it is not, which is remembered.
    pub(super) fn required(&mut self, name: &str, rule: &Rule) -> String {
        let found = self.optional(name, rule);
        found.unwrap_or_else(|| {
            self.violate("null", &at(name), "not be null");
            String::new()
        })
    }

    /// A text that may be there. An empty one of a kind that must not be empty is checked as any other.
    pub(super) fn optional(&mut self, name: &str, rule: &Rule) -> Option<String> {
        let text = self.form.find(name)?.to_owned();
        self.check(&text, &at(name), rule);
        Some(text)
    }

    /// So many seconds, or the default.
    ///
    /// # Errors
    ///
    /// `ValidationError` for what is no number.
    // AWS: unverified. The words for what is no number.
    pub(super) fn seconds(
        &mut self,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Result<Duration, StsError> {
        let name = "DurationSeconds";
        let Some(text) = self.form.find(name) else {
            return Ok(Duration::from_secs(default));
        };
        let number: i64 = text
            .parse()
            .map_err(|_| StsError::validation(format!("{text} is invalid")))?;
        let seconds = u64::try_from(number).unwrap_or(0);
        let (least, most) = range.into_inner();
        let value = format!("'{number}'");
        if number < 0 || seconds < least {
            let rule = format!("have value greater than or equal to {least}");
            self.violate(&value, &at(name), &rule);
        } else if seconds > most {
            let rule = format!("have value less than or equal to {most}");
            self.violate(&value, &at(name), &rule);
        }
        Ok(Duration::from_secs(seconds))
    }

    /// How many items a list has, and that there are not too many.
    pub(super) fn count(&mut self, list: &str, most: usize) -> usize {
        let count = self.form.count(list);
        if count > most {
            let rule = format!("have length less than or equal to {most}");
            let value = format!("'[{count} items]'");
            self.violate(&value, &at(list), &rule);
        }
        count.min(most)
    }

    /// A text of a list's item, from 1; `member` is empty where the item is the text.
    pub(super) fn of_item(
        &mut self,
        (list, number): (&str, usize),
        member: &str,
        rule: &Rule,
    ) -> String {
        let (dot, place) = if member.is_empty() {
            ("", format!("{}.{number}.member", at(list)))
        } else {
            (".", format!("{}.{number}.member.{}", at(list), at(member)))
        };
        let name = format!("{list}.member.{number}{dot}{member}");
        let Some(text) = self.form.find(&name).map(str::to_owned) else {
            self.violate("null", &place, "not be null");
            return String::new();
        };
        self.check(&text, &place, rule);
        text
    }

    /// Refuses all that is wrong.
    ///
    /// # Errors
    ///
    /// `ValidationError`.
    pub(super) fn end(self) -> Result<(), StsError> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let s = if count == 1 { "" } else { "s" };
        let all = self.violations.join("; ");
        let message = format!("{count} validation error{s} detected: {all}");
        Err(StsError::validation(message))
    }

    fn check(&mut self, text: &str, place: &str, rule: &Rule) {
        let length = text.chars().count();
        let (least, most) = rule.length;
        let value = format!("'{text}'");
        if let Some((pattern, is_like)) = rule.pattern
            && !is_like(text)
        {
            let rule = format!("satisfy regular expression pattern: {pattern}");
            self.violate(&value, place, &rule);
        }
        if length < least {
            let rule = format!("have length greater than or equal to {least}");
            self.violate(&value, place, &rule);
        }
        if length > most {
            let rule = format!("have length less than or equal to {most}");
            self.violate(&value, place, &rule);
        }
    }

    fn violate(&mut self, value: &str, place: &str, rule: &str) {
        self.violations.push(format!(
            "Value {value} at '{place}' failed to satisfy constraint: Member must {rule}"
        ));
    }
}

/// The name of a member as refusals have it: `roleArn`.
fn at(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
