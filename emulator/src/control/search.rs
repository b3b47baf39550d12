//! Whether some bytes lie anywhere in the store in the clear: as they are, in hex, in base64.
//!
//! A long plaintext is looked for in pieces, spread over all of it, so that a body of which only a part was left in the
//! clear is found too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::store::finder::{Finder, SHORTEST_PATTERN};
use crate::store::handle::Store;
use crate::wire::encoding::base64;

/// The size of a piece of a long plaintext.
const PIECE_BYTES: usize = 32;
/// The most pieces that are looked for.
const MOST_PIECES: usize = 4_096;
/// A piece of fewer different bytes lies in many files: zeros, most of all.
const FEWEST_DIFFERENT: usize = 4;

/// A place where plaintext lies in the clear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The form that it has there.
    pub form: Form,
    /// The name of the file, or of the row or body of the catalogue.
    pub place: String,
}

/// A form in which plaintext can lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Form {
    /// Byte for byte.
    Raw,
    /// As a string of JSON, with its escapes.
    Json,
    /// In hex digits, of either case.
    Hex,
    /// In base64, of either alphabet, and wherever it stands in a longer text.
    Base64,
}

/// Every place of the store that holds the plaintext, or a piece of it. Blocks.
///
/// # Errors
///
/// One line, for a plaintext that occurs by chance, and where the store cannot be read.
pub(crate) fn search(store: &Store, plaintext: &[u8]) -> Result<BTreeSet<Finding>, String> {
    let pieces = pieces(plaintext)?;
    let mut patterns: BTreeMap<Vec<u8>, Form> = BTreeMap::new();
    for (form, pattern) in pieces.iter().flat_map(|piece| forms(piece)) {
        if pattern.len() >= SHORTEST_PATTERN {
            patterns.entry(pattern).or_insert(form);
        }
    }
    let (patterns, forms): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
    let places = store.search(&Finder::new(patterns));
    let places = places.map_err(|error| error.to_string())?;
    let finding = |(pattern, place): (usize, String)| Finding {
        form: forms[pattern],
        place,
    };
    Ok(places.into_iter().map(finding).collect())
}

/// The plaintext, or pieces spread over all of it: the first and the last always.
fn pieces(plaintext: &[u8]) -> Result<Vec<&[u8]>, String> {
    let length = plaintext.len();
    if length < SHORTEST_PATTERN {
        return Err(format!(
            "{length} bytes occur by chance: look for a plaintext of at least {SHORTEST_PATTERN}"
        ));
    }
    let size = length.min(PIECE_BYTES);
    let step = size.max(length.div_ceil(MOST_PIECES));
    let starts = (0..=length - size).step_by(step).chain([length - size]);
    let pieces = starts.map(|start| &plaintext[start..start + size]);
    let pieces: Vec<_> = pieces.filter(|piece| is_telling(piece)).collect();
    if pieces.is_empty() {
        let refused =
            "the plaintext repeats so few bytes that they occur by chance: look for another one";
        return Err(refused.to_owned());
    }
    Ok(pieces)
}

fn is_telling(piece: &[u8]) -> bool {
    piece.iter().collect::<BTreeSet<_>>().len() >= FEWEST_DIFFERENT
}

fn forms(piece: &[u8]) -> Vec<(Form, Vec<u8>)> {
    let hex = hex::encode(piece);
    let mut forms = vec![
        (Form::Raw, piece.to_vec()),
        (Form::Hex, hex.to_uppercase().into_bytes()),
        (Form::Hex, hex.into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(piece) {
        let quoted = serde_json::Value::from(text).to_string();
        forms.push((Form::Json, quoted.as_bytes()[1..quoted.len() - 1].to_vec()));
    }
    for before in 0..3 {
        let standard = base64_within(piece, before);
        let url = standard.replace('+', "-").replace('/', "_");
        forms.push((Form::Base64, standard.into_bytes()));
        forms.push((Form::Base64, url.into_bytes()));
    }
    forms
}

/// What base64 makes of a piece alone, whatever stands in front of it and behind; `before` are the bytes of its first
/// group that are not its own.
fn base64_within(piece: &[u8], before: usize) -> String {
    let encoded = base64(&[&[0; 2][..before], piece].concat());
    let first = [0, 2, 3][before];
    let whole = (before + piece.len()) * 8 / 6;
    encoded[first..whole].to_owned()
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.form, self.place)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "as it is",
            Self::Json => "as JSON",
            Self::Hex => "as hex",
            Self::Base64 => "as base64",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_occurs_by_chance_is_refused() {
        assert!(
            pieces(b"seven b")
                .unwrap_err()
                .starts_with("7 bytes occur by chance")
        );
        assert!(pieces(&[0; 1_000]).unwrap_err().contains("by chance"));
        assert!(pieces(b"eight by").is_ok());
    }

    #[test]
    fn a_long_plaintext_is_looked_for_from_end_to_end() {
        let plaintext: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();

        let pieces = pieces(&plaintext).unwrap();

        assert_eq!(pieces[0], &plaintext[..32]);
        assert_eq!(pieces.last(), Some(&&plaintext[plaintext.len() - 32..]));
        assert!((4_000..=MOST_PIECES + 1).contains(&pieces.len()));
    }

    proptest! {
        #[test]
        fn base64_of_more_holds_that_of_the_piece(
            before in prop::collection::vec(any::<u8>(), 0..9),
            piece in prop::collection::vec(any::<u8>(), 8..40),
            behind in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let whole = base64(&[&before[..], &piece, &behind].concat());

            prop_assert!(whole.contains(&base64_within(&piece, before.len() % 3)));
        }
    }
}
