//! Addresses: GitHub's words in them stay, so that they still lead to the same kind of thing.

use super::names::Names;
use super::words::{is_fragment, is_known_host, is_segment};

/// Segments after which names follow: so many, that are nobody's words.
fn named_after(segment: &str) -> usize {
    match segment {
        "repos" => 2,
        "users" | "orgs" | "apps" | "enterprises" | "sponsors" => 1,
        _ => 0,
    }
}

/// Segments after which only names follow: branches and files.
fn opens_names(segment: &str) -> bool {
    matches!(segment, "tree" | "blob" | "raw" | "compare" | "contents" | "branches" | "refs" | "tag" | "labels")
}

impl Names {
    /// The address `url`, with a scheme, private names in it replaced.
    pub fn address(&mut self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else { return self.text(url) };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (path, tail) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let mut made = format!("{scheme}://");
        if let Some(user) = user {
            made += &self.text(user);
            made.push('@');
        }
        made += &self.host(host);
        // In the addresses of pages, an owner and a repository come first.
        let api = host.starts_with("api.") || path.starts_with("/api/") || host.starts_with("uploads.");
        let mut names = if api || path.starts_with("/repos/") { 0 } else { 2 };
        if host.contains("githubusercontent") || host.starts_with("alambic.") {
            names = 0;
        }
        let mut only_names = false;
        for (number, segment) in segments(path).into_iter().enumerate() {
            if number > 0 {
                made.push('/');
            }
            let word = segment.split('{').next().unwrap_or_default();
            let owner = number == 1 && named_after(word) == 0 && !is_page(word);
            if names > 0 && number > 0 && (owner || number > 1 || api) {
                names -= 1;
                made += &self.template(segment, false);
                continue;
            }
            let structural = !only_names && is_segment(word);
            if structural {
                names = named_after(word);
                only_names = opens_names(word);
            }
            made += &self.template(segment, structural);
        }
        made + &self.tail(tail)
    }

    /// The host of an address, with its port.
    pub fn host(&mut self, host: &str) -> String {
        let (name, port) = host.split_once(':').map_or((host, ""), |(name, port)| (name, port));
        if name.is_empty() || is_known_host(name) {
            return host.to_owned();
        }
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        // As one name, for `a.b` and `b` are not related any more.
        let made = self.word(&name.replace(|c: char| !c.is_alphanumeric(), "x"));
        format!("{}.example{port}", made.to_lowercase())
    }

    /// A segment of a path; `{/number}` in it belongs to the form of the address. A structural one
    /// begins with a word of GitHub's.
    fn template(&mut self, segment: &str, structural: bool) -> String {
        let (mut made, mut rest) = (String::new(), segment);
        if structural {
            let end = segment.find('{').unwrap_or(segment.len());
            made.push_str(&segment[..end]);
            rest = &segment[end..];
        }
        while let Some((before, (inside, after))) =
            rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            made += &self.text(before);
            made += &format!("{{{inside}}}");
            rest = after;
        }
        made + &self.text(rest)
    }

    /// Query and fragment.
    fn tail(&mut self, tail: &str) -> String {
        let (query, fragment) = tail.split_once('#').map_or((tail, None), |(query, fragment)| (query, Some(fragment)));
        let mut made = String::new();
        for (number, pair) in query.split('&').enumerate() {
            if number > 0 {
                made.push('&');
            }
            match pair.split_once('=') {
                Some((name, value)) => made += &format!("{name}={}", self.text(value)),
                None => made += pair,
            }
        }
        if let Some(fragment) = fragment {
            let digits = fragment.find(|c: char| c.is_ascii_digit()).unwrap_or(fragment.len());
            let (word, number) = fragment.split_at(digits);
            let known = is_fragment(word.trim_end_matches('-'));
            made.push('#');
            made += &if known { format!("{word}{}", self.text(number)) } else { self.text(fragment) };
        }
        made
    }
}

/// First segments of pages that are no owner's.
fn is_page(segment: &str) -> bool {
    matches!(
        segment,
        "u" | "settings" | "organizations" | "marketplace" | "login" | "images" | "features" | "about" | "apps"
    )
}

/// The segments of a path; a slash in braces parts none.
fn segments(path: &str) -> Vec<&str> {
    let (mut all, mut begin, mut inside) = (Vec::new(), 0, false);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'{' => inside = true,
            b'}' => inside = false,
            b'/' if !inside => {
                all.push(&path[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    all.push(&path[begin..]);
    all
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn githubs_words_stay_and_names_go() {
        let mut names = Names::default();
        for (url, expected) in [
            (
                "https://api.github.com/repos/acme/issues/issues{/number}",
                "https://api.github.com/repos/alder/amber/issues{/number}",
            ),
            (
                "https://github.com/acme/issues/pull/7#issuecomment-12345",
                "https://github.com/alder/amber/pull/7#issuecomment-10001",
            ),
            (
                "https://api.github.com/users/acme/starred{/owner}{/repo}",
                "https://api.github.com/users/alder/starred{/owner}{/repo}",
            ),
            ("https://github.com/acme/issues/tree/issues/pulls", "https://github.com/alder/amber/tree/amber/aspen"),
            ("https://github.com/orgs/acme/teams", "https://github.com/orgs/alder/teams"),
            (
                "https://avatars1.githubusercontent.com/u/12345?v=4",
                "https://avatars1.githubusercontent.com/u/10001?v=4",
            ),
            ("https://ghe.acme.test/api/v3/repos/acme/x", "https://basalt.example/api/v3/repos/alder/x"),
            (
                "http://127.0.0.1:4000/repos/acme/issues/contents/{+path}",
                "http://127.0.0.1:4000/repos/alder/amber/contents/{+path}",
            ),
            (
                "https://api.github.com/repos/acme/issues/compare/{base}...{head}",
                "https://api.github.com/repos/alder/amber/compare/{base}...{head}",
            ),
            ("https://github.com/acme", "https://github.com/alder"),
            ("https://github.com/apps/acme", "https://github.com/apps/alder"),
        ] {
            assert_eq!(names.address(url), expected, "{url}");
        }
    }
}
