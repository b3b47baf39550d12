//! Lists, page by page: how many at once, and where the next page begins.

use serde_json::{Value, json};

use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::wire::encoding::{base64, parse_base64};

/// Which page is asked for.
#[derive(Clone, Debug)]
pub(crate) struct PageRequest {
    /// The most items.
    pub(crate) limit: usize,
    marker: Option<String>,
}

impl PageRequest {
    /// Reads `Limit` and `Marker`.
    pub(crate) fn parse(members: &mut Members, default: usize) -> Self {
        let limit = members.number("Limit", 1..=1_000);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Self {
            limit: limit.unwrap_or(default),
            marker: members.maybe_text("Marker", 1..=1_024),
        }
    }

    /// What the page begins behind; `read` knows how the list names its items.
    ///
    /// # Errors
    ///
    /// `InvalidMarkerException` for a marker that we did not give.
    pub(crate) fn after<T>(
        &self,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Result<Option<T>, KmsError> {
        let Some(marker) = &self.marker else {
            return Ok(None);
        };
        let name = parse_base64(marker).and_then(|name| String::from_utf8(name).ok());
        name.and_then(read).map(Some).ok_or_else(foreign_marker)
    }
}

/// `InvalidMarkerException`.
// AWS: unverified. The words.
pub(crate) fn foreign_marker() -> KmsError {
    KmsError::new("InvalidMarkerException", "Could not parse the marker.")
}

/// A page: its items, and the name of the last one where there are more behind it.
pub(crate) fn page(items: &str, values: &[Value], last: Option<&str>) -> Value {
    let mut page = json!({ items: values, "Truncated": last.is_some() });
    if let Some(last) = last {
        page["NextMarker"] = json!(base64(last.as_bytes()));
    }
    page
}
