//! Customers' keys in what a refusal repeats of its request. AWS shows them to whoever has sent them; we show no key to anybody.

/// What stands in the place of a key.
pub(super) const MASK: &str = "***";

const HEADERS: [&str; 2] = [
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

/// Whether a header, parameter or field of this name carries a key.
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

fn mask_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_carried_by(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked_and_nothing_else() {
        let signed = "PUT\n/a:b&c=d\nX-Amz-Server-Side-Encryption-Customer-Key=secret&b=1\nhost:h\nx-amz-copy-source-server-side-encryption-customer-key:secret\nx-amz-server-side-encryption-customer-key:secret\nx-amz-server-side-encryption-customer-key-md5:m\n\nhost;x-amz-server-side-encryption-customer-key\nUNSIGNED-PAYLOAD";

        let masked = mask(signed);

        assert_eq!(masked, signed.replace("secret", MASK));
        assert_eq!(masked.matches(MASK).count(), 3);
    }
}
