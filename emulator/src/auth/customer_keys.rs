//! Customers' keys and tokens of sessions in what a refusal repeats of its request. AWS shows them to whoever has sent them;
//! we show no key to anybody, and a token where AWS gives it a place of its own.

use crate::wire::encoding::parse_base64;

/// What stands in the place of a key.
pub(super) const MASK: &str = "***";

const HEADERS: [&str; 3] = [
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-security-token",
];

/// Whether a header, parameter or field of this name carries a key or a token.
pub(super) fn is_carried_by(name: &str) -> bool {
    HEADERS
        .iter()
        .any(|header| header.eq_ignore_ascii_case(name))
}

/// What was signed of a request, by either version, with every key masked: in its headers and in its query.
pub(super) fn mask(signed: &str) -> String {
    let lines = signed.split('\n').map(|line| match line.split_once(':') {
        Some((name, _)) if is_carried_by(name) => format!("{name}:{MASK}"),
        _ => line.split('&').map(mask_pair).collect::<Vec<_>>().join("&"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What was signed of a form: its policy in base64, or the mask where that names a field that carries a key.
pub(super) fn mask_policy(policy: &str) -> String {
    let decoded = parse_base64(policy).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded).to_ascii_lowercase();
    let names_key = HEADERS.iter().any(|header| {
        let mut behind = text.split(header).skip(1);
        behind.any(|rest| !rest.starts_with("-md5"))
    });
    if names_key {
        MASK.to_owned()
    } else {
        policy.to_owned()
    }
}

fn mask_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_carried_by(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encoding::base64;

    #[test]
    fn a_policy_that_names_a_key_is_masked_whole() {
        let names =
            |name: &str| base64(format!("{{\"conditions\":[{{\"{name}\":\"v\"}}]}}").as_bytes());
        let [key, md5] =
            [HEADERS[0].to_owned(), format!("{}-MD5", HEADERS[0])].map(|name| names(&name));

        assert_eq!(mask_policy(&key), MASK);
        assert_eq!(mask_policy(&md5), md5);
        assert_eq!(mask_policy("no policy"), "no policy");
    }

    #[test]
    fn keys_are_masked_and_nothing_else() {
        let signed = "PUT\n/a:b&c=d\nX-Amz-Server-Side-Encryption-Customer-Key=secret&b=1\nhost:h\nx-amz-copy-source-server-side-encryption-customer-key:secret\nx-amz-server-side-encryption-customer-key:secret\nx-amz-server-side-encryption-customer-key-md5:m\nx-amz-security-token:secret\n\nhost;x-amz-server-side-encryption-customer-key\nUNSIGNED-PAYLOAD";

        let masked = mask(signed);

        assert_eq!(masked, signed.replace("secret", MASK));
        assert_eq!(masked.matches(MASK).count(), 4);
    }
}
