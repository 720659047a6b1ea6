//! The corpus of GitHub's examples, scrubbed: nothing private is left, and all hangs together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::words::{is_enumerated, is_public, is_segment};
use super::{is_time, scrub};

/// Every example: the event's name, a payload, and the payload scrubbed.
static CORPUS: LazyLock<Vec<(String, Value, Value)>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/github/webhooks-examples-7.6.1.json.gz");
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the corpus");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let events: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let of = |event: &Value| {
        let name = event["name"].as_str().expect("a name").to_owned();
        let examples = event["examples"].as_array().expect("examples").clone();
        let scrubbed = move |example: Value| (name.clone(), example.clone(), scrub(&example, &[]).0);
        examples.into_iter().map(scrubbed).collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
});

fn walk<'a>(key: &'a str, value: &'a Value, visit: &mut impl FnMut(&'a str, &'a Value)) {
    visit(key, value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(key, item, visit)),
        Value::Object(map) => map.iter().for_each(|(key, value)| walk(key, value, visit)),
        _ => {}
    }
}

fn pairs<'a>(key: &'a str, before: &'a Value, after: &'a Value, visit: &mut impl FnMut(&'a str, &'a Value, &'a Value)) {
    visit(key, before, after);
    match (before, after) {
        (Value::Array(a), Value::Array(b)) => a.iter().zip(b).for_each(|(a, b)| pairs(key, a, b, visit)),
        (Value::Object(a), Value::Object(b)) => a.iter().zip(b).for_each(|((key, a), (_, b))| pairs(key, a, b, visit)),
        _ => {}
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 4).map(str::to_lowercase)
}

const PRIVATE: [&str; 20] = [
    "after",
    "before",
    "body",
    "company",
    "description",
    "display_title",
    "email",
    "full_name",
    "head_branch",
    "head_sha",
    "login",
    "message",
    "name",
    "node_id",
    "note",
    "sha",
    "slug",
    "summary",
    "title",
    "username",
];

/// Words of private values, and ids, that must not be seen again.
fn private(payload: &Value) -> BTreeSet<String> {
    let mut private = BTreeSet::new();
    walk("", payload, &mut |key, value| match value {
        // The first part says which kind of thing it is.
        Value::String(text) if key == "node_id" => {
            private.extend(words(text.split_once('_').map_or(text, |(_, own)| own)));
        }
        Value::String(text) if PRIVATE.contains(&key) && !is_time(text) => private.extend(words(text)),
        Value::Number(number) if key == "id" || key.ends_with("_id") => private.extend(words(&number.to_string())),
        _ => {}
    });
    private.retain(|word| !is_public(word) && !word.bytes().all(|byte| byte == b'0'));
    private
}

#[test]
fn nothing_private_is_left_of_any_example() {
    assert!(CORPUS.len() > 300, "{} examples", CORPUS.len());
    for (event, payload, scrubbed) in CORPUS.iter() {
        let private = private(payload);
        walk("", scrubbed, &mut |key, value| {
            let Value::String(text) = value else {
                let number = value.as_u64().filter(|_| key == "id" || key.ends_with("_id")).map(|id| id.to_string());
                assert!(number.is_none_or(|id| !private.contains(&id)), "{event} {key}: {value}");
                return;
            };
            // An enumerated value and a word of an address say nothing about who was called so.
            if is_time(text) || (is_enumerated(text) && !PRIVATE.contains(&key)) || super::FORMS.contains(&key) {
                return;
            }
            let is_url = text.contains("://");
            for word in words(text).filter(|word| private.contains(word)) {
                let structural = is_url
                    && text.split(['/', '{', '}', '?', '=', '#', '&', ',', '.', ':']).any(|segment| {
                        let segment = segment.to_lowercase();
                        words(&segment).any(|own| own == word)
                            && (is_segment(&segment)
                                || text.contains(&format!("{{{segment}"))
                                || text.contains(&format!("{segment}}}"))
                                || text.contains(&format!("/{segment}}}")))
                    });
                let shape = is_url
                    && ["github", "githubusercontent", "avatars", "uploads", "name", "number", "path", "head", "base"]
                        .contains(&word.as_str());
                assert!(structural || shape, "{event} {key}: {word:?} in {text:?}");
            }
        });
    }
}

#[test]
fn shape_types_and_decisions_stay() {
    for (event, payload, scrubbed) in CORPUS.iter() {
        pairs("", payload, scrubbed, &mut |key, before, after| {
            let place = format!("{event} {key}: {before} became {after}");
            match (before, after) {
                (Value::Object(a), Value::Object(b)) => assert!(a.keys().eq(b.keys()), "{place}"),
                (Value::Array(a), Value::Array(b)) => assert_eq!(a.len(), b.len(), "{place}"),
                (Value::Null, Value::Null) => {}
                (Value::Bool(a), Value::Bool(b)) => assert_eq!(a, b, "{place}"),
                (Value::Number(a), Value::Number(b)) => {
                    assert_eq!((a.is_u64(), a.is_f64()), (b.is_u64(), b.is_f64()), "{place}");
                }
                (Value::String(a), Value::String(b)) => {
                    assert_eq!(a.is_empty(), b.is_empty(), "{place}");
                    assert_eq!(is_time(a), is_time(b), "{place}");
                    let stays =
                        matches!(key, "action" | "state" | "status" | "conclusion" | "type" | "author_association");
                    assert!(!stays || a == b || !is_enumerated(a), "{place}");
                    if a.len() == 40 && a.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        assert!(b.len() == 40 && b.bytes().all(|byte| byte.is_ascii_hexdigit()), "{place}");
                    }
                    let scheme = |text: &str| text.split_once("://").map(|(scheme, _)| scheme.to_owned());
                    if key == "url" {
                        assert_eq!(scheme(a), scheme(b), "{place}");
                    }
                }
                _ => panic!("{place}"),
            }
        });
    }
}

#[test]
fn equal_values_stay_equal_and_different_ones_different() {
    for (event, payload, scrubbed) in CORPUS.iter() {
        let mut forth: BTreeMap<String, String> = BTreeMap::new();
        let mut back: BTreeMap<String, String> = BTreeMap::new();
        pairs("", payload, scrubbed, &mut |key, before, after| {
            let named =
                matches!(key, "login" | "full_name" | "node_id" | "sha" | "head_sha" | "name") && before.is_string();
            let numbered = key == "id" && before.is_u64();
            if !named && !numbered {
                return;
            }
            let (before, after) = (before.to_string(), after.to_string());
            let known = forth.entry(before.clone()).or_insert_with(|| after.clone());
            assert_eq!(*known, after, "{event} {key}: {before}");
            let known = back.entry(after.clone()).or_insert_with(|| before.clone());
            assert_eq!(known.to_lowercase(), before.to_lowercase(), "{event} {key}: both became {after}");
        });
    }
}

#[test]
fn names_and_ids_go_through_addresses_too() {
    let mut repositories = 0;
    for (event, payload, scrubbed) in CORPUS.iter() {
        let (before, after) = (&payload["repository"], &scrubbed["repository"]);
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let whole = format!("{}/{}", text(&before["owner"], "login"), text(before, "name"));
        if text(before, "full_name") != whole || !text(before, "url").ends_with(&format!("/repos/{whole}")) {
            continue;
        }
        repositories += 1;
        let made = format!("{}/{}", text(&after["owner"], "login"), text(after, "name"));
        assert_eq!(text(after, "full_name"), made, "{event}");
        for (name, ending) in [("url", ""), ("issues_url", "/issues{/number}"), ("git_refs_url", "/git/refs{/sha}")] {
            assert!(
                text(after, name).ends_with(&format!("/repos/{made}{ending}")),
                "{event} {name}: {}",
                text(after, name)
            );
        }
        assert!(text(after, "html_url").ends_with(&format!("/{made}")), "{event}: {}", text(after, "html_url"));
    }
    assert!(repositories > 200, "{repositories}");
}

#[test]
fn a_short_commit_stays_the_beginning_of_the_long_one() {
    let payload = json!({
        "after": "ec26c3e57ca3a959ca5aad62de7213c562f8c821",
        "before": "0000000000000000000000000000000000000000",
        "compare": "https://github.com/acme/secret-plans/compare/ec26c3e57ca3...main",
        "text": "see ec26c3e and @bob, mail Bob.Smith@acme.test; then /run plans",
        "user": { "login": "bob", "id": 21_031_067, "avatar_url": "https://avatars0.githubusercontent.com/u/21031067?v=4" },
        "token": "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "guid": "72D3162E-CC78-11E3-81AB-4C9367DC0958",
        "labels": ["deploy-plans"],
    });
    let keep = ["labels".to_owned(), "user.nothing".to_owned()];
    let (made, absent) = scrub(&payload, &keep);
    let text = |name: &str| made[name].as_str().expect(name).to_owned();
    let sha = text("after");
    assert_eq!((sha.len(), text("before")), (40, "0".repeat(40)));
    assert!(text("compare").contains(&format!("/compare/{}...main", &sha[..12])), "{made}");
    assert!(text("text").starts_with(|c: char| c.is_lowercase()) && text("text").contains(&sha[..7]), "{made}");
    let login = made["user"]["login"].as_str().expect("login");
    assert!(text("text").contains(&format!("@{login},")), "{made}");
    let id = made["user"]["id"].as_u64().expect("id");
    assert_eq!(made["user"]["avatar_url"], format!("https://avatars0.githubusercontent.com/u/{id}?v=4"));
    assert_eq!((made["labels"][0].as_str(), absent), (Some("deploy-plans"), vec!["user.nothing"]));
    assert!(text("text").contains(".example;"), "{made}");
    let all = made.to_string();
    for word in ["bob", "smith", "acme", "secret", "16C7e42F", "21031067", "72D3162E", "4C9367DC0958"] {
        assert!(!all.to_lowercase().contains(&word.to_lowercase()), "{word} in {all}");
    }
}
