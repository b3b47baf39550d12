//! What the documentation of the test kit shows: each of its public items has an example.

use crate::source::Source;
use crate::violation::Violation;

/// Public items whose documentation has no block of code; of each file those that `is_shown` wants, by their names.
pub(crate) fn items_without_an_example(
    sources: &[Source],
    is_shown: impl Fn(&str) -> bool,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        let mut has_example = false;
        for (line, number) in source.text.lines().map(str::trim).zip(1..) {
            if line.starts_with("///") {
                has_example |= line.contains("```");
                continue;
            }
            let name = public_name(line).filter(|name| is_shown(name));
            if let Some(name) = name.filter(|_| !has_example) {
                let rule = format!("`{name}` has no example (design §4)");
                violations.push(Violation::new(&source.path, number, rule));
            }
            // An attribute stands between an item and its documentation.
            if line.is_empty() || line.ends_with(['{', '}', ';']) {
                has_example = false;
            }
        }
    }
    violations
}

/// What a line calls a public item; `None` for all else, fields too.
fn public_name(line: &str) -> Option<&str> {
    let item = line.strip_prefix("pub ")?;
    let item = item.strip_prefix("async ").unwrap_or(item);
    let (kind, name) = item.split_once(' ')?;
    let kinds = ["const", "enum", "fn", "mod", "struct", "trait", "type"];
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    kinds
        .contains(&kind)
        .then(|| &name[..end.unwrap_or(name.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_an_example_is_caught() {
        let text = "\
/// Shown.
///
/// ```
/// let a = A;
/// ```
#[derive(Debug)]
pub struct A {
    /// A field.
    pub a: u8,
}

/// Told alone.
pub struct B;

impl A {
    /// ```
    /// A::c();
    /// ```
    pub async fn c() {}

    #[must_use]
    pub fn d() {}

    pub(crate) fn e() {}
}
";
        let sources = [Source::parse("testkit/src/a.rs", text)];
        let found = |is_shown: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let found = items_without_an_example(&sources, is_shown);
            found.iter().map(|violation| violation.line).collect()
        };

        assert_eq!(found(&|_| true), [13, 22]);
        assert_eq!(found(&|name| name == "B"), [13]);
        assert_eq!(found(&|name| name == "A"), []);
    }
}
