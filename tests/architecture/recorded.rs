//! The lists of recorded tests: none passes and waits at once, and each waits for what is not built.

use std::collections::BTreeSet;

use crate::violation::Violation;

/// What a test may wait for beside operations.
const KINDS_OF_KEYS: &str = "CreateKey of the spec ";

/// The lines of a list of tests or a table of operations, with their numbers; remarks aside.
pub(crate) fn rows(list: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = (1..).zip(list.lines());
    numbered.filter(|(_, line)| !line.starts_with('#') && !line.is_empty())
}

/// The operations of a table that are not built.
pub(crate) fn unbuilt(table: &str) -> BTreeSet<&str> {
    let columns = |(_, row): (usize, _)| {
        let mut columns = str::split(row, " | ");
        Some((columns.next()?, columns.next()?))
    };
    let all = rows(table).filter_map(columns);
    all.filter(|(_, state)| *state == "unbuilt")
        .map(|(name, _)| name)
        .collect()
}

/// The rows of the list of tests that wait which do not hold any more.
pub(crate) fn stale_waits(
    (path, waiting): (&str, &str),
    passing: &BTreeSet<&str>,
    unbuilt: &BTreeSet<&str>,
) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let check = |(line, row)| {
        let wrong = match str::split_once(row, " | ") {
            None => Some("say behind ` | ` what it waits for".to_owned()),
            Some((test, _)) if passing.contains(test) => Some("it passes: take it out".to_owned()),
            Some((test, _)) if !seen.insert(test.to_owned()) => Some("it stands here twice".into()),
            Some((_, reasons)) => reasons
                .split(", ")
                .find(|reason| !unbuilt.contains(reason) && !reason.starts_with(KINDS_OF_KEYS))
                .map(|reason| format!("`{reason}` is built, or no operation")),
        };
        wrong.map(|rule| Violation::new(path, line, rule))
    };
    rows(waiting).filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "# operations\nPut | built | PUT\nTag | unbuilt | PUT\nSign | unbuilt | {}\n";

    fn stale(waiting: &str) -> Vec<(usize, String)> {
        let found = stale_waits(("w", waiting), &BTreeSet::from(["good"]), &unbuilt(TABLE));
        found.into_iter().map(|one| (one.line, one.rule)).collect()
    }

    #[test]
    fn what_is_not_built_is_waited_for() {
        let waiting = "# remark\na | Tag\nb | CreateKey of the spec RSA_2048, Sign\n";

        assert_eq!(stale(waiting), []);
    }

    #[test]
    fn a_wait_that_has_an_end_is_found() {
        let waiting = "good | Tag\nb | Tag, Put\nc\nd | Tag\nd | Tag\n";

        let found = stale(waiting);

        let expected = [
            (1, "it passes: take it out"),
            (2, "`Put` is built, or no operation"),
            (3, "say behind ` | ` what it waits for"),
            (5, "it stands here twice"),
        ];
        assert_eq!(found, expected.map(|(line, rule)| (line, rule.to_owned())));
    }
}
