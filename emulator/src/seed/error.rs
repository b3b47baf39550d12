//! Why a seed cannot be loaded: one line, with the file and the line in it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::wire::json_lines::Finding;

/// What a seed says that cannot be done, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedError {
    place: Place,
    message: String,
}

/// Where something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file or folder; `None` for a seed that is no file.
    pub(crate) path: Option<PathBuf>,
    /// The line in it, from 1.
    pub(crate) line: Option<usize>,
}

impl Place {
    /// A file or folder as a whole.
    pub(crate) fn of_path(path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            line: None,
        }
    }

    /// A line of it.
    pub(crate) fn at(&self, line: usize) -> Self {
        Self {
            path: self.path.clone(),
            line: Some(line),
        }
    }

    /// What is wrong with the text that lies here.
    pub(crate) fn found(&self, finding: Finding) -> SeedError {
        self.at(finding.line).error(finding.message)
    }

    /// What is wrong there.
    pub(crate) fn error(&self, message: impl fmt::Display) -> SeedError {
        SeedError {
            place: self.clone(),
            message: message.to_string(),
        }
    }
}

impl SeedError {
    /// What is wrong, for whoever names the place in his own way.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("in the seed")?;
        if let Some(path) = &self.place.path {
            write!(f, " `{}`", path.display())?;
        }
        if let Some(line) = self.place.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for SeedError {}
