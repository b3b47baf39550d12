//! The query of a request, decoded: presence, first values, and all pairs for a signature.

use crate::wire::encoding::query_decode;

/// Names and values in the order of the wire. Names are case-sensitive; of a repeated one the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a raw query, without its question mark.
    pub(crate) fn parse(raw: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (query_decode(name), query_decode(value))
        };
        Self(
            raw.split('&')
                .filter(|part| !part.is_empty())
                .map(pair)
                .collect(),
        )
    }

    /// Whether the name is there, with a value or without.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The first value of a name; empty where the name came alone.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All pairs, decoded, in the order of the wire.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeated_name_counts() {
        let query = Query::parse("prefix=a&prefix=b&acl&max-keys=2");

        assert_eq!(query.find("prefix"), Some("a"));
        assert_eq!(query.find("acl"), Some(""));
        assert!(!query.has("ACL"));
    }

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::parse("a%20b=c+d%2F&=x");

        assert_eq!(
            query.pairs().collect::<Vec<_>>(),
            [("a b", "c d/"), ("", "x")]
        );
    }
}
