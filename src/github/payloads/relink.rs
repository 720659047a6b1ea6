//! What follows from a changed value: a repository that is called otherwise has other addresses,
//! a commit has one name wherever it is named.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::path::{Path, Step};
use super::world::{SHORT_SHA, node_id};

/// Keys whose whole value may be the login of the repository's owner.
const LOGINS: [&str; 6] = ["login", "name", "organization", "owner", "slug", "username"];

/// Keys that name a branch.
const BRANCHES: [&str; 5] = ["branch", "head_branch", "head_ref", "label", "ref"];

/// What comes before the number of a pull request in an address; an issue has the same numbers.
const PULLS: [&str; 3] = ["pull", "pulls", "issues"];

/// Changes what follows from `path`, which was `old` and is `new` already.
pub(super) fn follow(payload: &mut Value, path: &Path, old: &Value, new: &Value) {
    let Some((above, key)) = path.last_key() else { return };
    // Deep inside of a payload stands what concerns only its own object: the fork of a pull
    // request, the author of a comment.
    let first = above.0.first().map(|step| if let Step::Key(key) = step { key.as_str() } else { "" });
    let everywhere = above.0.len() <= 1 || matches!(first, Some("repository" | "organization"));
    let holder = above.find(payload).cloned().unwrap_or_default();
    let scope = if everywhere { Some(&mut *payload) } else { above.find_mut(payload) };
    let Some(scope) = scope else { return };
    match (key, old, new) {
        ("full_name", Value::String(old), Value::String(new)) => rename(scope, old, new),
        ("name", Value::String(old), Value::String(new)) => {
            let owner =
                holder["full_name"].as_str().and_then(|full| full.strip_suffix(old.as_str())?.strip_suffix('/'));
            if let Some(owner) = owner {
                rename(scope, &format!("{owner}/{old}"), &format!("{owner}/{new}"));
            }
        }
        ("login", Value::String(old), Value::String(new)) => {
            each_text(scope, "", &mut |key, text| login(key, text, old, new))
        }
        (_, Value::String(old), Value::String(new)) if is_sha(old) => {
            each_text(payload, "", &mut |_, text| commit(text, old, new));
        }
        (key, Value::String(old), Value::String(new)) if BRANCHES.contains(&key) => {
            let (old, new) = (old.trim_start_matches("refs/heads/"), new.trim_start_matches("refs/heads/"));
            each_text(payload, "", &mut |key, text| branch(key, text, old, new));
        }
        ("number", Value::Number(old), Value::Number(new)) => {
            number(payload, &above, &holder, old.as_i64(), new.as_i64())
        }
        (key, Value::Number(old), Value::Number(new)) if key == "id" || key.ends_with("_id") => {
            let (Some(old), Some(new)) = (old.as_i64(), new.as_i64()) else { return };
            // A small number means something else elsewhere.
            let scope = if old > 99 { Some(payload) } else { above.find_mut(payload) };
            scope.into_iter().for_each(|scope| id(scope, old, new));
        }
        _ => {}
    }
}

/// Calls the repository `old` (`owner/name`) `new`, and its owner accordingly.
pub(super) fn rename(value: &mut Value, old: &str, new: &str) {
    let (Some((old_owner, old_name)), Some((new_owner, new_name))) = (old.split_once('/'), new.split_once('/')) else {
        return;
    };
    each_object(value, &mut |object| {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        // A short form of a repository tells its whole name by its address only.
        let short = || text("url").is_some_and(|url| url.ends_with(&format!("/repos/{old}")));
        let named = text("full_name").map_or_else(short, |full| full == old || full == new);
        if named && let Some(name) = object.get_mut("name").filter(|name| *name == old_name) {
            *name = new_name.into();
        }
    });
    each_text(value, "", &mut |key, text| {
        let renamed = replace_whole(text, old, new);
        login(key, &renamed, old_owner, new_owner).or(Some(renamed)).filter(|renamed| renamed != text)
    });
}

/// The text with the account `old` called `new`; `None` when it does not name it.
fn login(key: &str, text: &str, old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    if LOGINS.contains(&key) && text == old {
        return Some(new.to_owned());
    }
    let begins = match key {
        "full_name" => text.strip_prefix(old).filter(|rest| rest.starts_with('/')),
        "label" => text.strip_prefix(old).filter(|rest| rest.starts_with(':')),
        _ => text.strip_prefix(old).filter(|rest| rest.starts_with("@users.noreply")),
    };
    if let Some(rest) = begins {
        return Some(format!("{new}{rest}"));
    }
    let is_address = text.contains("://") || text.starts_with("git@");
    is_address.then(|| segments(text, |_, segment| (segment == old).then(|| new.to_owned()))).flatten()
}

fn commit(text: &str, old: &str, new: &str) -> Option<String> {
    if text.contains(old) {
        return Some(text.replace(old, new));
    }
    let (old, new) = (old.get(..SHORT_SHA)?, new.get(..SHORT_SHA)?);
    (text.contains("://") && text.contains(old)).then(|| text.replace(old, new))
}

fn branch(key: &str, text: &str, old: &str, new: &str) -> Option<String> {
    let rest = text.strip_suffix(old).filter(|_| BRANCHES.contains(&key) && !old.is_empty())?;
    (rest.is_empty() || rest == "refs/heads/" || rest.ends_with(':')).then(|| format!("{rest}{new}"))
}

fn number(payload: &mut Value, above: &Path, holder: &Value, old: Option<i64>, new: Option<i64>) {
    let (Some(old), Some(new)) = (old, new) else { return };
    let (old_text, new_text) = (old.to_string(), new.to_string());
    let mut kinds: Vec<String> = Vec::new();
    for address in ["url", "html_url"].iter().filter_map(|key| holder[key].as_str()) {
        segments(address, |before, segment| {
            if segment == old_text {
                kinds.push(before.to_owned());
            }
            None
        });
    }
    if above.0.is_empty() || kinds.iter().any(|kind| PULLS.contains(&kind.as_str())) {
        kinds.extend(PULLS.map(str::to_owned));
    }
    let renumbered = |text: &str| {
        segments(text, |before, segment| {
            let stem = segment.split('.').next().unwrap_or_default();
            let hit = stem == old_text && kinds.iter().any(|kind| kind == before);
            hit.then(|| format!("{new_text}{}", &segment[stem.len()..]))
        })
    };
    let mut number_of = |object: &mut serde_json::Map<String, Value>| {
        let own = object.get("url").and_then(Value::as_str).is_some_and(|url| renumbered(url).is_some());
        if let Some(number) = object.get_mut("number").filter(|number| own && **number == old) {
            *number = new.into();
        }
    };
    each_object(payload, &mut number_of);
    if let Some(number) = payload.get_mut("number").filter(|number| **number == old) {
        *number = new.into();
    }
    each_text(payload, "", &mut |_, text| text.contains("://").then(|| renumbered(text)).flatten());
}

fn id(scope: &mut Value, old: i64, new: i64) {
    let (old_text, new_text) = (old.to_string(), new.to_string());
    each_object(scope, &mut |object| {
        for (key, value) in object.iter_mut() {
            if (key == "id" || key.ends_with("_id")) && *value == old {
                *value = new.into();
            }
        }
    });
    each_text(scope, "", &mut |key, text| {
        if key.ends_with("node_id") {
            // Ours are readable; GitHub's newer ones are left as they are.
            let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
            let kind = plain.split_once(':')?.1.strip_suffix(&old_text)?;
            return Some(node_id(kind, &new_text));
        }
        let is_address = text.contains("://");
        is_address.then(|| segments(text, |_, segment| (segment == old_text).then(|| new_text.clone()))).flatten()
    });
}

fn is_sha(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.bytes().any(|byte| byte != b'0')
}

/// `text` with each whole `old` replaced by `new`.
fn replace_whole(text: &str, old: &str, new: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(old) {
        let starts = !before.ends_with(|c| word(c) || c == '.');
        // A name may hold dots, but `.git` is none of it.
        let ends = match after.strip_prefix('.') {
            Some(more) => more.starts_with("git") || !more.starts_with(word),
            None => !after.starts_with(word),
        };
        out += before;
        out += if starts && ends { new } else { old };
        rest = after;
    }
    out + rest
}

/// `text` with some of its segments replaced, as `change` says for the segment before and the
/// segment itself; `None` when none was.
fn segments(text: &str, mut change: impl FnMut(&str, &str) -> Option<String>) -> Option<String> {
    let (mut out, mut before, mut changed) = (String::new(), "", false);
    for part in text.split_inclusive(['/', ':', '?', '#', '=', '&', '@', '{']) {
        let end = part.trim_end_matches(['/', ':', '?', '#', '=', '&', '@', '{']).len();
        let (segment, mark) = part.split_at(end);
        // `#issuecomment-7` names what has the id 7.
        let (stem, last) = segment.rsplit_once('-').unwrap_or(("", segment));
        match change(before, segment) {
            Some(new) => (out, changed) = (out + &new, true),
            None => match change(before, last)
                .filter(|_| stem.starts_with("issuecomment") || stem.starts_with("discussion"))
            {
                Some(new) => (out, changed) = (format!("{out}{stem}-{new}"), true),
                None => out += segment,
            },
        }
        out += mark;
        before = segment;
    }
    changed.then_some(out)
}

/// Gives every text to `change`, with the key that holds it, and puts what it says in its place.
fn each_text(value: &mut Value, key: &str, change: &mut impl FnMut(&str, &str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = change(key, text) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, key, change)),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| each_text(value, key, change)),
        _ => {}
    }
}

/// Gives every object to `change`.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(fields) => {
            change(fields);
            fields.iter_mut().for_each(|(_, value)| each_object(value, change));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{branch, commit, login, replace_whole, segments};

    #[test]
    fn a_repository_is_renamed_as_a_whole() {
        for (text, expected) in [
            ("https://api.github.com/repos/a/b/issues{/number}", "https://api.github.com/repos/x/y/issues{/number}"),
            ("git@github.com:a/b.git", "git@github.com:x/y.git"),
            ("a/b", "x/y"),
            ("see a/b.", "see x/y."),
            ("a/b.c", "a/b.c"),
            ("a/bc a/b-c ca/b", "a/bc a/b-c ca/b"),
        ] {
            assert_eq!(replace_whole(text, "a/b", "x/y"), expected);
        }
    }

    #[test]
    fn an_account_is_renamed_where_it_is_one() {
        for (key, text, expected) in [
            ("login", "main", Some("new")),
            ("default_branch", "main", None),
            ("url", "https://api.github.com/users/main/repos", Some("https://api.github.com/users/new/repos")),
            ("url", "https://api.github.com/users/mainly", None),
            ("label", "main:topic", Some("new:topic")),
            ("email", "main@users.noreply.github.com", Some("new@users.noreply.github.com")),
            ("body", "the main thing", None),
        ] {
            assert_eq!(login(key, text, "main", "new").as_deref(), expected, "{key} {text}");
        }
    }

    #[test]
    fn commits_branches_and_ids_are_found_in_their_places() {
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        assert_eq!(commit(&format!("x/{old}"), &old, &new), Some(format!("x/{new}")));
        assert_eq!(commit("https://x/aaaaaaaaaaaa...c", &old, &new).as_deref(), Some("https://x/bbbbbbbbbbbb...c"));
        assert_eq!(branch("ref", "refs/heads/topic", "topic", "t2").as_deref(), Some("refs/heads/t2"));
        assert_eq!(branch("label", "o:topic", "topic", "t2").as_deref(), Some("o:t2"));
        assert_eq!(branch("title", "topic", "topic", "t2"), None);
        let seven = |text| segments(text, |_, segment| (segment == "7").then(|| "8".to_owned()));
        assert_eq!(seven("https://x/7/y#issuecomment-7").as_deref(), Some("https://x/8/y#issuecomment-8"));
        assert_eq!(seven("https://x/17/7-7"), None);
    }
}
