//! What the contract of `POST /github/hooks/` asks for, written down without the app's code.

use serde_json::{Value, json};

const NOT_HANDLED: &str = "No handling implemented for this event type.";

/// The rows that a corpus must reach.
pub const ROWS: [&str; 17] = [
    "/run",
    "/run by a stranger",
    "/run with another number of arguments",
    "a command on an issue",
    "a plain comment",
    "another command",
    "any other action, or closed unmerged",
    "any other event",
    "check run of another App asked for again, or its button",
    "check suite",
    "check suite asked for again",
    "cleanup",
    "commits",
    "commits elsewhere",
    "merged",
    "merged elsewhere",
    "other actions of a comment",
];

/// The kinds of jobs that a corpus must reach.
pub const KINDS: [&str; 6] = [
    "recipes.answer",
    "recipes.create_feedstock",
    "recipes.deploy_prod",
    "recipes.resynchronize",
    "recipes.run_test",
    "recipes.synchronize",
];

/// What must follow from a delivery.
pub struct Expected {
    pub status: u16,
    pub body: Value,
    /// Kind and key of the one job; no key where its pull request is not known yet.
    pub job: Option<(&'static str, Option<String>)>,
    /// The row of the contract.
    pub because: &'static str,
}

impl Expected {
    /// What `GET /deliveries` says of it while no job has run.
    pub fn listed_as(&self) -> &'static str {
        match (self.status, &self.job) {
            // A command that nobody understands is refused, and its author is told.
            (_, Some(_)) => "queued",
            (400.., None) => "refused",
            (_, None) => "ignored",
        }
    }
}

/// The rows, in the order in which they are asked.
pub fn expected(event: &str, payload: &Value) -> Expected {
    let action = payload["action"].as_str();
    match (event, action) {
        ("pull_request", Some("opened" | "synchronize" | "reopened" | "ready_for_review")) => {
            commits(&payload["pull_request"])
        }
        ("pull_request", Some("closed")) if payload["pull_request"]["merged"] == true => {
            merged(&payload["pull_request"])
        }
        ("pull_request", _) => row("any other action, or closed unmerged", 202, Value::Null),
        ("issue_comment", Some("created")) => comment(payload),
        ("issue_comment", _) => row("other actions of a comment", 202, Value::Null),
        // What GitHub describes was not made by this App: it bears no mark of ours.
        ("check_run", Some("rerequested" | "requested_action")) => {
            row("check run of another App asked for again, or its button", 202, Value::Null)
        }
        ("check_suite", Some("rerequested")) => {
            let answered = row("check suite asked for again", 202, json!({ "status": "ok" }));
            // The smallest payload that GitHub's description allows names no repository.
            let named = payload["repository"]["full_name"].as_str().is_some_and(|name| name.contains('/'));
            Expected { job: named.then_some(("recipes.resynchronize", None)), ..answered }
        }
        ("check_suite", _) => row("check suite", 202, json!({ "status": "ok" })),
        _ => row("any other event", 501, json!({ "detail": NOT_HANDLED })),
    }
}

fn row(because: &'static str, status: u16, body: Value) -> Expected {
    Expected { status, body, job: None, because }
}

fn skip(because: &'static str, message: &str) -> Expected {
    row(because, 202, json!({ "status": "skip", "message": message }))
}

fn cleanup() -> Expected {
    skip("cleanup", "This is an automated cleanup PR. Skipping.")
}

fn commits(pull: &Value) -> Expected {
    let base = &pull["base"]["repo"];
    let full_name = base["full_name"].as_str().expect("full_name");
    let name = base["name"].as_str().expect("name").to_lowercase();
    if !name.ends_with("-feedstock") && !name.ends_with("staged-recipes") {
        let message = format!("Skipping synchronize for repo {full_name}");
        return row("commits elsewhere", 202, json!({ "status": "ok", "message": message }));
    }
    if title(pull).starts_with("cleanup") {
        return cleanup();
    }
    let head = if pull["head"]["repo"].is_null() { base } else { &pull["head"]["repo"] };
    let args = json!([head["html_url"], pull["head"]["sha"], pull["number"], base["url"], full_name]);
    let task = json!({ "task": "synchronize", "args": args });
    let answered = row("commits", 202, json!({ "status": "ok", "background_tasks": [task] }));
    Expected { job: Some(("recipes.synchronize", Some(key(full_name, &pull["number"])))), ..answered }
}

fn merged(pull: &Value) -> Expected {
    let base = &pull["base"]["repo"];
    let name = base["name"].as_str().expect("name").to_lowercase();
    let staged = name.contains("staged-recipes");
    if staged && title(pull).starts_with("cleanup") {
        return cleanup();
    }
    let kind = match (staged, name.ends_with("-feedstock")) {
        (true, _) => "recipes.create_feedstock",
        (false, true) => "recipes.deploy_prod",
        (false, false) => return skip("merged elsewhere", "This not a -feedstock repo. Skipping."),
    };
    // Whether all changed files are recipes is known to GitHub only, which is asked later.
    let key = key(base["full_name"].as_str().expect("full_name"), &pull["number"]);
    Expected { job: Some((kind, Some(key))), ..row("merged", 202, Value::Null) }
}

fn comment(payload: &Value) -> Expected {
    let body = payload["comment"]["body"].as_str().unwrap_or_default();
    if !body.starts_with('/') {
        let answer = json!({ "status": "ok", "message": "Comment is not a slash command." });
        return row("a plain comment", 202, answer);
    }
    if payload["issue"]["pull_request"].is_null() {
        return skip("a command on an issue", "Comment is not on a pull request. Skipping.");
    }
    let words: Vec<&str> = body.split_whitespace().collect();
    if words[0] != "/run" {
        return row("another command", 400, json!({ "detail": NOT_HANDLED }));
    }
    let full_name = payload["repository"]["full_name"].as_str().expect("full_name");
    let job = |kind| Some((kind, Some(key(full_name, &payload["issue"]["number"]))));
    if words.len() != 2 {
        let detail = "Command /run not of form ``['/run', RECIPE_NAME]``.";
        let refused = row("/run with another number of arguments", 400, json!({ "detail": detail }));
        // The person is told as well.
        return Expected { job: job("recipes.answer"), ..refused };
    }
    let association = payload["comment"]["author_association"].as_str().expect("author_association");
    if !["OWNER", "MEMBER", "COLLABORATOR"].contains(&association) {
        let allowed = "OWNER, MEMBER, COLLABORATOR";
        let message = format!("Command /run is reserved for {allowed}; this comment's author is {association}.");
        return Expected { job: job("recipes.answer"), ..skip("/run by a stranger", &message) };
    }
    Expected { job: job("recipes.run_test"), ..row("/run", 202, Value::Null) }
}

fn title(pull: &Value) -> String {
    pull["title"].as_str().expect("title").to_lowercase()
}

fn key(full_name: &str, number: &Value) -> String {
    format!("{full_name}#{number}")
}
