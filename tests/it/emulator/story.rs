//! The life of an App from its manifest to a redelivery; every exchange is judged by GitHub's description.

use http::Method;
use pforge::emulator::Seed;
use pforge::emulator::person::OpenPull;
use pforge::github::signature;
use serde_json::{Value, json};

use crate::emulator::real::{judge, judge_deliveries};
use crate::emulator::support::{Api, Emulator, PATIENCE, REPO, Sink, as_app, as_installation, files};

fn manifest(hook: &str) -> Value {
    json!({
        "name": "pforge story",
        "url": "https://example.com",
        "hook_attributes": { "url": hook },
        "default_permissions": {
            "checks": "write", "pull_requests": "write", "contents": "write", "issues": "write", "metadata": "read",
        },
        "default_events": ["pull_request", "issue_comment", "check_run", "check_suite", "push", "issues"],
    })
}

#[tokio::test]
async fn from_the_manifest_to_a_redelivery() {
    let sink = Sink::start(202).await;
    let emulator = Emulator::start(Seed::demo()).await;
    let person = &emulator.person;

    let new = person.register_app(Some("pangeo-forge"), &manifest(&sink.url)).await.unwrap();
    assert!(new.pem.expose().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    let secret = new.webhook_secret.clone().unwrap();
    let installation = person.install(&new.slug, "pangeo-forge", None).await.unwrap();
    let app = as_app(&emulator.base, &new.pem, &new.client_id);

    let open = OpenPull {
        branch: "recipe".into(),
        title: "Add a recipe".into(),
        files: files(&[("recipes/x/meta.yaml", "title: X\n"), ("recipes/x/recipe.py", "x = 1\n")]),
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let pull = person.open_pull(REPO, &open).await.unwrap();
    person.settled(PATIENCE).await.unwrap();
    let opened = sink.received().into_iter().find(|r| r.header("x-github-event") == "pull_request").unwrap();
    for received in sink.received() {
        let key = signature::Key::new(secret.expose().as_bytes());
        assert!(key.verify(received.header("x-hub-signature-256").as_bytes(), &received.body));
        assert!(received.header("x-hub-signature").starts_with("sha1="));
        assert_eq!(received.header("x-github-hook-installation-target-id"), new.id.to_string());
        assert_eq!(received.header("x-github-hook-installation-target-type"), "integration");
        assert!(received.header("user-agent").starts_with("GitHub-Hookshot/"));
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!(received.header("x-github-delivery").len(), 36);
    }
    let payload = opened.json();
    assert_eq!(payload["installation"]["id"], installation);
    assert_eq!(payload["pull_request"]["head"]["repo"]["full_name"], "contributor/staged-recipes");
    assert_eq!(payload["pull_request"]["changed_files"], 2);
    assert_eq!(payload["organization"]["login"], "pangeo-forge");
    assert_eq!(opened.body, payload.to_string().as_bytes(), "compact JSON");

    work_as_the_app(&app, &pull.head.sha, pull.number).await;
    person.settled(PATIENCE).await.unwrap();
    let events = sink.events();
    let expected = [
        "ping",
        "installation.created",
        "pull_request.opened",
        "check_run.created",
        "check_run.completed",
        "issue_comment.created",
        "pull_request.labeled",
        "pull_request.edited",
        "push",
        "check_suite.requested",
        "pull_request.closed",
        "issues.opened",
        "issues.labeled",
        "issues.closed",
    ];
    for event in expected {
        assert!(events.iter().any(|e| e == event), "{event} is missing in {events:?}");
    }

    redeliver(&app, &sink, opened.header("x-github-delivery")).await;
    person.uninstall(installation).await.unwrap();
    person.settled(PATIENCE).await.unwrap();
    assert_eq!(sink.events().last().unwrap(), "installation.deleted");
    let unknown = person.unknown().await.unwrap();
    assert!(unknown.is_empty(), "{unknown:?}");
    judge(&person.calls().await.unwrap(), 45);
    judge_deliveries(&person.deliveries().await.unwrap(), 15);
    emulator.stop().await;
}

/// Everything that an App of the first flow does, and a little more.
async fn work_as_the_app(app: &Api, sha: &str, number: i64) {
    let api = as_installation(app, json!({})).await;
    let repo = format!("/repos/{REPO}");
    for path in [
        "/app",
        "/app/hook/config",
        "/app/installations",
        "/repos/pangeo-forge/staged-recipes/installation",
        "/orgs/pangeo-forge/installation",
        "/apps/pforge-story",
        "/rate_limit",
        "/meta",
        "/",
        "/api/v3/app",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    let id = app.get("/app/installations").await.body[0]["id"].clone();
    assert_eq!(app.get(&format!("/app/installations/{id}")).await.status, 200);

    let run = api
        .post(
            &format!("{repo}/check-runs"),
            json!({
                "name": "recipe", "head_sha": sha, "status": "in_progress", "external_id": "7",
                "started_at": "2026-11-21T10:00:00Z", "output": { "title": "Parsing", "summary": "…" },
            }),
        )
        .await;
    assert_eq!(run.status, 201, "{:?}", run.body);
    let run_path = format!("{repo}/check-runs/{}", run.body["id"]);
    let done = json!({
        "status": "completed", "conclusion": "failure", "completed_at": "2026-11-21T10:01:00Z",
        "output": { "title": "Broken", "summary": "It is.", "annotations": [{
            "path": "recipes/x/meta.yaml", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no",
        }] },
    });
    let done = api.call(Method::PATCH, &run_path, done).await;
    assert_eq!((done.status, &done.body["conclusion"]), (200, &json!("failure")), "{:?}", done.body);
    assert_eq!(done.body["output"]["annotations_count"], 1);
    let contents = format!("{repo}/contents/recipes%2Fx%2Fmeta.yaml?ref={sha}");
    let paths = [
        run_path,
        format!("{repo}/commits/{sha}/check-runs?check_name=recipe&filter=latest"),
        format!("{repo}/commits/{sha}/check-suites"),
        format!("{repo}/commits/{sha}"),
        format!("{repo}/commits/main"),
        repo.clone(),
        format!("{repo}/branches"),
        format!("{repo}/branches/main"),
        format!("{repo}/git/ref/heads/main"),
        format!("{repo}/pulls?state=all"),
        format!("{repo}/pulls/{number}"),
        format!("{repo}/pulls/{number}/files"),
        format!("{repo}/contents"),
        format!("{repo}/contents/recipes?ref={sha}"),
        contents,
        format!("{repo}/contents/README.md"),
        format!("{repo}/issues/{number}"),
        "/installation/repositories".into(),
        format!("{repo}/labels"),
        "/users/contributor".into(),
        "/repos/contributor/staged-recipes".into(),
    ];
    for path in paths {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    }

    let comment = api.post(&format!("{repo}/issues/{number}/comments"), json!({ "body": "hello" })).await;
    assert_eq!((comment.status, &comment.body["user"]["type"]), (201, &json!("Bot")));
    let reactions = format!("{repo}/issues/comments/{}/reactions", comment.body["id"]);
    assert_eq!(api.post(&reactions, json!({ "content": "rocket" })).await.status, 201);
    assert_eq!(api.post(&reactions, json!({ "content": "rocket" })).await.status, 200);
    assert_eq!(api.get(&reactions).await.body[0]["content"], "rocket");
    assert_eq!(api.get(&format!("{repo}/issues/{number}/comments")).await.body[0]["reactions"]["rocket"], 1);
    let labels = format!("{repo}/issues/{number}/labels");
    assert_eq!(api.post(&labels, json!({ "labels": ["ready", "bug"] })).await.status, 200);
    assert_eq!(api.send(api.request(Method::DELETE, &format!("{labels}/bug"))).await.status, 200);
    assert_eq!(api.get(&labels).await.body[0]["name"], "ready");
    let pull = format!("{repo}/pulls/{number}");
    assert_eq!(api.call(Method::PATCH, &pull, json!({ "title": "Renamed" })).await.body["title"], "Renamed");
    let merged = api.call(Method::PUT, &format!("{pull}/merge"), json!({ "sha": sha })).await;
    assert_eq!((merged.status, &merged.body["merged"]), (200, &json!(true)), "{:?}", merged.body);
    assert_eq!(api.call(Method::PUT, &format!("{pull}/merge"), json!({})).await.status, 405);
    assert_eq!(
        api.get(&format!("{repo}/contents/recipes/x/recipe.py")).await.status,
        200,
        "the merge brought the file"
    );

    let tip = api.get(&format!("{repo}/git/ref/heads/main")).await.body["object"]["sha"].clone();
    let refs = format!("{repo}/git/refs");
    assert_eq!(api.post(&refs, json!({ "ref": "refs/heads/feature/x", "sha": tip })).await.status, 201);
    let moved = api.call(Method::PATCH, &format!("{refs}/heads/feature/x"), json!({ "sha": tip, "force": true })).await;
    assert_eq!(moved.status, 200);
    assert_eq!(api.get(&format!("{repo}/branches/feature%2Fx")).await.body["name"], "feature/x");
    assert_eq!(api.send(api.request(Method::DELETE, &format!("{refs}/heads/feature/x"))).await.status, 204);

    let issue = api.post(&format!("{repo}/issues"), json!({ "title": "A bug", "labels": ["bug"] })).await;
    assert_eq!(issue.status, 201);
    let path = format!("{repo}/issues/{}", issue.body["number"]);
    let closed = api.call(Method::PATCH, &path, json!({ "state": "closed", "state_reason": "not_planned" })).await;
    assert_eq!(closed.body["state_reason"], "not_planned");
    assert_eq!(api.send(api.request(Method::DELETE, "/installation/token")).await.status, 204);
    assert_eq!(api.get("/installation/repositories").await.message(), "Bad credentials");
}

async fn redeliver(app: &Api, sink: &Sink, guid: &str) {
    let list = app.get("/app/hook/deliveries?per_page=100").await;
    let item = list.body.as_array().unwrap().iter().find(|d| d["guid"] == guid).unwrap().clone();
    assert_eq!(
        (&item["status"], &item["status_code"], &item["redelivery"]),
        (&json!("OK"), &json!(202), &json!(false))
    );
    let path = format!("/app/hook/deliveries/{}", item["id"]);
    let details = app.get(&path).await.body;
    assert_eq!(details["request"]["headers"]["X-GitHub-Delivery"], guid);
    assert_eq!(details["response"]["payload"], "noted");

    let before = sink.received().len();
    assert_eq!(app.post(&format!("{path}/attempts"), json!({})).await.status, 202);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while sink.received().len() == before {
        assert!(tokio::time::Instant::now() < deadline, "no redelivery came");
        tokio::task::yield_now().await;
    }
    let received = sink.received();
    let (first, again) =
        (received.iter().find(|r| r.header("x-github-delivery") == guid).unwrap(), received.last().unwrap());
    assert_eq!((again.header("x-github-delivery"), &again.body), (guid, &first.body));
    let newest = loop {
        let newest = app.get("/app/hook/deliveries?per_page=1").await.body[0].clone();
        if newest["guid"] == guid && newest["redelivery"] == true {
            break newest;
        }
        assert!(tokio::time::Instant::now() < deadline, "the redelivery is not listed");
    };
    assert_ne!(newest["id"], item["id"]);
}

#[tokio::test]
async fn a_code_is_used_once_and_ages() {
    let emulator = Emulator::start(Seed::demo()).await;
    let api = Api::new(&emulator.base, None);
    let form = |path: &str, fields: &[(&str, &str)]| {
        let client =
            reqwest::Client::builder().user_agent("it").redirect(reqwest::redirect::Policy::none()).build().unwrap();
        client.post(format!("{}{path}", emulator.base)).form(fields)
    };
    let text =
        json!({ "name": "once", "url": "https://example.com", "redirect_url": "http://localhost:3000/cb" }).to_string();
    let page = api.send(form("/settings/apps/new?state=xyz", &[("manifest", &text)])).await;
    let html = page.body.as_str().unwrap();
    assert!(html.contains("Create GitHub App for developer") && html.contains("value=\"xyz\""), "{html}");
    let long = json!({ "name": "x".repeat(35), "url": "https://example.com" }).to_string();
    let refused = api.send(form("/settings/apps/new", &[("manifest", &long)])).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.as_str().unwrap().contains("Name is too long (maximum is 34 characters)"));

    let create = async |name: &str| {
        let answer = api.send(form("/settings/apps", &[("manifest", &text), ("name", name), ("state", "xyz")])).await;
        answer.header("location").to_owned()
    };
    let target = create("once").await;
    let code =
        target.strip_prefix("http://localhost:3000/cb?code=").and_then(|t| t.strip_suffix("&state=xyz")).unwrap();
    assert_eq!(create("once").await, "", "the name is taken");
    let path = format!("/app-manifests/{code}/conversions");
    assert_eq!(api.post(&path, json!({})).await.status, 201);
    assert_eq!(api.post(&path, json!({})).await.status, 404);
    assert_eq!(api.post("/app-manifests/unknown/conversions", json!({})).await.status, 404);

    let target = create("late").await;
    let code = target.split(['=', '&']).nth(1).unwrap();
    emulator.person.skew_clock(3601).await.unwrap();
    assert_eq!(api.post(&format!("/app-manifests/{code}/conversions"), json!({})).await.status, 404);
    emulator.stop().await;
}

#[tokio::test]
async fn everything_that_people_do_is_told() {
    let sink = Sink::start(202).await;
    let emulator = Emulator::start(Seed::demo()).await;
    let person = &emulator.person;
    person.create_org("acme").await.unwrap();
    for name in ["one", "two"] {
        person.create_repo("acme", name, &files(&[("a.txt", "1\n"), ("b.txt", "2\n")])).await.unwrap();
    }
    let new = person.register_app(Some("acme"), &manifest(&sink.url)).await.unwrap();
    let installation = person.install(&new.slug, "acme", Some(&["one"])).await.unwrap();
    person.settled(PATIENCE).await.unwrap();

    let open = OpenPull {
        branch: "work".into(),
        title: "Work".into(),
        files: files(&[("a.txt", "changed\n")]),
        labels: vec!["dataflow".into()],
        ..OpenPull::default()
    };
    let pull = person.open_pull("acme/one", &open).await.unwrap();
    let mut more = files(&[("c/d.txt", "new\n")]);
    more.insert("b.txt".into(), None);
    let sha = person.push("acme/one", "work", &more, None).await.unwrap();
    person.set_open("acme/one", pull.number, false).await.unwrap();
    person.set_open("acme/one", pull.number, true).await.unwrap();
    person.retitle("acme/one", pull.number, "Other").await.unwrap();
    person.comment("acme/one", pull.number, "/run recipe", Some("contributor")).await.unwrap();
    let merged = person.merge("acme/one", pull.number).await.unwrap();
    person.select(installation, &["two"], &["one"]).await.unwrap();
    person.suspend(installation, true).await.unwrap();
    person.open_issue("acme/two", "told to nobody", &[]).await.unwrap();
    person.suspend(installation, false).await.unwrap();
    person.open_issue("acme/two", "told", &[]).await.unwrap();
    let deliveries = person.settled(PATIENCE).await.unwrap();
    let expected = [
        "ping",
        "installation.created",
        "push",
        "check_suite.requested",
        "pull_request.opened",
        "pull_request.labeled",
        "push",
        "pull_request.synchronize",
        "check_suite.requested",
        "pull_request.closed",
        "pull_request.reopened",
        "pull_request.edited",
        "issue_comment.created",
        "pull_request.closed",
        "push",
        "check_suite.requested",
        "installation_repositories.added",
        "installation_repositories.removed",
        "installation.suspend",
        "installation.unsuspend",
        "issues.opened",
    ];
    assert_eq!(sink.events(), expected);
    judge_deliveries(&deliveries, 16);

    let of = |event: &str, action: &str| {
        let found = sink.received().into_iter().map(|r| (r.header("x-github-event").to_owned(), r.json()));
        found
            .filter(|(e, body)| e == event && body["action"].as_str().unwrap_or_default() == action)
            .map(|(_, b)| b)
            .collect::<Vec<_>>()
    };
    let synchronize = &of("pull_request", "synchronize")[0];
    assert_eq!((&synchronize["before"], &synchronize["after"]), (&json!(pull.head.sha), &json!(sha)));
    let pushed = &of("push", "")[1]["commits"][0];
    assert_eq!((&pushed["added"], &pushed["removed"]), (&json!(["c/d.txt"]), &json!(["b.txt"])));
    let closed = &of("pull_request", "closed")[1]["pull_request"];
    assert_eq!((&closed["merged"], &closed["merge_commit_sha"]), (&json!(true), &json!(merged)));
    assert_eq!(of("issue_comment", "created")[0]["comment"]["author_association"], "NONE");
    emulator.stop().await;
}
