//! What the manifests say: how many packages, from where, with which features.

use crate::violation::Violation;

/// One dependency of a manifest's section.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dependency<'a> {
    name: &'a str,
    /// What stands behind its name.
    value: &'a str,
    /// Counted from 1.
    line: usize,
}

/// Name and line of each package of a manifest, those behind features too.
pub(crate) fn all_packages(manifest: &str) -> Vec<(String, usize)> {
    named(section(manifest, "dependencies"))
}

/// Name and line of each package that a manifest's default features pull.
fn direct_packages(manifest: &str) -> Vec<(String, usize)> {
    let mut packages = section(manifest, "dependencies");
    packages.retain(|dependency| !dependency.value.contains("optional = true"));
    named(packages)
}

fn named(packages: Vec<Dependency<'_>>) -> Vec<(String, usize)> {
    let name = |package: Dependency<'_>| (package.name.to_owned(), package.line);
    packages.into_iter().map(name).collect()
}

/// Everything beyond the first `most` packages.
pub(crate) fn packages_beyond(path: &str, manifest: &str, most: usize) -> Vec<Violation> {
    let packages = direct_packages(manifest);
    let count = packages.len();
    let beyond = packages.into_iter().skip(most);
    beyond
        .map(|(name, line)| {
            let rule = format!("`{name}` makes {count} direct packages, at most {most} (style §8)");
            Violation::new(path, line, rule)
        })
        .collect()
}

/// Dependencies with a version of their own: versions live in the workspace's manifest alone.
pub(crate) fn versions_outside_the_workspace(path: &str, manifest: &str) -> Vec<Violation> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|name| section(manifest, name))
        .filter(|dependency| !dependency.value.contains("workspace = true"))
        .map(|dependency| {
            let rule = format!(
                "`{}` must be `workspace = true` (style §8)",
                dependency.name
            );
            Violation::new(path, dependency.line, rule)
        })
        .collect()
}

/// Workspace dependencies that keep their default features.
pub(crate) fn default_features(path: &str, manifest: &str) -> Vec<Violation> {
    section(manifest, "workspace.dependencies")
        .into_iter()
        .filter(|dependency| !dependency.value.contains("default-features = false"))
        .map(|dependency| {
            let rule = format!(
                "`{}` keeps its default features (style §8)",
                dependency.name
            );
            Violation::new(path, dependency.line, rule)
        })
        .collect()
}

/// Examples that `cargo test` would only build: of these names, those that the manifest does not let it run.
pub(crate) fn examples_that_no_test_runs(
    path: &str,
    manifest: &str,
    names: &[&str],
) -> Vec<Violation> {
    let runs = |name: &&&str| {
        let mut blocks = manifest.split("[[example]]\n").skip(1);
        let block = blocks.find(|block| block.starts_with(&format!("name = \"{name}\"\n")));
        let rows = block.and_then(|block| block.split("\n\n").next());
        rows.is_some_and(|rows| {
            rows.contains("\ntest = true\n") && rows.ends_with("\nharness = false")
        })
    };
    let unrun = names.iter().filter(|name| !runs(name));
    unrun
        .map(|name| {
            let rule = format!("no test runs the example `{name}` (style §9)");
            Violation::new(path, 1, rule)
        })
        .collect()
}

/// The rows of a section; one that goes over several lines counts by its first.
fn section<'a>(manifest: &'a str, name: &str) -> Vec<Dependency<'a>> {
    let header = format!("[{name}]");
    let numbered = manifest.lines().zip(1..);
    numbered
        .skip_while(|(line, _)| line.trim() != header)
        .skip(1)
        .take_while(|(line, _)| !line.starts_with('['))
        .filter(|(line, _)| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .filter_map(|(text, line)| {
            let end = text.find(|c: char| c == '.' || c == '=' || c.is_whitespace())?;
            let (name, value) = text.split_at(end);
            Some(Dependency { name, value, line })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"[package]
name = "a"
[dependencies]
bytes.workspace = true
# a remark
clap = { workspace = true, features = ["std"] }
sdk = { workspace = true, optional = true }
left-pad = "1"

[dev-dependencies]
proptest.workspace = true
[workspace.dependencies]
a = { version = "1", default-features = false }
b = "2"
"#;

    fn lines(violations: &[Violation]) -> Vec<usize> {
        violations.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn packages_beyond_the_budget_are_caught() {
        assert_eq!(lines(&packages_beyond("a", MANIFEST, 2)), [8]);
        assert_eq!(lines(&packages_beyond("a", MANIFEST, 3)), []);
    }

    #[test]
    fn packages_behind_features_count_where_all_do() {
        assert_eq!(direct_packages(MANIFEST).len(), 3);
        assert_eq!(all_packages(MANIFEST).len(), 4);
    }

    #[test]
    fn a_version_outside_of_the_workspace_is_caught() {
        assert_eq!(lines(&versions_outside_the_workspace("a", MANIFEST)), [8]);
    }

    #[test]
    fn default_features_are_caught() {
        assert_eq!(lines(&default_features("a", MANIFEST)), [14]);
    }

    #[test]
    fn an_example_that_is_only_built_is_caught() {
        let manifest = "[[example]]\nname = \"run\"\ntest = true\nharness = false\n\n\
            [[example]]\nname = \"built\"\nharness = false\n\n\
            [[example]]\nname = \"empty\"\ntest = true\n\n[lints]\n";
        let found = |name| examples_that_no_test_runs("a", manifest, &[name]).len();

        assert_eq!(
            ["run", "built", "empty", "unnamed"].map(found),
            [0, 1, 1, 1]
        );
    }
}
