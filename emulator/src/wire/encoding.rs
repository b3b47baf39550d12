//! Base64 and percent-encoding, each in the forms that AWS uses.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

/// Padding was looked at before, and the last letter's spare bits do not matter.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What SigV4 leaves as it is: the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same, and the slash: a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
/// What a listing under `encoding-type=url` leaves as it is; a space becomes a plus.
const LISTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/')
    .remove(b' ');

/// Standard base64, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64 with padding, and nothing else.
pub(crate) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads base64 as S3 reads a customer's key: what is not in the standard alphabet is dropped, and so is an incomplete
/// quartet at the end.
///
/// Source: answers recorded from AWS in March 2026.
pub(crate) fn decode_lenient(text: &str) -> Zeroizing<Vec<u8>> {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let end = text
        .bytes()
        .position(|byte| byte == b'=')
        .unwrap_or(text.len());
    let (letters, padding) = text.split_at(end);
    let mut kept = Zeroizing::new(letters.bytes().filter(alphabet).collect::<Vec<_>>());
    let padding = padding.bytes().filter(|&byte| byte == b'=').count();
    let whole = kept.len() - kept.len() % 4;
    let is_padded = kept.len() % 4 >= 2 && kept.len() % 4 + padding >= 4;
    if !is_padded {
        kept.truncate(whole);
    }
    Zeroizing::new(LENIENT.decode(kept.as_slice()).unwrap_or_default())
}

/// Percent-encodes all but the unreserved characters, as a canonical query does.
pub(crate) fn uri_encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// The same, slashes left alone, as a canonical path does.
pub(crate) fn uri_encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// As listings encode keys under `encoding-type=url`: safe are letters, digits and `-_.*/`, a space becomes `+`.
pub(crate) fn list_encode(text: &str) -> String {
    utf8_percent_encode(text, LISTED)
        .to_string()
        .replace(' ', "+")
}

/// Decodes `%XX`; `None` when the bytes are not UTF-8. A stray `%` stays.
pub(crate) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Decodes a part of a query: `%XX`, and `+` as a space. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn query_decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn listings_encode_as_aws_does() {
        assert_eq!(list_encode("a b/~!*.txt"), "a+b/%7E%21*.txt");
        assert_eq!(list_encode("ü+"), "%C3%BC%2B");
    }

    #[test]
    fn a_stray_percent_stays() {
        assert_eq!(percent_decode("test%123").as_deref(), Some("test\u{12}3"));
        assert_eq!(percent_decode("100%").as_deref(), Some("100%"));
        assert_eq!(percent_decode("%ff"), None);
    }

    #[test]
    fn customer_keys_are_read_leniently() {
        let key = "K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=";
        let good = parse_base64(key).unwrap();

        for same in [
            key,
            &format!("!!#{key}"),
            &format!("{key}==="),
            &key.replace("Jcx5", "J c\tx#5"),
        ] {
            assert_eq!(*decode_lenient(same), good, "{same}");
        }
        for nothing in ["####", "ZZ", "a", ""] {
            assert!(decode_lenient(nothing).is_empty(), "{nothing}");
        }
        assert_eq!(decode_lenient(key.trim_end_matches('=')).len(), 30);
    }

    proptest! {
        #[test]
        fn what_was_encoded_reads_back(text in "\\PC*", bytes: Vec<u8>) {
            prop_assert_eq!(query_decode(&uri_encode(&text)), text.clone());
            prop_assert_eq!(query_decode(&list_encode(&text)), text.clone());
            let encoded = uri_encode_path(&text);
            let decoded = percent_decode(&encoded);
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
            prop_assert_eq!(parse_base64(&base64(&bytes)), Some(bytes));
        }
    }
}
