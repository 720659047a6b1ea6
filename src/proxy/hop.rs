//! Headers that belong to one connection and end with it.

/// RFC 9110, sections 7.6.1 and 10.1.1, and what older programs hold to be one.
const HOP: [&str; 9] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether the header `name`, in lower case, is not to be passed on.
pub fn is_hop(name: &str) -> bool {
    HOP.contains(&name)
}
