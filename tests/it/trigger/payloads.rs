//! Synthesised payloads under GitHub's own schemas, and what follows from a change.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use chrono::DateTime;
use flate2::read::GzDecoder;
use pforge::github::payloads::{Catalogue, Draft, Given, World};
use serde_json::{Value, json};

use crate::emulator::real::{judge_deliveries, judge_described};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/github").join(name);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

pub fn world() -> World {
    World::at("https://api.github.com", DateTime::from_timestamp(1_760_000_000, 0).unwrap())
}

/// Every event with every action, as the judge wants them.
fn all(catalogue: &Catalogue) -> Vec<Value> {
    let mut all = Vec::new();
    for (event, actions) in catalogue.events() {
        let actions = if actions.is_empty() { vec![None] } else { actions.into_iter().map(Some).collect() };
        for action in actions {
            let draft = Draft::new(catalogue, event, action, &world()).unwrap();
            all.push(json!({ "event": event, "action": action, "payload": draft.payload() }));
        }
    }
    all
}

#[test]
fn every_described_event_is_there_and_valid() {
    let catalogue = Catalogue::embedded().unwrap();
    let all = all(&catalogue);
    let pair = |delivery: &Value| {
        let event = delivery["event"].as_str().unwrap().replace('-', "_");
        (event, delivery["action"].as_str().map(str::to_owned))
    };
    let ours: BTreeSet<_> = all.iter().map(pair).collect();
    let described = fixture("described-events.ndjson.gz");
    let described: BTreeSet<_> = described.lines().map(|line| pair(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(ours, described);
    assert!(ours.len() >= 261, "{}", ours.len());
    judge_described(&all, ours.len());
    // The older schemas lack some events, and say more of those that they have.
    let older: Value = serde_json::from_str(&fixture("webhooks.schema.json.gz")).unwrap();
    let known = |delivery: &&Value| {
        let (event, action) = pair(delivery);
        let name = format!("{event}${}", action.as_deref().unwrap_or("event"));
        !older["definitions"][name].is_null()
    };
    let known: Vec<Value> = all.iter().filter(known).cloned().collect();
    judge_deliveries(&known, 221);
}

fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

fn set(draft: &mut Draft<'_>, path: &str, value: &str) {
    draft.set(&path.parse().unwrap(), &Given::Text(value.to_owned())).unwrap_or_else(|error| panic!("{error}"));
}

/// A renamed payload is what would have been made for that repository in the first place.
#[test]
fn a_renamed_repository_is_called_so_everywhere() {
    let catalogue = Catalogue::embedded().unwrap();
    let elsewhere = World { repository: "ocean-lab/sst.v2-feedstock".to_owned(), ..world() };
    for (event, actions) in catalogue.events() {
        for action in actions.into_iter().map(Some).chain([None]) {
            let Ok(mut draft) = Draft::new(&catalogue, event, action, &world()) else { continue };
            let made = Draft::new(&catalogue, event, action, &elsewhere).unwrap();
            let by_path = draft.payload().pointer("/repository/full_name").is_some();
            match by_path {
                true => set(&mut draft, "repository.full_name", &elsewhere.repository),
                false if draft.rename_repository(&elsewhere.repository).is_err() => continue,
                false => {}
            }
            assert_eq!(draft.payload(), made.payload(), "{event} {action:?}");
            let text = draft.payload().to_string();
            assert!(!text.contains("pangeo-forge") && !text.contains("staged-recipes"), "{event} {action:?}: {text}");
        }
    }
}

#[test]
fn what_belongs_together_changes_together() {
    let catalogue = Catalogue::embedded().unwrap();
    let make = |event, action| Draft::new(&catalogue, event, Some(action), &world()).unwrap();
    let sha = "0123456789abcdef0123456789abcdef01234567";

    let mut draft = make("pull_request", "synchronize");
    let old = draft.payload()["pull_request"]["head"]["sha"].as_str().unwrap().to_owned();
    set(&mut draft, "pull_request.head.sha", sha);
    set(&mut draft, "pull_request.number", "7");
    set(&mut draft, "sender.login", "alice");
    set(&mut draft, "installation.id", "31337");
    let payload = draft.payload();
    let mut found = Vec::new();
    texts(payload, &mut found);
    assert!(found.iter().all(|text| !text.contains(&old)), "{payload}");
    assert_eq!(payload["after"], sha);
    assert_eq!(payload["number"], 7);
    assert_eq!(payload["pull_request"]["user"]["url"], "https://api.github.com/users/alice");
    assert_eq!(payload["pull_request"]["statuses_url"].as_str().unwrap().split('/').next_back(), Some(sha));
    let issue = "https://api.github.com/repos/pangeo-forge/staged-recipes/issues/7";
    assert_eq!(payload["pull_request"]["issue_url"], issue);
    assert!(!found.iter().any(|text| text.ends_with("/1") || text.contains("/1/")), "{payload}");
    assert_eq!(payload["installation"]["id"], 31337);

    // A fork is another repository; the base keeps its name.
    set(&mut draft, "pull_request.head.repo.full_name", "alice/recipes");
    let payload = draft.payload();
    assert_eq!(payload["pull_request"]["head"]["repo"]["html_url"], "https://github.com/alice/recipes");
    assert_eq!(payload["pull_request"]["head"]["repo"]["name"], "recipes");
    assert_eq!(payload["pull_request"]["base"]["repo"]["full_name"], "pangeo-forge/staged-recipes");

    let mut draft = make("check_run", "completed");
    set(&mut draft, "check_run.id", "99887766");
    let payload = draft.payload();
    assert_eq!(payload["check_run"]["url"].as_str().unwrap().split('/').next_back(), Some("99887766"));
    assert_eq!(payload["check_run"]["check_suite"]["head_sha"], payload["check_run"]["head_sha"]);

    // What is not there of itself is made when something of it is wanted.
    let mut draft = make("pull_request", "opened");
    set(&mut draft, "pull_request.labels[0].name", "run");
    set(&mut draft, "pull_request.auto_merge.merge_method", "squash");
    assert_eq!(draft.payload()["pull_request"]["labels"][0]["name"], "run");
    assert_eq!(draft.payload()["pull_request"]["auto_merge"]["merge_method"], "squash");
    set(&mut draft, "pull_request.body", "null");
    set(&mut draft, "pull_request.title", "17");
    assert_eq!(
        (&draft.payload()["pull_request"]["body"], &draft.payload()["pull_request"]["title"]),
        (&Value::Null, &json!("17"))
    );
    let changed = json!({ "event": "pull_request", "action": "opened", "payload": draft.payload() });
    judge_described(&[changed], 1);

    let mut draft = make("repository_dispatch", "rebuild");
    set(&mut draft, "client_payload.recipe.name", "sst");
    set(&mut draft, "client_payload.count", "3");
    assert_eq!(draft.payload()["client_payload"]["recipe"]["name"], "sst");
    assert_eq!(draft.payload()["client_payload"]["count"], 3);
}

/// Real payloads, which know more and less than the description, are renamed without a trace.
#[test]
fn real_payloads_are_renamed() {
    let catalogue = Catalogue::embedded().unwrap();
    let examples: Value = serde_json::from_str(&fixture("webhooks-examples-7.6.1.json.gz")).unwrap();
    let (mut renamed, mut left) = (0, 0);
    for group in examples.as_array().unwrap() {
        for payload in group["examples"].as_array().unwrap() {
            let repository = &payload["repository"];
            let Some(old) = repository["full_name"].as_str() else { continue };
            // One of them was transferred, and contradicts itself.
            if repository["owner"]["login"].as_str() != old.split('/').next() {
                continue;
            }
            let mut draft = Draft::of(&catalogue, group["name"].as_str().unwrap(), payload.clone(), &world());
            draft.rename_repository("ocean-lab/sst-feedstock").unwrap();
            renamed += 1;
            left += usize::from(draft.payload().to_string().contains(&format!("{old}\"")));
            assert_eq!(draft.payload()["repository"]["name"], "sst-feedstock");
            assert_eq!(draft.payload()["repository"]["owner"]["login"], "ocean-lab");
        }
    }
    assert!(renamed > 200 && left == 0, "{renamed} renamed, {left} with the old name");
}
