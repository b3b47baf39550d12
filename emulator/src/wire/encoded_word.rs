//! RFC 2047's encoded words, which carry user metadata beyond ASCII.
//!
//! S3 decodes them on the way in and writes them on the way out: mostly-ASCII text in Q, other text in B.

use crate::wire::encoding::{base64, parse_base64};

/// Decodes all encoded words of UTF-8; what is none stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (before, candidate) = rest.split_at(start);
        decoded.push_str(before);
        if let Some((word, after)) = split_word(candidate) {
            decoded.push_str(&word);
            rest = after;
        } else {
            decoded.push_str("=?");
            rest = &candidate[2..];
        }
    }
    decoded + rest
}

/// The first word of `=?UTF-8?B|Q?…?=…`, decoded, and what follows it.
fn split_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => parse_base64(content)?,
        "Q" | "q" => decode_q(content)?,
        _ => return None,
    };
    let word = String::from_utf8(bytes)
        .ok()
        .filter(|_| charset.eq_ignore_ascii_case("utf-8"))?;
    Some((word, after))
}

fn decode_q(content: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'_' => bytes.push(b' '),
            b'=' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                bytes.extend(hex::decode(digits).ok()?);
                rest = tail;
            }
            _ => bytes.push(byte),
        }
    }
    Some(bytes)
}

/// Text as a header can carry it: itself when it is printable ASCII, else one encoded word.
pub(crate) fn encode(text: &str) -> String {
    let plain = |sign: &char| matches!(sign, ' '..='~' | '\t');
    let ascii = text.chars().filter(plain).count();
    if ascii == text.chars().count() {
        return text.to_owned();
    }
    // AWS: unverified. Both forms have been seen; JavaMail, whose answers they look like, takes Q for mostly-ASCII text.
    if ascii > text.chars().count() - ascii {
        format!("=?UTF-8?Q?{}?=", encode_q(text))
    } else {
        format!("=?UTF-8?B?{}?=", base64(text.as_bytes()))
    }
}

fn encode_q(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "_".to_owned(),
            b'=' | b'?' | b'_' | 0..=0x20 | 0x7f.. => format!("={byte:02X}"),
            _ => char::from(byte).to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_decoded_where_they_stand() {
        assert_eq!(decode("a =?UTF-8?Q?=C3=84M_S3?= b"), "a \u{c4}M S3 b");
        assert_eq!(decode("=?utf-8?b?w4Q=?="), "\u{c4}");
    }

    /// Source: answers recorded from AWS to forms, whose fields may hold what headers cannot.
    #[test]
    fn what_no_header_can_carry_is_encoded() {
        assert_eq!(encode("\0\u{1}\u{2}\u{3}\u{4}"), "=?UTF-8?B?AAECAwQ=?=");
        assert_eq!(encode("two\r\nlines"), "=?UTF-8?Q?two=0D=0Alines?=");
        assert_eq!(encode("a\tb ~"), "a\tb ~");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in [
            "=?",
            "=?UTF-8?Q?=C?=",
            "=?latin1?Q?=E4?=",
            "a=?b?c",
            "=?UTF-8?X?a?=",
        ] {
            assert_eq!(decode(text), text);
        }
    }

    proptest! {
        #[test]
        fn text_beyond_ascii_comes_back(text in "\\PC*[\0-\u{1f}\u{80}-\u{ffff}]\\PC*") {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
