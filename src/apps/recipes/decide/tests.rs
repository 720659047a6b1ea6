use std::borrow::Cow;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Map, Value};

use super::*;
use crate::apps::payload::Payload;
use crate::apps::recipes::forward::{ForwardSettings, Pattern};

const NOT_A_SHA: &str = "0123abcd";

fn decide_with(settings: &Settings, event: &str, payload: &Value) -> Decision {
    let text = payload.to_string();
    let (payload, envelope) = Payload::json(text.as_bytes()).expect("an object");
    decide(settings, &Delivery { event, guid: "g-1", hook_id: "7", payload, envelope })
}

fn decide_json(event: &str, payload: &Value) -> Decision {
    decide_with(&Settings::default(), event, payload)
}

fn decide_form(event: &str, body: &str) -> Decision {
    let (payload, envelope) = Payload::form(body.as_bytes()).expect("a form");
    decide(&Settings::default(), &Delivery { event, guid: "g-1", hook_id: "7", payload, envelope })
}

fn pull(action: &str, full_name: &str, title: &str) -> Value {
    json!({
        "action": action,
        "installation": { "id": 42 },
        "pull_request": {
            "number": 3,
            "title": title,
            "merged": action == "closed",
            "merge_commit_sha": "ffff",
            "labels": [{ "name": "forge", "color": "fff" }],
            "head": { "sha": NOT_A_SHA, "repo": { "html_url": "https://github.com/fork/r" } },
            "base": {
                "ref": "main",
                "repo": {
                    "url": format!("https://api.github.com/repos/{full_name}"),
                    "html_url": format!("https://github.com/{full_name}"),
                    "full_name": full_name,
                    "owner": { "login": "o" },
                },
            },
        },
    })
}

fn comment(body: &str) -> Value {
    json!({
        "action": "created",
        "comment": { "id": 9, "body": body, "author_association": "MEMBER", "user": { "login": "alice" } },
        "issue": { "number": 3, "labels": [], "pull_request": { "url": "https://api.github.com/x" } },
        "repository": { "full_name": "o/staged-recipes" },
    })
}

#[track_caller]
fn assert_answer(decision: &Decision, status: u16, body: &Value, kinds: &[&str]) {
    let queued: Vec<&str> = decision.jobs.iter().map(|job| job.kind.as_str()).collect();
    assert_eq!((decision.status.as_u16(), &decision.body, queued.as_slice()), (status, body, kinds));
}

fn skipped(message: &str) -> Value {
    json!({ "status": "skip", "message": message })
}

fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

#[test]
fn new_commits_are_synchronized() {
    for (action, full_name) in [
        ("reopened", "o/staged-recipes"),
        ("ready_for_review", "o/staged-recipes"),
        ("opened", "o/staged-recipes"),
        ("synchronize", "o/Test-Staged-Recipes"),
        ("opened", "o/gpcp-feedstock"),
        ("synchronize", "o/GPCP-Feedstock"),
    ] {
        let decision = decide_json("pull_request", &pull(action, full_name, "Add a recipe"));
        let api = format!("https://api.github.com/repos/{full_name}");
        let args = json!(["https://github.com/fork/r", NOT_A_SHA, 3, api, full_name]);
        let body = json!({ "status": "ok", "background_tasks": [{ "task": "synchronize", "args": args }] });
        assert_answer(&decision, 202, &body, &["recipes.synchronize"]);
        let job = &decision.jobs[0];
        assert_eq!(job.key.as_deref(), Some(format!("{full_name}#3").as_str()));
        assert_eq!(job.token, "delivery:7:g-1:recipes.synchronize");
        assert_eq!((&job.payload["installation_id"], &job.payload["head_sha"]), (&json!(42), &json!(NOT_A_SHA)));
    }
}

#[test]
fn a_deleted_fork_is_read_from_the_base() {
    let mut payload = pull("opened", "o/staged-recipes", "x");
    payload["pull_request"]["head"]["repo"] = Value::Null;
    let decision = decide_json("pull_request", &payload);
    assert_eq!(decision.body["background_tasks"][0]["args"][0], "https://github.com/o/staged-recipes");
}

#[test]
fn other_pull_requests_are_left_alone() {
    let foreign = json!({ "status": "ok", "message": "Skipping synchronize for repo o/website" });
    assert_answer(&decide_json("pull_request", &pull("opened", "o/website", "cleanup")), 202, &foreign, &[]);
    let cleanup = skipped("This is an automated cleanup PR. Skipping.");
    for title in ["Cleanup o/x-feedstock", "cleanup", "CLEANUP x"] {
        assert_answer(&decide_json("pull_request", &pull("opened", "o/staged-recipes", title)), 202, &cleanup, &[]);
    }
    for action in ["converted_to_draft", "labeled", "edited", "closed"] {
        let mut payload = pull(action, "o/staged-recipes", "x");
        payload["pull_request"]["merged"] = json!(false);
        assert_answer(&decide_json("pull_request", &payload), 202, &Value::Null, &[]);
    }
    assert_answer(&decide_json("pull_request", &json!({})), 202, &Value::Null, &[]);
}

#[test]
fn merged_pull_requests() {
    let decision = decide_json("pull_request", &pull("closed", "o/staged-recipes", "Add"));
    assert_answer(&decision, 202, &Value::Null, &["recipes.create_feedstock"]);
    assert_eq!(decision.jobs[0].key.as_deref(), Some("o/staged-recipes#3"));
    let decision = decide_json("pull_request", &pull("closed", "o/x-feedstock", "Cleanup is a word like any other"));
    assert_answer(&decision, 202, &Value::Null, &["recipes.deploy_prod"]);
    assert_eq!(decision.jobs[0].payload["merge_commit_sha"], "ffff");
    let cleanup = skipped("This is an automated cleanup PR. Skipping.");
    assert_answer(&decide_json("pull_request", &pull("closed", "o/staged-recipes", "Cleanup x")), 202, &cleanup, &[]);
    let foreign = skipped("This not a -feedstock repo. Skipping.");
    assert_answer(&decide_json("pull_request", &pull("closed", "o/website", "x")), 202, &foreign, &[]);
}

#[test]
fn comments() {
    let talk = json!({ "status": "ok", "message": "Comment is not a slash command." });
    for body in ["hello", "", " /run x", "run /run"] {
        assert_answer(&decide_json("issue_comment", &comment(body)), 202, &talk, &[]);
    }
    let mut empty = comment("");
    empty["comment"]["body"] = Value::Null;
    assert_answer(&decide_json("issue_comment", &empty), 202, &talk, &[]);
    for body in ["/stop", "/", "/running x", "/RUN x"] {
        let refused = detail("No handling implemented for this event type.");
        assert_answer(&decide_json("issue_comment", &comment(body)), 400, &refused, &[]);
    }
    for body in ["/run", "/run a b", "/run \n"] {
        let refused = detail("Command /run not of form ``['/run', RECIPE_NAME]``.");
        let decision = decide_json("issue_comment", &comment(body));
        assert_answer(&decision, 400, &refused, &["recipes.answer"]);
        let told = &decision.jobs[0].payload;
        assert_eq!((&told["about"], &told["refused"]), (&json!("comment/9"), &json!(false)));
    }
    let decision = decide_json("issue_comment", &comment("/run\tgpcp \r\n"));
    assert_answer(&decision, 202, &Value::Null, &["recipes.run_test"]);
    assert_eq!(decision.jobs[0].payload["recipe_id"], "gpcp");
    assert_eq!(decision.jobs[0].payload["requested_by"], "alice");
    assert_eq!(decision.jobs[0].key.as_deref(), Some("o/staged-recipes#3"));
    let mut edited = comment("/run x");
    edited["action"] = json!("edited");
    assert_answer(&decide_json("issue_comment", &edited), 202, &Value::Null, &[]);
}

#[test]
fn only_members_run_and_only_on_pull_requests() {
    for (association, may) in [
        ("OWNER", true),
        ("MEMBER", true),
        ("COLLABORATOR", true),
        ("CONTRIBUTOR", false),
        ("NONE", false),
        ("", false),
    ] {
        let mut payload = comment("/run x");
        payload["comment"]["author_association"] = json!(association);
        let decision = decide_json("issue_comment", &payload);
        let kind = if may { "recipes.run_test" } else { "recipes.answer" };
        assert_eq!((decision.status.as_u16(), decision.jobs[0].kind.as_str()), (202, kind), "{association}");
        if !may {
            let told = &decision.jobs[0].payload;
            assert_eq!((&told["about"], &told["refused"]), (&json!("may-not-run/alice"), &json!(true)));
            // They are told the same when the command is wrong as well.
            payload["comment"]["body"] = json!("/run");
            let malformed = decide_json("issue_comment", &payload);
            assert_eq!((malformed.status.as_u16(), &malformed.jobs[0].payload), (400, told));
            assert_eq!(
                decision.body["message"],
                format!(
                    "Command /run is reserved for OWNER, MEMBER, COLLABORATOR; this comment's author is {association}."
                )
            );
        }
    }
    let mut issue = comment("/run x");
    issue["issue"]["pull_request"].take();
    let body = skipped("Comment is not on a pull request. Skipping.");
    assert_answer(&decide_json("issue_comment", &issue), 202, &body, &[]);
}

#[test]
fn labels_filter_every_row() {
    let settings = Settings { run_only_on: vec!["other".into(), "this".into()], ..Settings::default() };
    let body = skipped("The pull request carries no label of: other, this. Skipping.");
    for action in ["opened", "closed"] {
        let payload = pull(action, "o/staged-recipes", "x");
        assert_answer(&decide_with(&settings, "pull_request", &payload), 202, &body, &[]);
        let settings = Settings { run_only_on: vec!["Forge".into()], ..Settings::default() };
        assert_eq!(decide_with(&settings, "pull_request", &payload).jobs.len(), 1, "{action}");
    }
    assert_answer(&decide_with(&settings, "issue_comment", &comment("/run x")), 202, &body, &[]);
}

#[test]
fn reports_of_bakeries() {
    for event in ["dataflow", "bakery"] {
        for decision in [
            decide_form(event, "action=completed&recipe_run_id=12&conclusion=success"),
            decide_json(event, &json!({ "action": "completed", "recipe_run_id": 12, "conclusion": "success" })),
            decide_json(event, &json!({ "action": "completed", "recipe_run_id": "12", "conclusion": "success" })),
        ] {
            assert_answer(&decision, 202, &Value::Null, &["recipes.report"]);
            let payload = &decision.jobs[0].payload;
            assert_eq!((&payload["recipe_run_id"], &payload["conclusion"]), (&json!(12), &json!("success")));
        }
        for decision in [
            decide_form(event, "action=completed&job_name=a7069-1&conclusion=failure"),
            decide_json(event, &json!({ "action": "completed", "job_name": "a7069-1", "conclusion": "failure" })),
        ] {
            assert_answer(&decision, 202, &Value::Null, &["recipes.report_by_name"]);
            assert_eq!(decision.jobs[0].payload, json!({ "job_name": "a7069-1", "conclusion": "failure" }));
        }
        let refused = detail("No handling implemented for payload['conclusion'] = 'cancelled'.");
        let decision = decide_form(event, "action=completed&recipe_run_id=1&conclusion=cancelled");
        assert_answer(&decision, 400, &refused, &[]);
        assert_answer(&decide_form(event, "action=started&recipe_run_id=1"), 202, &Value::Null, &[]);
        for form in [
            "action=completed",
            "action=completed&conclusion=success",
            "action=completed&conclusion=success&recipe_run_id=x",
            "action=completed&conclusion=success&job_name=",
        ] {
            assert_eq!(decide_form(event, form).status.as_u16(), 400, "{form}");
        }
    }
}

#[test]
fn other_events() {
    assert_answer(&decide_json("check_suite", &json!({})), 202, &json!({ "status": "ok" }), &[]);
    for event in ["ping", "installation", "check_run", "issues", "push", "*", ""] {
        let refused = detail("No handling implemented for this event type.");
        assert_answer(&decide_json(event, &json!({ "action": "created" })), 501, &refused, &[]);
    }
}

fn check_run(action: &str, external_id: &str) -> Value {
    json!({
        "action": action,
        "installation": { "id": 42 },
        "check_run": { "id": 5, "name": "any", "head_sha": NOT_A_SHA, "external_id": external_id, "pull_requests": [] },
        "requested_action": { "identifier": "run_test" },
        "repository": { "full_name": "o/staged-recipes", "url": "https://api.github.com/repos/o/staged-recipes" },
        "sender": { "login": "alice" },
    })
}

#[test]
fn check_runs_are_asked_for_again() {
    let ours = "pull/3/delivery:7:g-0:recipes.synchronize";
    let decision = decide_json("check_run", &check_run("rerequested", ours));
    assert_answer(&decision, 202, &Value::Null, &["recipes.synchronize"]);
    let job = &decision.jobs[0];
    assert_eq!(job.key.as_deref(), Some("o/staged-recipes#3"));
    assert_eq!((&job.payload["head_sha"], &job.payload["head_html_url"]), (&json!(NOT_A_SHA), &Value::Null));
    for action in ["rerequested", "requested_action"] {
        let decision = decide_json("check_run", &check_run(action, "recipe-run/12"));
        assert_answer(&decision, 202, &Value::Null, &["recipes.request_run"]);
        let expected =
            json!({ "recipe_run_id": 12, "requested_by": "alice", "from_github": true, "head_sha": NOT_A_SHA });
        assert_eq!((&decision.jobs[0].payload, &decision.jobs[0].key), (&expected, &None));
        let foreign = decide_json("check_run", &check_run(action, "somebody's own"));
        assert_answer(&foreign, 202, &Value::Null, &[]);
    }
    let mut other_button = check_run("requested_action", "recipe-run/12");
    other_button["requested_action"]["identifier"] = json!("x");
    assert_answer(&decide_json("check_run", &other_button), 202, &Value::Null, &[]);
    let no_button_of_it = decide_json("check_run", &check_run("requested_action", ours));
    assert_answer(&no_button_of_it, 202, &Value::Null, &[]);

    let suite = json!({
        "action": "rerequested",
        "check_suite": { "head_sha": NOT_A_SHA, "pull_requests": [] },
        "repository": { "full_name": "o/staged-recipes", "url": "https://api.github.com/repos/o/staged-recipes" },
    });
    let ok = json!({ "status": "ok" });
    assert_answer(&decide_json("check_suite", &suite), 202, &ok, &["recipes.resynchronize"]);
    for action in ["requested", "completed"] {
        let mut payload = suite.clone();
        payload["action"] = json!(action);
        assert_answer(&decide_json("check_suite", &payload), 202, &ok, &[]);
    }
    assert_answer(&decide_json("check_suite", &json!({ "action": "rerequested" })), 202, &ok, &[]);
}

#[test]
fn labels_pass_deliveries_on() {
    let hosts = vec![Pattern::try_from("*.example.org".to_owned()).unwrap()];
    let settings = Settings {
        forward: ForwardSettings { hosts },
        // What is forwarded is not this deployment's, whatever its own labels are.
        run_only_on: vec!["other".into()],
        ..Settings::default()
    };
    let label = |payload: &mut Value, at: &str| {
        payload[at]["labels"] = json!([{ "name": "fwd:pr-1.example.org/github/hooks/" }, { "name": "fwd:evil.net" }]);
    };
    let url = "https://pr-1.example.org/github/hooks/";
    let body = json!({ "status": "ok", "background_tasks": [{ "task": "forward", "args": [url] }] });
    for action in ["opened", "closed", "labeled", "anything"] {
        let mut payload = pull(action, "o/staged-recipes", "x");
        label(&mut payload, "pull_request");
        let decision = decide_with(&settings, "pull_request", &payload);
        assert_answer(&decision, 202, &body, &["recipes.forward"]);
        assert_eq!(decision.jobs[0].token, format!("delivery:7:g-1:recipes.forward:{url}"));
        // Without allowed hosts the label is one like any other.
        let decision = decide_json("pull_request", &payload);
        assert!(decision.jobs.iter().all(|job| job.kind != "recipes.forward"), "{action}");
    }
    for text in ["/run x", "/stop", "hello"] {
        let mut payload = comment(text);
        label(&mut payload, "issue");
        let decision = decide_with(&settings, "issue_comment", &payload);
        assert_answer(&decision, 202, &body, &["recipes.forward"]);
        payload["issue"]["pull_request"].take();
        let on_an_issue = decide_with(&settings, "issue_comment", &payload);
        assert!(on_an_issue.jobs.is_empty(), "{text}");
    }
    let mut other = check_run("rerequested", "recipe-run/1");
    other["pull_request"] = json!({ "labels": [{ "name": "fwd:pr-1.example.org" }] });
    assert_eq!(decide_with(&settings, "check_run", &other).jobs[0].kind, "recipes.request_run");
}

#[test]
fn what_a_row_needs_and_lacks_is_named() {
    let mut cases = Vec::new();
    for field in ["number", "title", "head", "base"] {
        let mut payload = pull("opened", "o/staged-recipes", "x");
        payload["pull_request"].as_object_mut().unwrap().remove(field);
        cases.push(("pull_request", payload, field));
    }
    let mut payload = pull("closed", "o/staged-recipes", "x");
    payload["pull_request"]["merge_commit_sha"].take();
    cases.push(("pull_request", payload, "merge_commit_sha"));
    for full_name in ["staged-recipes", "o/x/staged-recipes", "../staged-recipes", "o/a b-feedstock"] {
        cases.push(("pull_request", pull("opened", full_name, "x"), "not of the form owner/name"));
    }
    let mut payload = pull("opened", "o/staged-recipes", "x");
    payload["pull_request"]["head"]["sha"] = json!("a\0b");
    cases.push(("pull_request", payload, "head.sha"));
    let mut payload = comment("/run x");
    payload.as_object_mut().unwrap().remove("issue");
    cases.push(("issue_comment", payload, "issue"));
    cases.push(("issue_comment", json!({ "action": "created" }), "comment"));
    cases.push(("dataflow", json!({ "action": "completed" }), "conclusion"));
    for (event, payload, words) in cases {
        let decision = decide_json(event, &payload);
        let reason = decision.body["detail"].as_str().expect("a reason");
        assert_eq!((decision.status.as_u16(), decision.jobs.len()), (400, 0), "{reason}");
        assert!(reason.contains(words), "{words}: {reason}");
    }
    assert_eq!(decide_form("pull_request", "action=opened").status.as_u16(), 400);
}

/// Any JSON, with the names that matter more often than others.
fn json_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("created"),
        Just("completed"),
        Just("/run x"),
        Just("o/staged-recipes"),
        Just("o/x-feedstock"),
        Just("success"),
        Just("12"),
        Just("\0"),
        Just("")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("pull_request"),
        Just("comment"),
        Just("issue"),
        Just("repository"),
        Just("full_name"),
        Just("base"),
        Just("head"),
        Just("repo"),
        Just("number"),
        Just("title"),
        Just("labels"),
        Just("merged"),
        Just("body"),
        Just("id"),
        Just("conclusion"),
        Just("recipe_run_id")
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// A valid payload with one of its nodes replaced.
fn mutated(mut payload: Value, path: &[usize], with: Value) -> Value {
    replace(&mut payload, path, with);
    if payload.is_object() { payload } else { Value::Object(Map::new()) }
}

fn replace(node: &mut Value, path: &[usize], with: Value) {
    match (path.split_first(), node) {
        (Some((step, path)), Value::Object(map)) if !map.is_empty() => {
            let at = step % map.len();
            map.values_mut().skip(at).take(1).for_each(|child| replace(child, path, with.clone()));
        }
        (Some((step, path)), Value::Array(list)) if !list.is_empty() => {
            let at = step % list.len();
            replace(&mut list[at], path, with);
        }
        (_, node) => *node = with,
    }
}

fn check(decision: &Decision) {
    assert!(matches!(decision.status.as_u16(), 202 | 400 | 501), "{decision:?}");
    assert_eq!(decision.status.as_u16() == 202, decision.body.get("detail").is_none(), "{decision:?}");
    assert!(decision.jobs.len() <= 1);
    let kind = decision.jobs.first().map(|job| job.kind.as_str());
    // The answer to GitHub is an error where a person is told so.
    assert!(kind.is_none() || decision.status.as_u16() == 202 || kind == Some("recipes.answer"), "{decision:?}");
}

proptest! {
    #[test]
    fn any_object_is_answered(fields in json_value(), action in "opened|closed|created|completed|x") {
        for event in ["pull_request", "issue_comment", "dataflow", "check_run", "check_suite", "x"] {
            let mut payload = if fields.is_object() { fields.clone() } else { json!({ "pull_request": fields }) };
            payload["action"] = json!(action);
            check(&decide_json(event, &payload));
        }
    }

    #[test]
    fn any_damage_is_answered(path in proptest::collection::vec(any::<usize>(), 1..5), with in json_value()) {
        for payload in [pull("opened", "o/staged-recipes", "x"), pull("closed", "o/x-feedstock", "x")] {
            check(&decide_json("pull_request", &mutated(payload, &path, with.clone())));
        }
        check(&decide_json("issue_comment", &mutated(comment("/run x"), &path, with.clone())));
        for action in ["rerequested", "requested_action"] {
            check(&decide_json("check_run", &mutated(check_run(action, "recipe-run/1"), &path, with.clone())));
            check(&decide_json("check_run", &mutated(check_run(action, "pull/1/x"), &path, with.clone())));
        }
    }

    #[test]
    fn any_form_is_answered(body in "(action=completed&)?[a-z_=&%0-9]{0,60}") {
        if let Ok((payload, envelope)) = Payload::form(body.as_bytes()) {
            for event in ["pull_request", "dataflow"] {
                let (payload, envelope) = (payload.clone(), envelope.clone());
                check(&decide(&Settings::default(), &Delivery { event, guid: "", hook_id: "", payload, envelope }));
            }
        }
    }
}

#[test]
fn escapes_are_read() {
    let text = pull("opened", "o/staged-recipes", "x").to_string().replace("\"x\"", "\"\\u0043leanup\"");
    let (payload, envelope) = Payload::json(text.as_bytes()).expect("an object");
    assert!(matches!(payload, Payload::Json(Cow::Borrowed(_))));
    let delivery = Delivery { event: "pull_request", guid: "", hook_id: "", payload, envelope };
    assert_eq!(decide(&Settings::default(), &delivery).body["status"], "skip");
}
