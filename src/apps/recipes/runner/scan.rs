//! Secrets are taken out of a text before it is kept or shown: those that are known by their
//! value, and those that are recognised by their shape.

use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// What stands in place of a secret whose value is known.
const MASK: &str = "***";
/// A shorter value hides nothing and would riddle the text, in bytes.
const KNOWN_MIN: usize = 4;
/// A key in PEM form that does not end is taken out up to here, in lines.
const PEM_LINES: usize = 200;

/// Values that must not be repeated.
#[derive(Clone, Default)]
pub struct Known(Vec<String>);

impl Known {
    /// These values, and the forms in which they stand in JSON and in URLs.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let values = values.into_iter().flat_map(|value| forms(value.trim()));
        let mut values: Vec<String> = values.filter(|value| value.len() >= KNOWN_MIN).collect();
        // A value that holds another one goes first, else its rest would stay.
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self(values)
    }

    /// These values and those of `other`.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).cloned())
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.0.len())
    }
}

/// A value as it stands in plain text, line by line, inside of JSON text, and in a URL.
fn forms(value: &str) -> Vec<String> {
    let json = serde_json::Value::from(value).to_string();
    let url: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let lines = value.lines().map(|line| line.trim().to_owned());
    // The lines of a key are secret, the words around it are not.
    let lines = lines.filter(|line| !line.starts_with("-----"));
    let whole = [value.to_owned(), json[1..json.len() - 1].to_owned(), url.replace('+', "%20"), url];
    whole.into_iter().chain(lines).collect()
}

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The text; each secret is `***` or `[name of its kind removed]`.
    pub text: String,
    /// What was found, by kind, each once; `configured value` for a known one. Empty: nothing.
    pub found: Vec<&'static str>,
}

/// Takes the secrets out of `text`: the `known` values, and what looks like one.
pub fn scan(text: &str, known: &Known) -> Cleaned {
    let mut found = Vec::new();
    let mut text = Cow::Borrowed(text);
    for value in &known.0 {
        if text.contains(value.as_str()) {
            text = Cow::Owned(text.replace(value.as_str(), MASK));
            note(&mut found, "configured value");
        }
    }
    for shape in SHAPES.iter() {
        if !shape.hints.iter().any(|hint| text.contains(hint)) {
            continue;
        }
        let replaced = shape.pattern.replace_all(&text, shape.mask.as_str());
        if let Cow::Owned(replaced) = replaced {
            text = Cow::Owned(replaced);
            note(&mut found, shape.name);
        }
    }
    Cleaned { text: text.into_owned(), found }
}

fn note(found: &mut Vec<&'static str>, name: &'static str) {
    if !found.contains(&name) {
        found.push(name);
    }
}

/// Takes the secrets out of a text that comes line by line, and where on this machine it comes from.
#[derive(Clone, Debug, Default)]
pub struct Cleaner {
    known: Known,
    /// What is said of a place on this machine, and what instead.
    places: Vec<(String, &'static str)>,
    /// Lines of a key that are still to come at most.
    pem: usize,
}

impl Cleaner {
    /// One that knows these values.
    pub fn new(known: Known) -> Self {
        Self { known, ..Self::default() }
    }

    /// It shows paths below `folder` as relative ones, and those of `checkout`, a folder in it, as the
    /// repository has them: names of temporary folders tell nobody anything.
    #[must_use]
    pub fn within(mut self, folder: &Path, checkout: &str) -> Self {
        // What the program finds out by itself may be the real path, which may end with the other one.
        let real = folder.canonicalize().ok();
        for folder in real.iter().map(|path| &**path).chain([folder]) {
            let folder = folder.display();
            self.places.push((format!("{folder}/{checkout}/"), ""));
            self.places.push((format!("{folder}/"), ""));
            self.places.push((folder.to_string(), "."));
        }
        self
    }

    /// The text without secrets and places. Secrets go last: nothing is put together after them.
    fn scan(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for (place, instead) in &self.places {
            if text.contains(place.as_str()) {
                text = Cow::Owned(text.replace(place.as_str(), instead));
            }
        }
        scan(&text, &self.known).text
    }

    /// The next line without its secrets. Of a key in PEM form the first line says that it was
    /// there, and the others are empty.
    pub fn line(&mut self, line: &str) -> String {
        if self.pem > 0 {
            let (ends, rest) = match line.find("-----END ") {
                Some(at) => (true, line[at + 9..].split_once("-----").map_or("", |(_, rest)| rest)),
                None => (false, ""),
            };
            self.pem = if ends { 0 } else { self.pem - 1 };
            return self.scan(rest);
        }
        let cleaned = self.scan(line);
        if let Some(at) = PEM_BEGIN.find(&cleaned) {
            self.pem = PEM_LINES;
            return format!("{}[private key removed]", &cleaned[..at.start()]);
        }
        cleaned
    }

    /// A whole text without its secrets.
    pub fn text(&self, text: &str) -> String {
        self.scan(text)
    }
}

/// A kind of secret that is recognised by its looks.
struct Shape {
    name: &'static str,
    /// One of these stands in every text that has it: the pattern is tried on no other.
    hints: &'static [&'static str],
    pattern: Regex,
    mask: String,
}

/// The first line of a key.
static PEM_BEGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"));

/// Name, hints, pattern. A group `keep` of the pattern stays.
type Row = (&'static str, &'static [&'static str], &'static str);

const TABLE: [Row; 18] = [
    (
        "private key",
        &["PRIVATE KEY"],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    ),
    ("age key", &["AGE-SECRET-KEY-", "AGE-PLUGIN-"], r"AGE-(?:SECRET-KEY|PLUGIN-[A-Z0-9]+)-1[0-9A-Z]{20,}"),
    ("GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"gh[pousr]_[A-Za-z0-9_.\-]{20,}"),
    ("GitHub token", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{20,}"),
    ("GitLab token", &["glpat-"], r"glpat-[A-Za-z0-9_\-]{20,}"),
    ("AWS key id", &["AKIA", "ASIA"], r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    (
        "AWS secret key",
        &["secret", "SECRET", "Secret"],
        r#"(?P<keep>(?i:aws_?(?:secret|session)[a-z_]*|secret_?access_?key)["']?\s*[:=]\s*["']?)[A-Za-z0-9/+=]{30,}"#,
    ),
    ("Slack token", &["xox"], r"xox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    ("Slack webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_]+"),
    ("JWT", &["eyJ"], r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"),
    ("Google API key", &["AIza"], r"\bAIza[0-9A-Za-z_\-]{35}"),
    ("Google OAuth token", &["ya29."], r"\bya29\.[0-9A-Za-z_\-.]{20,}"),
    ("PyPI token", &["pypi-"], r"\bpypi-[A-Za-z0-9_\-]{50,}"),
    ("npm token", &["npm_"], r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("Hugging Face token", &["hf_"], r"\bhf_[A-Za-z0-9]{30,}\b"),
    (
        "Azure storage key",
        &["AccountKey=", "SharedAccessSignature=", "sig="],
        r"(?P<keep>(?:AccountKey|SharedAccessSignature|[?&]sig)=)[A-Za-z0-9%/+=]{30,}",
    ),
    ("credentials in a URL", &["://"], r"(?P<keep>://)[^\s/:@?#]+:[^\s/@?#]+(?P<at>@)"),
    (
        "authorization header",
        &["uthorization", "UTHORIZATION"],
        r#"(?P<keep>(?i:authorization)["']?\s*[:=]\s*["']?(?i:bearer|token|basic)\s+)[A-Za-z0-9_.~+/=\-]{8,}"#,
    ),
];

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape = |(name, hints, text): Row| Shape {
        name,
        hints,
        pattern: pattern(text),
        mask: format!("${{keep}}[{name} removed]${{at}}"),
    };
    TABLE.into_iter().map(shape).collect()
});

/// The patterns are constants, and a test compiles each.
#[allow(clippy::expect_used)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

#[cfg(test)]
mod tests;
