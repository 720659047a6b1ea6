//! Whose host a URL names.

use url::{Host, Url};

/// Whether `url` leads to the machine that uses it, whichever that is: a loopback or unspecified
/// address, or a name that always stands for one (RFC 6761, section 6.3).
pub fn is_own(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => {
            let ip = ip.to_canonical();
            ip.is_loopback() || ip.is_unspecified()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Url, is_own};

    #[test]
    fn the_own_machine() {
        for (url, own) in [
            ("http://localhost:8000/github/hooks/", true),
            ("http://LOCALHOST/", true),
            ("http://dev.localhost./", true),
            ("http://127.8.0.1/", true),
            ("http://0.0.0.0:3000/", true),
            ("http://[::1]/", true),
            ("http://[::]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("https://localhost.example.com/", false),
            ("https://mylocalhost/", false),
            ("http://192.168.0.7/", false),
            ("http://[fd00::1]/", false),
            ("http://[::ffff:10.0.0.1]/", false),
            ("mailto:alice@localhost", false),
        ] {
            assert_eq!(is_own(&Url::parse(url).expect(url)), own, "{url}");
        }
    }
}
