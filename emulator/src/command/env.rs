//! `strongroom env`: what clients need to find the server.

use crate::command::arguments::Settings;

/// Lines for `eval "$(strongroom env)"`.
pub(crate) fn lines(settings: &Settings) -> String {
    let uri = format!("http://{}", settings.client_address());
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", uri.clone()),
        ("AWS_ENDPOINT_URL_S3", uri.clone()),
        ("AWS_ENDPOINT_URL_KMS", uri.clone()),
        ("AWS_ENDPOINT_URL_STS", uri),
        ("AWS_ACCESS_KEY_ID", settings.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", settings.secret_key.clone()),
        ("AWS_REGION", settings.region.clone()),
        ("AWS_DEFAULT_REGION", settings.region.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
    ];
    if let Some(path) = &settings.ca_out {
        variables.push(("AWS_CA_BUNDLE", path.display().to_string()));
        variables.push(("SSL_CERT_FILE", path.display().to_string()));
    }
    variables
        .into_iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(&value)))
        .collect()
}

/// In single quotes, which a shell takes as they are, unless nothing in it needs them.
fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_values_as_they_are() {
        assert_eq!(quoted("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
        assert_eq!(quoted("it's $x"), "'it'\\''s $x'");
        assert_eq!(quoted(""), "''");
    }
}
