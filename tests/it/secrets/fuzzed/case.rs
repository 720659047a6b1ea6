//! One generated document and what it is encrypted with; how pforge and sops treat it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use pforge::secrets::tree::{self, Item, Node};
use pforge::secrets::{Format, Identities, MacPolicy, Pattern, Recipient, Rule, Sealed, Sealing, Style, seal};
use proptest::collection::{btree_set, vec};
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use regex::Regex;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::sops::sops;

/// Key pairs: recipient and identity.
const KEYS: [(&str, &str); 4] = [
    (
        "age199jqq85txcpsrwt62dhscc26eytacuf4jr46a2pkqts2nxur5qesslpru5",
        include_str!("../../../fixtures/sops/keys/age-A.txt"),
    ),
    (
        "age1mwwqh7e50ahn4lpmtxsjkw2ykfwc956nyqujjfldskr4gqt8534s6ce6xp",
        include_str!("../../../fixtures/sops/keys/age-B.txt"),
    ),
    (
        "age14zxp3tfzp26h25jy3vt5qv2z6gfrndewclczxz5h3yxjh03deavskjrx95",
        include_str!("../../../fixtures/sops/keys/age-C.txt"),
    ),
    (
        "age1gmmec7nltvesqsgnhqxcsa7h3u2n08y94qsf2ah8e4n0gw2vk52qdd8e38",
        include_str!("../../../fixtures/sops/keys/age-D.txt"),
    ),
];

/// A document and its settings.
#[derive(Clone)]
pub struct Case {
    /// Its format.
    pub format: Format,
    /// Its plaintext.
    pub plain: Vec<u8>,
    /// How it is encrypted.
    pub options: Options,
}

/// What `.sops.yaml` says about a document.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the setting, and its value; none for the default.
    rule: Option<(&'static str, &'static str)>,
    mac_only_encrypted: bool,
    /// Key pairs by number.
    groups: Vec<Vec<usize>>,
    threshold: Option<usize>,
}

/// Any settings.
pub fn options() -> impl Strategy<Value = Options> {
    let rules = select(vec![
        ("unencrypted_suffix", "_unencrypted"),
        ("unencrypted_suffix", "a"),
        ("encrypted_suffix", "_enc"),
        ("encrypted_suffix", "a"),
        ("unencrypted_regex", "^(public.*|name|b)$"),
        ("unencrypted_regex", "[aeiou]"),
        ("encrypted_regex", "^(data|stringData)$"),
        ("encrypted_regex", "(?i)^[a-m]"),
        ("encrypted_regex", "secret|PASS|é"),
        ("unencrypted_comment_regex", "sops:noenc"),
        ("unencrypted_comment_regex", " [a-m]"),
        ("encrypted_comment_regex", "sops:enc"),
        ("encrypted_comment_regex", " [a-m]"),
    ]);
    let one_group = btree_set(0..KEYS.len(), 1..=3).prop_map(|keys| (vec![keys.into_iter().collect()], None));
    let groups = vec(btree_set(0..KEYS.len(), 1..=2), 2..=3)
        .prop_flat_map(|groups| {
            let threshold = prop_oneof![Just(None), (2..=groups.len()).prop_map(Some)];
            (Just(groups), threshold)
        })
        .prop_map(|(groups, threshold)| (groups.into_iter().map(|g| g.into_iter().collect()).collect(), threshold));
    let keys = prop_oneof![6 => one_group, 1 => groups];
    (weighted(0.6, rules), prop_oneof![4 => Just(false), 1 => any::<bool>()], keys).prop_map(
        |(rule, mac_only_encrypted, (groups, threshold))| Options { rule, mac_only_encrypted, groups, threshold },
    )
}

impl Options {
    /// As `.sops.yaml`.
    fn config(&self) -> Value {
        let names = |group: &Vec<usize>| -> Vec<&str> { group.iter().map(|&key| KEYS[key].0).collect() };
        let mut rule = Map::new();
        if let [group] = &self.groups[..] {
            rule.insert("age".to_owned(), names(group).join(",").into());
        } else {
            let groups: Vec<Value> = self.groups.iter().map(|group| json!({ "age": names(group) })).collect();
            rule.insert("key_groups".to_owned(), groups.into());
        }
        if let Some(threshold) = self.threshold {
            rule.insert("shamir_threshold".to_owned(), threshold.into());
        }
        if let Some((name, value)) = self.rule {
            rule.insert(name.to_owned(), value.into());
        }
        if self.mac_only_encrypted {
            rule.insert("mac_only_encrypted".to_owned(), true.into());
        }
        json!({ "creation_rules": [rule] })
    }

    /// As pforge takes it.
    fn sealing(&self) -> Sealing {
        let recipient = |&key: &usize| KEYS[key].0.parse::<Recipient>().expect("a recipient");
        let pattern = |text: &str| Pattern::new(text).expect("a pattern");
        let rule = match self.rule {
            None => Rule::default(),
            Some(("unencrypted_suffix", value)) => Rule::UnencryptedSuffix(value.to_owned()),
            Some(("encrypted_suffix", value)) => Rule::EncryptedSuffix(value.to_owned()),
            Some(("unencrypted_regex", value)) => Rule::UnencryptedRegex(pattern(value)),
            Some(("encrypted_regex", value)) => Rule::EncryptedRegex(pattern(value)),
            Some(("unencrypted_comment_regex", value)) => Rule::UnencryptedCommentRegex(pattern(value)),
            Some(("encrypted_comment_regex", value)) => Rule::EncryptedCommentRegex(pattern(value)),
            Some((other, _)) => unreachable!("{other}"),
        };
        Sealing {
            groups: self.groups.iter().map(|group| group.iter().map(recipient).collect()).collect(),
            threshold: self.threshold,
            rule,
            mac_only_encrypted: self.mac_only_encrypted,
            style: Style::default(),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} document:", self.format.name())?;
        writeln!(f, "----\n{}\n----", String::from_utf8_lossy(&self.plain))?;
        writeln!(f, "escaped: {:?}", String::from_utf8_lossy(&self.plain))?;
        writeln!(f, ".sops.yaml: {}", self.options.config())
    }
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Encrypted by both, and each opens what the other wrote.
    Agreed,
    /// Refused by both.
    Refused,
    /// sops damages or loses it by a known fault of its own; what pforge does was checked.
    Deviation,
}

/// A place to try cases in.
pub struct Bench {
    folder: TempDir,
    identities: Identities,
}

impl Bench {
    /// An empty one.
    pub fn new() -> Self {
        let mut identities = Identities::new(Box::new(|_| None));
        for (recipient, key) in KEYS {
            identities.add(recipient, key.as_bytes());
        }
        Self { folder: tempfile::tempdir().expect("a temporary folder"), identities }
    }

    /// Encrypts with both, decrypts everything with both, and compares.
    ///
    /// # Errors
    /// What differs.
    pub fn compare(&self, case: &Case) -> Result<Verdict, String> {
        let plain = self.write("plain", case.format, &case.plain);
        fs::write(self.folder.path().join(".sops.yaml"), case.options.config().to_string()).expect("config");
        let theirs = self.sops(&["encrypt"], &plain);
        let ours = self.seal(case);
        let (theirs, ours) = match (theirs, ours) {
            (Err(_), Err(_)) => return Ok(Verdict::Refused),
            (Ok(theirs), Ok(ours)) => (theirs, ours),
            (Ok(theirs), Err(why)) => return self.only_sops_takes_it(case, &theirs, &why),
            (Err(why), Ok(ours)) => return self.only_pforge_takes_it(case, &ours, &why),
        };
        let theirs_path = self.write("sops", case.format, &theirs);
        let ours_path = self.write("pforge", case.format, &ours);
        let opened = self
            .sops(&["decrypt"], &ours_path)
            .map_err(|why| format!("sops cannot open pforge's: {why}\n{}", show(&ours)))?;
        let mine = self.open(case.format, &ours)?;
        let Ok(expected) = self.sops(&["decrypt"], &theirs_path) else {
            // It writes what it cannot open, pforge does not.
            return Ok(Verdict::Deviation);
        };
        let read = self.open(case.format, &theirs)?;
        if has_empty_remark(case) {
            // It makes a value of an empty comment in a list, in its own file.
            return Ok(Verdict::Deviation);
        }
        if differ_in_comments(case, &expected, &opened) {
            // It loses comments for which go-yaml has no place, and pforge those that nobody could read.
            return Ok(Verdict::Deviation);
        }
        same("sops opens pforge's file and its own to different texts", &expected, &opened)?;
        if has_flow_remark(&theirs) {
            // A comment in empty braces, which sops writes and does not read again.
            return Ok(Verdict::Deviation);
        }
        // What merges nothing is no merge key for pforge.
        let merge = String::from_utf8_lossy(&theirs).contains("!!merge <<: ");
        if !has_wide_breaks(&theirs) && !merge {
            same("the encrypted files differ in shape", &shape(case.format, &theirs), &shape(case.format, &ours))?;
        }
        same("pforge opens its own file and sops' to different texts", &mine, &read)?;
        if deviates(case, &expected, &read) {
            return Ok(Verdict::Deviation);
        }
        same("pforge and sops open one file to different texts", &expected, &read)?;
        Ok(Verdict::Agreed)
    }

    fn seal(&self, case: &Case) -> Result<Vec<u8>, String> {
        let tree = case.format.read_plain(&case.plain).map_err(|error| error.to_string())?;
        seal(case.format, &tree, &case.options.sealing(), chrono::Utc::now()).map_err(|error| error.to_string())
    }

    fn open(&self, format: Format, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let sealed = Sealed::read(format, bytes.to_vec())
            .map_err(|error| format!("pforge cannot read it: {error}\n{}", show(bytes)))?;
        let opened = sealed
            .open(&self.identities, MacPolicy::Verify)
            .map_err(|error| format!("pforge cannot open it: {error}\n{}", show(bytes)))?;
        let text = format.write_plain(&opened.tree, Style::default()).map_err(|error| error.to_string())?;
        Ok(text.expose().to_vec())
    }

    fn only_sops_takes_it(&self, case: &Case, theirs: &[u8], why: &str) -> Result<Verdict, String> {
        let path = self.write("sops", case.format, theirs);
        // What sops encrypts but cannot open again is better refused.
        match self.sops(&["decrypt"], &path) {
            Err(_) => Ok(Verdict::Deviation),
            Ok(_) if refused_on_purpose(case, why) => Ok(Verdict::Deviation),
            Ok(_) => Err(format!("sops encrypts it, pforge says: {why}")),
        }
    }

    fn only_pforge_takes_it(&self, case: &Case, ours: &[u8], why: &str) -> Result<Verdict, String> {
        // Not every text that go-yaml cannot parse is one that pforge must refuse.
        let unparsed = case.format == Format::Yaml && why.contains("yaml: line") && !why.contains("already defined");
        // Nor one that it cannot print.
        if unparsed || why.contains("panic") || why.contains("cannot encode node") {
            let path = self.write("pforge", case.format, ours);
            return match self.sops(&["decrypt"], &path) {
                Ok(_) => Ok(Verdict::Deviation),
                // It reads the file and cannot print what is in it.
                Err(second) if second.contains("cannot encode node") => Ok(Verdict::Deviation),
                Err(second) => Err(format!("sops refuses it, and what pforge makes of it: {why}; {second}")),
            };
        }
        Err(format!("pforge encrypts it, sops says: {why}"))
    }

    fn write(&self, name: &str, format: Format, bytes: &[u8]) -> PathBuf {
        let end = match format {
            Format::Yaml => "yaml",
            Format::Json => "json",
            Format::Dotenv => "env",
            Format::Ini => "ini",
            Format::Binary => "bin",
        };
        let path = self.folder.path().join(format!("{name}.{end}"));
        fs::write(&path, bytes).expect("write");
        path
    }

    /// Runs sops: what it prints.
    fn sops(&self, args: &[&str], path: &std::path::Path) -> Result<Vec<u8>, String> {
        let keys: Vec<&str> = KEYS.iter().map(|(_, key)| *key).collect();
        let output = sops()
            .args(args)
            .arg(path)
            .current_dir(self.folder.path())
            .env("SOPS_AGE_KEY", keys.join("\n"))
            .stdin(Stdio::null())
            .output()
            .expect("sops starts");
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(format!("exit {:?}: {}", output.status.code(), String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Where sops' own text is wrong, and pforge's is meant to differ.
fn deviates(case: &Case, expected: &[u8], ours: &[u8]) -> bool {
    if case.format != Format::Yaml {
        return false;
    }
    let text = String::from_utf8_lossy(expected);
    if has_wide_breaks(expected) {
        return true;
    }
    if wrong_indicator(&text) {
        return true;
    }
    // A comment between a key and its empty brackets, which are then in the first column: no YAML.
    if Regex::new(r"(?m)[:-]\n( *#.*\n)+(\{\}|\[\])$").expect("a pattern").is_match(&text) {
        return true;
    }
    // A text of several lines that begins with a tab is null when its block is read again.
    Regex::new(r#""\\t[^"]*\\n"#).expect("a pattern").is_match(&String::from_utf8_lossy(ours))
}

fn has_empty_remark(case: &Case) -> bool {
    let lines = String::from_utf8_lossy(&case.plain);
    case.format == Format::Yaml && lines.lines().any(|line| line.trim_start().trim_start_matches("- ").ends_with('#'))
}

fn has_flow_remark(text: &[u8]) -> bool {
    Regex::new(r"\{\n *#").expect("a pattern").is_match(&String::from_utf8_lossy(text))
}

/// Whether two YAML texts hold the same keys and values, and differ in comments alone.
fn differ_in_comments(case: &Case, one: &[u8], other: &[u8]) -> bool {
    let values = |text: &[u8]| {
        let mut tree = Format::Yaml.read_plain(text).ok()?;
        tree.documents.iter_mut().for_each(without_comments);
        Some(Format::Yaml.write_plain(&tree, Style::default()).ok()?.expose().to_vec())
    };
    case.format == Format::Yaml && one != other && values(one).is_some_and(|one| values(other) == Some(one))
}

fn without_comments(map: &mut tree::Map) {
    map.items.retain(|item| matches!(item, Item::Value(_)));
    for item in &mut map.items {
        if let Item::Value(entry) = item {
            node_without_comments(&mut entry.value);
        }
    }
}

fn node_without_comments(node: &mut Node) {
    match &mut node.value {
        tree::Value::Scalar(_) => {}
        tree::Value::Map(map) => without_comments(map),
        tree::Value::Seq(seq) => {
            seq.items.retain(|item| matches!(item, Item::Value(_)));
            for item in &mut seq.items {
                if let Item::Value(node) = item {
                    node_without_comments(node);
                }
            }
        }
    }
}

/// Whether LS or PS stands in it as such: there sops breaks the line and indents what follows.
fn has_wide_breaks(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(['\u{2028}', '\u{2029}'])
}

/// Whether the indentation that a block announces (`|4`) is not the one that it has: sops always
/// announces the configured one, which in lists is too much.
fn wrong_indicator(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().enumerate().any(|(number, line)| {
        let header = line.trim_end_matches(['-', '+']);
        let Some(digit) = header.chars().next_back().and_then(|c| c.to_digit(10)) else { return false };
        if !header[..header.len() - 1].ends_with(" |") {
            return false;
        }
        if line.contains("- |") {
            return true;
        }
        let within = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let dashes = line.trim_start_matches([' ', '-']);
        let column = line.len() - dashes.len();
        let text = lines[number + 1..].iter().find(|line| !line.trim().is_empty());
        text.is_none_or(|text| within(text) < column + digit as usize)
    })
}

/// Whether pforge refuses with reason what sops takes and damages.
fn refused_on_purpose(case: &Case, why: &str) -> bool {
    let by_comments = case.options.rule.is_some_and(|(name, _)| name.contains("comment"));
    // YAML 1.2 has no lone dash as a value in flow style; go-yaml reads one.
    let dash = Regex::new(r"[\[{,: ]-\s*[,\]}]").expect("a pattern");
    if why.contains("no value can begin with this character") && dash.is_match(&String::from_utf8_lossy(&case.plain)) {
        return true;
    }
    let ini = case.format == Format::Ini && (why.contains("SOPS would") || why.contains("twice"));
    ini || (by_comments && why.contains("comment")) || why.contains("twice") || why.contains("duplicate")
}

/// A file without what is random in it.
fn shape(format: Format, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let text = mask(r"ENC\[AES256_GCM,data:[^,]*,iv:[^,]*,tag:[^,]*,", &text, "ENC[");
    let text = mask(r"(-----BEGIN AGE ENCRYPTED FILE-----)[^-]*(-----END)", &text, "$1$2");
    let text = mask(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", &text, "NOW");
    // sops writes the metadata of INI in the order of a hash table.
    if format == Format::Ini
        && let Some((before, section)) = text.split_once("[sops]\n")
    {
        let mut lines: Vec<&str> = section.lines().map(str::trim).collect();
        lines.sort_unstable();
        let lines: Vec<String> = lines.iter().map(|line| mask(r" *= *", line, " = ")).collect();
        return format!("{before}[sops]\n{}\n", lines.join("\n")).into_bytes();
    }
    text.into_bytes()
}

fn mask(pattern: &str, text: &str, with: &str) -> String {
    Regex::new(pattern).expect("a pattern").replace_all(text, with).into_owned()
}

fn same(what: &str, left: &[u8], right: &[u8]) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    Err(format!("{what}:\n{}\n---- and\n{}", show(left), show(right)))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "␍").replace('\t', "␉")
}
