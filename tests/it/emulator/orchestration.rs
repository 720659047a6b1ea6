//! What an App does that makes repositories, files and collaborators; every exchange is judged by GitHub's description.

use http::Method;
use pforge::emulator::person::OpenPull;
use pforge::emulator::seed::SeedUser;
use pforge::emulator::state::Level;
use pforge::util::Secret;
use serde_json::{Value, json};

use crate::emulator::real::{judge, judge_deliveries};
use crate::emulator::support::{
    APP_ID, Api, Emulator, PATIENCE, REPO, Sink, as_app, as_installation, files, installed, permissions,
};

/// An App that may do everything that an orchestrator does, and a client with its token.
async fn orchestrator(sink: &Sink) -> (Emulator, Api) {
    let names = ["administration", "checks", "contents", "issues", "pull_requests"];
    let events = ["repository", "member", "check_run", "pull_request"];
    let (mut seed, pem) = installed(permissions(&names.map(|name| (name, Level::Write))), &events, Some(&sink.url));
    seed.users.push(SeedUser { login: "owner".to_owned(), token: Some(Secret::new("ghp_owner")) });
    let emulator = Emulator::start(seed).await;
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    (emulator, api)
}

async fn told(emulator: &Emulator, sink: &Sink) -> Vec<String> {
    emulator.person.settled(PATIENCE).await.unwrap();
    let mut events: Vec<String> = sink.events().into_iter().filter(|event| !event.starts_with("check_suite")).collect();
    events.dedup();
    events
}

#[tokio::test]
async fn repositories_are_made_where_the_app_is_installed() {
    let sink = Sink::start(202).await;
    let (emulator, api) = orchestrator(&sink).await;
    let person = &emulator.person;
    let new = json!({
        "name": "x-feedstock", "description": "Feedstock for x.", "homepage": "https://pangeo-forge.org",
        "private": false, "has_issues": true, "has_projects": false, "has_wiki": false, "auto_init": true,
        "gitignore_template": "Python", "license_template": "apache-2.0",
    });
    let made = api.post("/orgs/pangeo-forge/repos", new.clone()).await;
    assert_eq!((made.status, &made.body["full_name"]), (201, &json!("pangeo-forge/x-feedstock")), "{:?}", made.body);
    assert_eq!((&made.body["has_wiki"], &made.body["license"]["spdx_id"]), (&json!(false), &json!("Apache-2.0")));
    let inside: Vec<String> = person.files("pangeo-forge/x-feedstock", None).await.unwrap().into_keys().collect();
    assert_eq!(inside, [".gitignore", "LICENSE", "README.md"]);
    // The installation was for one repository; what the App makes it reaches.
    assert_eq!(api.get("/repos/pangeo-forge/x-feedstock/branches/main").await.status, 200);
    let reached = api.get("/installation/repositories").await.body["repositories"].as_array().map(Vec::len);
    assert_eq!(reached, Some(2));

    let again = api.post("/orgs/pangeo-forge/repos", new).await;
    assert_eq!((again.status, again.message()), (422, "Repository creation failed."));
    assert_eq!(again.body["errors"][0]["message"], "name already exists on this account");
    assert_eq!(api.post("/orgs/nobody/repos", json!({ "name": "a" })).await.status, 404);
    let bad = json!({ "name": "b", "license_template": "none" });
    assert_eq!(api.post("/orgs/pangeo-forge/repos", bad).await.body["errors"][0]["field"], "license_template");
    let own = api.post("/user/repos", json!({ "name": "a" })).await;
    assert_eq!((own.status, own.message()), (403, "Resource not accessible by integration"));
    let owner = Api::new(&emulator.base, Some("Bearer ghp_owner".to_owned()));
    assert_eq!(owner.post("/user/repos", json!({ "name": "a" })).await.body["full_name"], "owner/a");

    person.create_template("pangeo-forge", "template", &files(&[("feedstock/meta.yaml", "x\n")])).await.unwrap();
    let generate = "/repos/pangeo-forge/template/generate";
    let made = api.post(generate, json!({ "owner": "pangeo-forge", "name": "y-feedstock" })).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("y-feedstock")), "{:?}", made.body);
    assert!(person.files("pangeo-forge/y-feedstock", None).await.unwrap().contains_key("feedstock/meta.yaml"));
    let elsewhere = api.post(generate, json!({ "owner": "owner", "name": "z" })).await;
    assert_eq!((elsewhere.status, elsewhere.message()), (403, "Resource not accessible by integration"));
    person.delete_repo("pangeo-forge/y-feedstock").await.unwrap();
    assert_eq!(api.get("/repos/pangeo-forge/y-feedstock").await.status, 404);

    let expected = ["repository.created", "installation_repositories.added", "repository.deleted"];
    let told = told(&emulator, &sink).await;
    for event in expected {
        assert!(told.iter().any(|e| e == event), "{event} is missing in {told:?}");
    }
    judge(&person.calls().await.unwrap(), 13);
    judge_deliveries(&person.deliveries().await.unwrap(), 3);
    emulator.stop().await;
}

#[tokio::test]
async fn files_trees_and_references_are_written() {
    let sink = Sink::start(202).await;
    let (emulator, api) = orchestrator(&sink).await;
    let repo = format!("/repos/{REPO}");
    let tip = api.get(&format!("{repo}/branches/main")).await.body["commit"]["sha"].clone();
    let refs = format!("{repo}/git/refs");
    assert_eq!(api.post(&refs, json!({ "ref": "refs/heads/work", "sha": tip })).await.status, 201);

    let path = format!("{repo}/contents/feedstock/meta.yaml");
    let put = |content: &str, sha: Option<&Value>| {
        let mut body = json!({ "message": "Adding", "content": content, "branch": "work" });
        if let Some(sha) = sha {
            body["sha"] = sha.clone();
        }
        body
    };
    let made = api.call(Method::PUT, &path, put("aGVs\nbG8K", None)).await;
    assert_eq!((made.status, &made.body["commit"]["message"]), (201, &json!("Adding")), "{:?}", made.body);
    let sha = made.body["content"]["sha"].clone();
    assert_eq!(sha, "ce013625030ba8dba906f756967f9e9ca394464a", "git's name of `hello`");
    let lacking = api.call(Method::PUT, &path, put("aGVsbG8K", None)).await;
    assert_eq!((lacking.status, lacking.message()), (422, "Invalid request.\n\n\"sha\" wasn't supplied."));
    let wrong = api.call(Method::PUT, &path, put("aGVsbG8K", Some(&tip))).await;
    assert_eq!(wrong.status, 409, "{:?}", wrong.body);
    assert_eq!(api.call(Method::PUT, &path, put("aG8K", Some(&sha))).await.status, 200);
    assert_eq!(api.call(Method::PUT, &path, put("?", Some(&sha))).await.status, 422);
    let nowhere = json!({ "message": "m", "content": "", "branch": "nowhere" });
    let nowhere = api.call(Method::PUT, &format!("{repo}/contents/a"), nowhere).await;
    assert_eq!((nowhere.status, nowhere.message()), (404, "Branch nowhere not found"));

    let tree = api.get(&format!("{repo}/git/trees/work?recursive=1")).await.body;
    let names: Vec<&str> = tree["tree"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["README.md", "feedstock", "feedstock/meta.yaml"]);
    let folder = api.get(&format!("{repo}/git/trees/{}", tree["tree"][1]["sha"].as_str().unwrap())).await.body;
    assert_eq!((&folder["tree"][0]["path"], &folder["sha"]), (&json!("meta.yaml"), &tree["tree"][1]["sha"]));
    let blob = api.get(&format!("{repo}/git/blobs/{}", folder["tree"][0]["sha"].as_str().unwrap())).await.body;
    assert_eq!(blob["content"], "aG8K\n");
    assert_eq!(api.get(&format!("{repo}/git/blobs/{}", "0".repeat(40))).await.status, 404);

    let blob = api.post(&format!("{repo}/git/blobs"), json!({ "content": "aGk=", "encoding": "base64" })).await.body;
    let edits = json!({ "base_tree": tree["sha"], "tree": [
        { "path": "a/b.txt", "mode": "100644", "type": "blob", "sha": blob["sha"] },
        { "path": "README.md", "mode": "100644", "type": "blob", "sha": null },
        { "path": "copy", "mode": "040000", "type": "tree", "sha": folder["sha"] },
        { "path": "c.txt", "mode": "100644", "type": "blob", "content": "c" },
    ] });
    let edited = api.post(&format!("{repo}/git/trees"), edits).await;
    assert_eq!(edited.status, 201, "{:?}", edited.body);
    let commit = json!({ "message": "By hand", "tree": edited.body["sha"], "parents": [tip] });
    let commit = api.post(&format!("{repo}/git/commits"), commit).await;
    assert_eq!(commit.status, 201, "{:?}", commit.body);
    let made = format!("{repo}/git/commits/{}", commit.body["sha"].as_str().unwrap());
    assert_eq!(api.get(&made).await.body["tree"]["sha"], edited.body["sha"]);
    let by_hand = json!({ "ref": "refs/heads/by-hand", "sha": commit.body["sha"] });
    assert_eq!(api.post(&refs, by_hand).await.status, 201);
    let there: Vec<String> = emulator.person.files(REPO, Some("by-hand")).await.unwrap().into_keys().collect();
    assert_eq!(there, ["a/b.txt", "c.txt", "copy/meta.yaml", "feedstock/meta.yaml"]);

    let pull =
        api.post(&format!("{repo}/pulls"), json!({ "title": "Work", "head": "work", "base": "main" })).await.body;
    let head = pull["head"]["sha"].as_str().unwrap();
    assert_eq!(api.get(&format!("{repo}/commits/{head}/pulls")).await.body[0]["number"], pull["number"]);
    let merged = api.call(Method::PUT, &format!("{repo}/pulls/{}/merge", pull["number"]), json!({})).await.body;
    let merge = merged["sha"].as_str().unwrap();
    assert_eq!(api.get(&format!("{repo}/commits/{merge}/pulls")).await.body[0]["merge_commit_sha"], merge);

    let blob = folder["tree"][0]["sha"].as_str().unwrap();
    let stale = api.call(Method::DELETE, &path, json!({ "message": "Delete", "sha": tip })).await;
    assert_eq!(stale.status, 409);
    let deleted = api.call(Method::DELETE, &path, json!({ "message": "Delete", "sha": blob, "branch": "main" })).await;
    assert_eq!((deleted.status, &deleted.body["content"]), (200, &Value::Null), "{:?}", deleted.body);
    let gone = api.call(Method::DELETE, &path, json!({ "message": "Delete", "sha": blob })).await;
    assert_eq!(gone.status, 404);

    let matching = api.get(&format!("{repo}/git/matching-refs/heads/")).await.body;
    let names: Vec<&str> = matching.as_array().unwrap().iter().map(|r| r["ref"].as_str().unwrap()).collect();
    assert_eq!(names, ["refs/heads/by-hand", "refs/heads/main", "refs/heads/work"]);
    assert_eq!(api.send(api.request(Method::DELETE, &format!("{refs}/heads/work"))).await.status, 204);
    assert_eq!(api.send(api.request(Method::DELETE, &format!("{refs}/heads/work"))).await.status, 422);
    judge(&emulator.person.calls().await.unwrap(), 25);
    emulator.stop().await;
}

#[tokio::test]
async fn people_are_invited_and_press_buttons() {
    let sink = Sink::start(202).await;
    let (emulator, api) = orchestrator(&sink).await;
    let person = &emulator.person;
    let one = format!("/repos/{REPO}/collaborators/contributor");
    let permission = async || {
        let answer = api.get(&format!("{one}/permission")).await.body;
        [&answer["permission"], &answer["role_name"]].map(|v| v.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(permission().await, ["read", "read"], "of a public repository");
    assert_eq!(api.get(&one).await.status, 404);
    let invited = api.call(Method::PUT, &one, json!({ "permission": "maintain" })).await;
    assert_eq!((invited.status, &invited.body["permissions"]), (201, &json!("maintain")), "{:?}", invited.body);
    assert_eq!(permission().await, ["read", "read"], "not accepted yet");
    assert_eq!(api.get(&format!("/repos/{REPO}/invitations")).await.body[0]["id"], invited.body["id"]);
    person.accept_invitation(REPO, "contributor").await.unwrap();
    assert_eq!(permission().await, ["write", "maintain"]);
    assert_eq!(api.get(&one).await.status, 204);
    assert_eq!(api.call(Method::PUT, &one, json!({ "permission": "push" })).await.status, 204);
    assert_eq!(permission().await, ["write", "write"]);
    assert_eq!(api.call(Method::PUT, &one, json!({ "permission": "own" })).await.status, 422);
    assert_eq!(api.get(&format!("/repos/{REPO}/collaborators")).await.body.as_array().map(Vec::len), Some(2));
    assert_eq!(api.get(&format!("/repos/{REPO}/collaborators/stranger/permission")).await.status, 404);

    let open = OpenPull {
        branch: "recipe".into(),
        title: "Recipe".into(),
        files: files(&[("recipes/x/meta.yaml", "x\n")]),
        user: Some("contributor".into()),
        fork: true,
        draft: true,
        ..OpenPull::default()
    };
    let pull = person.open_pull(REPO, &open).await.unwrap();
    person.set_draft(REPO, pull.number, false).await.unwrap();
    person.set_draft(REPO, pull.number, true).await.unwrap();
    let comment = person.comment(REPO, pull.number, "/run x", Some("contributor")).await.unwrap();
    let comments = api.get(&format!("/repos/{REPO}/issues/{}/comments", pull.number)).await.body;
    assert_eq!(comments[0]["author_association"], "COLLABORATOR");
    let react = format!("/repos/{REPO}/issues/comments/{comment}/reactions");
    assert_eq!(api.post(&react, json!({ "content": "eyes" })).await.status, 201);
    assert_eq!(person.reactions(REPO, comment).await.unwrap()[0]["content"], "eyes");

    let runs = format!("/repos/{REPO}/check-runs");
    let button = json!({ "label": "Run test", "description": "Run the recipe", "identifier": "run_test" });
    let run = json!({ "name": "x", "head_sha": pull.head.sha, "conclusion": "neutral", "actions": [button] });
    let run = api.post(&runs, run).await.body;
    let id = run["id"].as_i64().unwrap();
    let long = json!({ "actions": [{ "label": "a".repeat(21), "description": "b", "identifier": "c" }] });
    assert_eq!(api.call(Method::PATCH, &format!("{runs}/{id}"), long).await.status, 422);
    let again = api.call(Method::PATCH, &format!("{runs}/{id}"), json!({ "status": "in_progress" })).await.body;
    assert_eq!((&again["conclusion"], &again["completed_at"]), (&Value::Null, &Value::Null));
    assert!(person.rerequest_run(REPO, id, None).await.is_err(), "it has not ended");
    api.call(Method::PATCH, &format!("{runs}/{id}"), json!({ "conclusion": "success" })).await;
    person.press_button(REPO, id, "run_test", Some("contributor")).await.unwrap();
    assert!(person.press_button(REPO, id, "none", None).await.is_err(), "there is no such button");
    person.rerequest_run(REPO, id, None).await.unwrap();
    person.rerequest_suite(REPO, run["check_suite"]["id"].as_i64().unwrap(), None).await.unwrap();
    assert_eq!(api.post(&format!("{runs}/{id}/rerequest"), json!({})).await.status, 201);

    assert_eq!(api.send(api.request(Method::DELETE, &one)).await.status, 204);
    person.delete_repo("contributor/staged-recipes").await.unwrap();
    person.retitle(REPO, pull.number, "From nowhere").await.unwrap();
    let orphan = person.issue(REPO, pull.number).await.unwrap();
    assert_eq!((&orphan["head"]["repo"], &orphan["head"]["label"]), (&Value::Null, &json!("contributor:recipe")));

    let expected = [
        "member.added",
        "pull_request.opened",
        "pull_request.ready_for_review",
        "pull_request.converted_to_draft",
        "check_run.created",
        "check_run.completed",
        "check_run.requested_action",
        "check_run.rerequested",
        "member.removed",
        "pull_request.edited",
    ];
    assert_eq!(told(&emulator, &sink).await, expected);
    let pressed = sink.received().into_iter().map(|r| r.json()).find(|body| body["action"] == "requested_action");
    assert_eq!(pressed.unwrap()["requested_action"]["identifier"], "run_test");
    judge(&person.calls().await.unwrap(), 20);
    judge_deliveries(&person.deliveries().await.unwrap(), 10);
    emulator.stop().await;
}
