//! Path patterns: `{name}` is one segment, `{+name}` one or more, as refs and file paths hold slashes.

/// A pattern such as `/repos/{owner}/{repo}/commits/{+ref}/check-runs`.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Fixed(&'static str),
    One(&'static str),
    Many(&'static str),
}

/// The values of a pattern's names.
pub type Params = Vec<(&'static str, String)>;

impl Pattern {
    /// Reads `pattern`; at most one `{+name}` is meaningful.
    pub fn new(pattern: &'static str) -> Self {
        let segment = |text: &'static str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => name.strip_prefix('+').map_or(Segment::One(name), Segment::Many),
            None => Segment::Fixed(text),
        };
        Self(pattern.split('/').filter(|s| !s.is_empty()).map(segment).collect())
    }

    /// The values for `path`, whose segments are decoded already; `None` when it does not match.
    pub fn matches(&self, path: &[String]) -> Option<Params> {
        let many = self.0.iter().position(|s| matches!(s, Segment::Many(_)));
        let Some(index) = many else {
            return (self.0.len() == path.len()).then(|| params(&self.0, path)).flatten();
        };
        let after = self.0.len() - index - 1;
        if path.len() < index + after + 1 {
            return None;
        }
        let (head, rest) = path.split_at(index);
        let (middle, tail) = rest.split_at(rest.len() - after);
        let mut found = params(&self.0[..index], head)?;
        if let Segment::Many(name) = self.0[index] {
            found.push((name, middle.join("/")));
        }
        found.extend(params(&self.0[index + 1..], tail)?);
        Some(found)
    }
}

fn params(pattern: &[Segment], path: &[String]) -> Option<Params> {
    let mut found = Params::new();
    for (segment, text) in pattern.iter().zip(path) {
        match segment {
            Segment::Fixed(fixed) if fixed == text => {}
            Segment::Fixed(_) => return None,
            Segment::One(name) | Segment::Many(name) => found.push((name, text.clone())),
        }
    }
    Some(found)
}

/// The decoded segments of a request's path; `%2F` becomes part of its segment, slashes at the end are dropped.
pub fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|s| !s.is_empty()).map(decode).collect()
}

fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| byte == b'%');
        let mut value = [0];
        if let Some(digits) = digits
            && hex::decode_to_slice(digits, &mut value).is_ok()
        {
            bytes.push(value[0]);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, segments};

    #[test]
    fn slashes_and_escapes_reach_the_same_place() {
        let contents = Pattern::new("/repos/{owner}/{repo}/contents/{+path}");
        let runs = Pattern::new("/repos/{owner}/{repo}/commits/{+ref}/check-runs");
        let cases = [
            (&contents, "/repos/o/r/contents/feedstock/meta.yaml", Some("feedstock/meta.yaml")),
            (&contents, "/repos/o/r/contents/feedstock%2Fmeta.yaml", Some("feedstock/meta.yaml")),
            (&contents, "/repos/o/r/contents/", None),
            (&runs, "/repos/o/r/commits/feature/x/check-runs", Some("feature/x")),
            (&runs, "/repos/o/r/commits/feature%2fx/check-runs", Some("feature/x")),
            (&runs, "/repos/o/r/commits/check-runs", None),
            (&runs, "/repos/o/r/commits/100%/check-runs", Some("100%")),
        ];
        for (pattern, path, expected) in cases {
            let found = pattern.matches(&segments(path));
            assert_eq!(found.as_ref().map(|p| p[2].1.as_str()), expected, "{path}");
        }
    }

    #[test]
    fn fixed_segments_must_agree() {
        assert!(Pattern::new("/app").matches(&segments("/app/")).is_some());
        assert!(Pattern::new("/app").matches(&segments("/apps")).is_none());
        assert!(Pattern::new("/").matches(&segments("/")).is_some());
    }
}
