//! Who may ask the control: whoever reached the server under a name of its own, and no web page.
//!
//! A page of any site can have a browser send requests to this machine. What it cannot do is to choose the host's name,
//! unless it owns that name, nor to leave out its own origin where that matters.

use std::net::IpAddr;

use http::header::ORIGIN;

use crate::s3::target::without_port;
use crate::wire::request::Request;

/// Tells whoever must not ask why not.
pub(super) fn refusal(request: &Request, hosts: &[String]) -> Option<String> {
    let name = without_port(&request.host);
    if !is_own(name, hosts) {
        let refused = format!(
            "the control answers under an IP address, a bare name, `*.localhost` and the names of --host, and not under `{name}`"
        );
        return Some(refused);
    }
    let origin = request.headers.get(ORIGIN)?;
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let is_foreign = !authority.is_some_and(|own| own.eq_ignore_ascii_case(&request.host));
    is_foreign.then(|| format!("a page of the origin `{origin}` must not ask the control"))
}

fn is_own(name: &str, hosts: &[String]) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let below_localhost = || {
        let (_, last) = name.rsplit_once('.').unwrap_or_default();
        last.eq_ignore_ascii_case("localhost")
    };
    !name.is_empty()
        && (bare.parse::<IpAddr>().is_ok()
            || !name.contains('.')
            || below_localhost()
            || hosts.iter().any(|host| host.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn asked(host: &str, origin: Option<&'static str>) -> Option<String> {
        let mut request = Request::new(Method::GET, "/_emulator/stored", "");
        host.clone_into(&mut request.host);
        if let Some(origin) = origin {
            let origin = HeaderValue::from_static(origin);
            request.headers.insert(ORIGIN, origin);
        }
        refusal(&request, &["s3.test".to_owned()])
    }

    #[test]
    fn a_name_that_somebody_else_may_own_is_refused() {
        for host in [
            "127.0.0.1:4566",
            "[::1]:4566",
            "localhost",
            "strongroom:80",
            "a.localhost:1",
            "S3.test",
        ] {
            assert_eq!(asked(host, None), None, "{host}");
        }
        for host in [
            "evil.example:4566",
            "localhost.evil.example",
            "b.s3.test",
            "",
        ] {
            assert!(asked(host, None).is_some(), "{host}");
        }
    }

    #[test]
    fn a_page_may_ask_where_it_comes_from_alone() {
        let host = "localhost:4566";

        assert_eq!(asked(host, Some("http://localhost:4566")), None);
        assert_eq!(asked(host, Some("https://LOCALHOST:4566")), None);
        for origin in ["http://localhost:3000", "https://evil.example", "null"] {
            let refused = asked(host, Some(origin)).unwrap();
            assert!(refused.contains(origin), "{refused}");
        }
    }
}
