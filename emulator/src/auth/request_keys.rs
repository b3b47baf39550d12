//! What conditions may look at of how a request came: over which connection, from where, and sent by what.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use crate::policy::keys::ContextKeys;
use crate::wire::request::Request;

/// Keys and the headers that they tell.
const HEADERS: &[(&str, &str)] = &[("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")];

/// All of it; a request that was made in process came from nowhere.
pub(crate) fn request_keys(request: &Request) -> ContextKeys {
    let mut keys = ContextKeys::default();
    if let Some(peer) = request.connection.peer {
        keys = keys
            .with("aws:SecureTransport", request.is_secure().to_string())
            .with("aws:SourceIp", peer.ip().to_canonical().to_string());
    }
    for (key, header) in HEADERS {
        if let Some(value) = request.header(header) {
            keys = keys.with(key, value);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn a_request_tells_whence_and_how_it_came() {
        let mut request = Request::new(Method::POST, "/", "");
        request.connection.peer = Some("[::ffff:192.0.2.7]:4711".parse().unwrap());
        request
            .headers
            .insert("user-agent", "curl/8".parse().unwrap());

        let keys = request_keys(&request);

        let expected = ContextKeys::default()
            .with("aws:SecureTransport", "false")
            .with("aws:SourceIp", "192.0.2.7")
            .with("aws:UserAgent", "curl/8");
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_request_in_process_came_from_nowhere() {
        let keys = request_keys(&Request::new(Method::POST, "/", ""));

        assert_eq!(keys, ContextKeys::default());
    }
}
