//! The payloads and how they are sent.

use std::io::{BufRead, BufReader, Read};

use serde_json::{Value, json};

const EXAMPLES: &[u8] = include_bytes!("../../fixtures/github/webhooks-examples-7.6.1.json.gz");
const DESCRIBED: &[u8] = include_bytes!("../../fixtures/github/described-events.ndjson.gz");

/// A payload as the bytes of a request.
pub struct Sent {
    pub event: String,
    pub payload: Value,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Sent {
    /// As either content type that a hook can be set to.
    pub fn both_ways(event: &str, payload: &Value) -> [Self; 2] {
        // Not as our own writer would write it.
        let text = serde_json::to_string_pretty(payload).expect("json");
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &text).finish();
        [("application/json", text), ("application/x-www-form-urlencoded", form)].map(|(content_type, body)| Self {
            event: event.to_owned(),
            payload: payload.clone(),
            content_type,
            body: body.into_bytes(),
        })
    }

    /// Plain fields, without `payload`, and as JSON.
    pub fn fields(event: &str, fields: &[(&str, &str)]) -> [Self; 2] {
        let payload: Value = fields.iter().copied().collect();
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        [("application/json", payload.to_string()), ("application/x-www-form-urlencoded", form)].map(
            |(content_type, body)| Self {
                event: event.to_owned(),
                payload: payload.clone(),
                content_type,
                body: body.into_bytes(),
            },
        )
    }
}

/// GitHub's examples: event and payload.
pub fn examples() -> Vec<(String, Value)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(EXAMPLES).read_to_string(&mut text).expect("gzip");
    let groups: Vec<Value> = serde_json::from_str(&text).expect("json");
    let payloads = |group: &Value| group["examples"].as_array().expect("examples").clone();
    let named = |group: &Value, payload| (group["name"].as_str().expect("name").to_owned(), payload);
    groups.iter().flat_map(|group| payloads(group).into_iter().map(|payload| named(group, payload))).collect()
}

/// A minimal payload for every event and action.
pub fn described() -> Vec<(String, Value)> {
    let lines = BufReader::new(flate2::read::GzDecoder::new(DESCRIBED)).lines();
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("json");
        (line["event"].as_str().expect("event").to_owned(), line["payload"].take())
    };
    lines.map(|line| read(&line.expect("gzip"))).collect()
}

/// Pull requests and comments, changed in the facts that the contract asks for.
pub fn rewritten<'a>(originals: impl IntoIterator<Item = &'a (String, Value)>) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (event, payload) in originals {
        match event.as_str() {
            "pull_request" => all.extend(pulls(payload).into_iter().map(|payload| (event.clone(), payload))),
            "issue_comment" => all.extend(comments(payload).into_iter().map(|payload| (event.clone(), payload))),
            _ => {}
        }
    }
    all
}

const REPOSITORIES: [&str; 4] = ["o/gpcp-feedstock", "o/Staged-Recipes", "o/staged-recipes-old", "o/feedstock-tools"];

const TITLES: [&str; 3] = ["Add a recipe", "CLEANUP pforge/recipes", "About cleanup"];

fn pulls(payload: &Value) -> Vec<Value> {
    if !matches!(payload["action"].as_str(), Some("opened" | "synchronize" | "closed")) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (full_name, title) in REPOSITORIES.into_iter().flat_map(|name| TITLES.map(|title| (name, title))) {
        let mut pull = in_repository(payload, full_name);
        pull["repository"] = pull["pull_request"]["base"]["repo"].clone();
        pull["pull_request"]["title"] = json!(title);
        let mut merged = pull.clone();
        merged["pull_request"]["merged"] = json!(true);
        merged["pull_request"]["merge_commit_sha"] = json!("ec26c3e57ca3a959ca5aad62de7213c562f8c821");
        if title == TITLES[0] {
            let mut orphan = pull.clone();
            orphan["pull_request"]["head"]["repo"] = Value::Null;
            all.push(orphan);
        }
        all.extend([pull, merged]);
    }
    all
}

fn comments(payload: &Value) -> Vec<Value> {
    let bodies =
        [json!("/run sst-daily"), json!("/run"), json!("/run a b"), json!("/help"), json!(" /run x"), json!(null)];
    let others = [("NONE", true), ("MEMBER", false), ("COLLABORATOR", true)];
    let all = bodies.into_iter().zip(std::iter::repeat(("OWNER", true)));
    let all = all.chain(others.into_iter().map(|other| (json!("/run\tsst-daily\n"), other)));
    all.map(|(body, (association, on_pull))| {
        let mut payload = payload.clone();
        payload["repository"]["full_name"] = json!("o/staged-recipes");
        payload["comment"]["body"] = body;
        payload["comment"]["author_association"] = json!(association);
        let issue = payload["issue"].as_object_mut().expect("issue");
        if on_pull {
            issue.insert("pull_request".into(), json!({ "url": "https://api.github.com/repos/o/r/pulls/1" }));
        } else {
            issue.remove("pull_request");
        }
        payload
    })
    .collect()
}

fn in_repository(payload: &Value, full_name: &str) -> Value {
    let mut payload = payload.clone();
    let base = &mut payload["pull_request"]["base"]["repo"];
    base["full_name"] = json!(full_name);
    base["name"] = json!(full_name.split_once('/').expect("owner/name").1);
    base["url"] = json!(format!("https://api.github.com/repos/{full_name}"));
    base["html_url"] = json!(format!("https://github.com/{full_name}"));
    payload
}
