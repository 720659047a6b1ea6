//! From what happened to who is told: renders each change once per subscribed App and files the deliveries.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::emulator::state::deliveries::Delivery;
use crate::emulator::state::permissions::needed_for_event;
use crate::emulator::state::pulls::NO_COMMIT;
use crate::emulator::state::{Change, Installation, Kind, Level, Refusal, Repo, What, World};
use crate::emulator::wire::{Links, Wire, permissions, selection, time, with};
use crate::util::id::guid;

/// An event before it is known who is told.
struct Event {
    name: &'static str,
    action: Option<&'static str>,
    /// The repository that it is about.
    repo: Option<i64>,
    /// The only App that is told, for events that concern one App.
    only: Option<i64>,
    /// What is particular to it.
    body: Value,
}

/// Turns everything that happened since the last time into deliveries.
pub fn publish(world: &mut World, links: &Links) {
    // Telling may not change the world, but for what ends once it is told.
    while let Some(change) = world.changes.pop_front() {
        if let Ok(event) = describe(Wire { world, links }, &change) {
            tell(world, links, &change, &event);
        }
        if let What::Installation { installation, action: "deleted" } = change.what {
            world.installations.remove(&installation);
        }
        if let What::Repository { repo, action: "deleted" } = change.what {
            world.remove_repo(repo);
        }
    }
}

/// Files another event, as if it had happened.
fn tell(world: &mut World, links: &Links, change: &Change, event: &Event) {
    let guid = guid();
    for (app, installation) in listeners(world, event) {
        let payload = complete(Wire { world, links }, change, event, installation);
        let now = world.now();
        world.file_delivery(Delivery {
            id: 0,
            guid: guid.clone(),
            app,
            event: event.name.to_owned(),
            action: event.action.map(str::to_owned),
            installation,
            repository: event.repo,
            redelivery: false,
            payload: Bytes::from(payload.to_string()),
            tampering: None,
            delivered_at: now,
            outcome: None,
        });
    }
}

/// Apps that are told of `event`, with the installation through which.
fn listeners(world: &World, event: &Event) -> Vec<(i64, Option<i64>)> {
    let has_hook = |app: i64| world.apps.get(&app).is_some_and(|a| a.hook.active && a.hook.url.is_some());
    if event.name == "ping" {
        return event.only.filter(|app| has_hook(*app)).map(|app| (app, None)).into_iter().collect();
    }
    world
        .installations
        .values()
        .filter(|i| event.only.is_none_or(|only| only == i.app) && has_hook(i.app))
        .filter(|i| match event.repo {
            Some(id) => world.repos.get(&id).is_some_and(|repo| world.reaches(i, repo)) && wants(i, event),
            None => {
                let awake = i.suspended.is_none() || event.name == "installation";
                awake && event.body["installation"]["id"] == json!(i.id)
            }
        })
        .map(|i| (i.app, Some(i.id)))
        .collect()
}

/// Whether an installation is told of a repository's event: subscribed and permitted, or told without asking.
fn wants(installation: &Installation, event: &Event) -> bool {
    if installation.suspended.is_some() {
        return false;
    }
    let may = |name: &&str| installation.permissions.contains_key(*name) || *name == "metadata";
    let permitted = needed_for_event(event.name).is_some_and(|any| any.is_empty() || any.iter().any(may));
    // Apps that write checks hear of new commits whether they subscribe or not.
    let writes_checks = installation.permissions.get("checks").is_some_and(|l| *l >= Level::Write);
    let unasked = writes_checks
        && matches!(
            (event.name, event.action),
            ("check_suite", Some("requested" | "rerequested"))
                | ("check_run", Some("rerequested" | "requested_action"))
        );
    permitted && (unasked || installation.events.iter().any(|e| e == event.name))
}

/// The whole payload for one App.
fn complete(wire: Wire<'_>, change: &Change, event: &Event, installation: Option<i64>) -> Value {
    let mut payload = match event.action {
        Some(action) => with(json!({ "action": action }), event.body.clone()),
        None => event.body.clone(),
    };
    if let Some(repo) = event.repo.and_then(|id| wire.world.repos.get(&id)) {
        if event.name != "push" {
            payload["repository"] = wire.repo(repo);
        }
        payload["repository"]["custom_properties"] = json!({});
        let owner = wire.world.accounts.get(&repo.owner);
        if let Some(owner) = owner.filter(|a| a.kind == Kind::Organization) {
            payload["organization"] = wire.organization(owner);
        }
    }
    if event.name != "ping" {
        payload["sender"] = wire.user(change.actor);
    }
    if let Some(id) = installation.filter(|_| payload.get("installation").is_none()) {
        let node = crate::emulator::wire::node_id("IntegrationInstallation", id);
        payload["installation"] = json!({ "id": id, "node_id": node });
    }
    payload
}

/// What an event says.
fn describe(wire: Wire<'_>, change: &Change) -> Result<Event, Refusal> {
    let world = wire.world;
    let repo_of = |id: &i64| world.repos.get(id).ok_or(Refusal::NotFound);
    Ok(match &change.what {
        What::AppCreated { app } => {
            let app = world.apps.get(app).ok_or(Refusal::NotFound)?;
            let url = format!("{}/app/hook", wire.links.api);
            let hook = json!({
                "type": "App",
                "id": app.hook.id,
                "name": "web",
                "active": app.hook.active,
                "events": app.events,
                "config": {
                    "content_type": app.hook.content_type,
                    "insecure_ssl": app.hook.insecure_ssl,
                    "secret": app.hook.secret.as_ref().map(|_| "********"),
                    "url": app.hook.url,
                },
                "updated_at": time(app.updated_at),
                "created_at": time(app.created_at),
                "app_id": app.id,
                "url": url,
                "ping_url": format!("{url}/pings"),
                "deliveries_url": format!("{url}/deliveries"),
            });
            let body = json!({ "zen": "Design for failure.", "hook_id": app.hook.id, "hook": hook });
            Event { name: "ping", action: None, repo: None, only: Some(app.id), body }
        }
        What::Installation { installation, action } => {
            let installation = world.installations.get(installation).ok_or(Refusal::NotFound)?;
            let mut body = json!({ "installation": wire.installation(installation) });
            if matches!(*action, "created" | "deleted") {
                body["repositories"] = world
                    .repos
                    .values()
                    .filter(|repo| world.reaches(installation, repo))
                    .map(|repo| wire.short_repo(repo))
                    .collect();
            }
            Event { name: "installation", action: Some(action), repo: None, only: Some(installation.app), body }
        }
        What::InstallationRepositories { installation, added, removed } => {
            let installation = world.installations.get(installation).ok_or(Refusal::NotFound)?;
            let short = |ids: &[i64]| -> Value {
                ids.iter().filter_map(|id| world.repos.get(id)).map(|repo| wire.short_repo(repo)).collect()
            };
            let body = json!({
                "installation": wire.installation(installation),
                "repository_selection": selection(installation),
                "repositories_added": short(added),
                "repositories_removed": short(removed),
                "requester": null,
            });
            let action = if removed.is_empty() { "added" } else { "removed" };
            Event {
                name: "installation_repositories",
                action: Some(action),
                repo: None,
                only: Some(installation.app),
                body,
            }
        }
        What::Repository { repo, action } => {
            repo_of(repo)?;
            Event { name: "repository", action: Some(action), repo: Some(*repo), only: None, body: json!({}) }
        }
        What::Push { repo, reference, before, after } => {
            let body = push(wire, repo_of(repo)?, reference, before, after, change.actor);
            Event { name: "push", action: None, repo: Some(*repo), only: None, body }
        }
        What::Pull { repo, number, action, before, label } => {
            let model = repo_of(repo)?;
            let issue = world.issue(*repo, *number)?;
            let mut pull = wire.full_pull(model, issue);
            for end in ["head", "base"] {
                // The repository at the head may be gone.
                if let Some(repo) = pull[end]["repo"].as_object_mut() {
                    repo.insert("custom_properties".to_owned(), json!({}));
                }
            }
            let mut body = json!({ "number": number, "pull_request": pull });
            if let Some(before) = before {
                body["before"] = json!(before);
                body["after"] = body["pull_request"]["head"]["sha"].clone();
            }
            if *action == "edited" {
                body["changes"] = json!({});
            }
            add_label(wire, model, label.as_deref(), &mut body);
            Event { name: "pull_request", action: Some(action), repo: Some(*repo), only: None, body }
        }
        What::Issue { repo, number, action, label } => {
            let model = repo_of(repo)?;
            let mut body = json!({ "issue": issue_of(wire, model, *number)? });
            if *action == "edited" {
                body["changes"] = json!({});
            }
            add_label(wire, model, label.as_deref(), &mut body);
            Event { name: "issues", action: Some(action), repo: Some(*repo), only: None, body }
        }
        What::Comment { repo, comment, action } => {
            let model = repo_of(repo)?;
            let comment = model.comments.get(comment).ok_or(Refusal::NotFound)?;
            let issue = issue_of(wire, model, comment.number)?;
            let body = json!({ "issue": issue, "comment": wire.comment(model, comment) });
            Event { name: "issue_comment", action: Some(action), repo: Some(*repo), only: None, body }
        }
        What::Suite { repo, suite, action } => {
            let model = repo_of(repo)?;
            let suite = model.suites.get(suite).ok_or(Refusal::NotFound)?;
            let mut value = wire.suite(model, suite);
            // In payloads the App shows what it may do; elsewhere that is its own business.
            if let Some(app) = world.apps.get(&suite.app) {
                value["app"]["permissions"] = permissions(&app.permissions);
            }
            let body = json!({ "check_suite": value });
            Event { name: "check_suite", action: Some(action), repo: Some(*repo), only: Some(suite.app), body }
        }
        What::Run { repo, run, action, pressed } => {
            let model = repo_of(repo)?;
            let run = model.runs.get(run).ok_or(Refusal::NotFound)?;
            let mut value = wire.run(model, run);
            if let Some(suite) = model.suites.get(&run.suite) {
                value["check_suite"] = wire.short_suite(model, suite);
            }
            let mut body = json!({ "check_run": value });
            if let Some(identifier) = pressed {
                body["requested_action"] = json!({ "identifier": identifier });
            }
            // Who asks for more asks the App that made the run.
            let only = matches!(*action, "rerequested" | "requested_action").then_some(run.app);
            Event { name: "check_run", action: Some(action), repo: Some(*repo), only, body }
        }
        What::Member { repo, member, action } => {
            let body = json!({ "member": wire.user(*member) });
            Event { name: "member", action: Some(action), repo: Some(*repo), only: None, body }
        }
        What::Deployment { repo, deployment } => {
            let model = repo_of(repo)?;
            let deployment = model.deployments.get(deployment).ok_or(Refusal::NotFound)?;
            let body =
                json!({ "deployment": wire.deployment(model, deployment), "workflow": null, "workflow_run": null });
            Event { name: "deployment", action: Some("created"), repo: Some(*repo), only: None, body }
        }
        What::DeploymentStatus { repo, deployment, status } => {
            let model = repo_of(repo)?;
            let deployment = model.deployments.get(deployment).ok_or(Refusal::NotFound)?;
            let status = deployment.statuses.iter().find(|s| s.id == *status).ok_or(Refusal::NotFound)?;
            let mut value = wire.deployment_status(model, deployment, status);
            // Payloads leave out the addresses that nobody gave.
            if let Some(map) = value.as_object_mut() {
                map.retain(|name, value| name == "target_url" || !(name.ends_with("_url") && *value == json!("")));
            }
            let body = json!({ "deployment_status": value, "deployment": wire.deployment(model, deployment) });
            Event { name: "deployment_status", action: Some("created"), repo: Some(*repo), only: None, body }
        }
    })
}

/// An issue as payloads show it: they do not say who closed it.
fn issue_of(wire: Wire<'_>, repo: &Repo, number: i64) -> Result<Value, Refusal> {
    let mut value = wire.issue(repo, wire.world.issue(repo.id, number)?);
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("closed_by");
    }
    Ok(value)
}

fn add_label(wire: Wire<'_>, repo: &Repo, label: Option<&str>, body: &mut Value) {
    if let Some(label) = label.and_then(|name| repo.labels.get(&name.to_lowercase())) {
        body["label"] = wire.label(repo, label);
    }
}

/// A push has its own way to name things.
fn push(wire: Wire<'_>, repo: &Repo, reference: &str, before: &str, after: &str, actor: i64) -> Value {
    let world = wire.world;
    let page = wire.repo_page(repo);
    let (created, deleted) = (before == NO_COMMIT, after == NO_COMMIT);
    let commit = |sha: &str| world.commit(repo, sha).map(|commit| push_commit(wire, repo, commit));
    let commits: Vec<Value> = match (created, deleted) {
        (_, true) => Vec::new(),
        (true, false) => commit(after).into_iter().collect(),
        (false, false) => world.commits_between(repo, before, after).iter().filter_map(|sha| commit(sha)).collect(),
    };
    let forced = !created && !deleted && !world.ancestors(repo, after).iter().any(|sha| sha == before);
    let login = world.login(actor);
    let mut repository = wire.repo(repo);
    // Only here GitHub gives these two as Unix times.
    repository["created_at"] = json!(repo.created_at.timestamp());
    repository["pushed_at"] = json!(repo.pushed_at.timestamp());
    repository["stargazers"] = json!(0);
    repository["master_branch"] = json!(repo.default_branch);
    repository["owner"]["name"] = json!(world.login(repo.owner));
    repository["owner"]["email"] = Value::Null;
    json!({
        "ref": reference,
        "before": before,
        "after": after,
        "repository": repository,
        "pusher": { "name": login, "email": format!("{login}@users.noreply.github.com") },
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": null,
        "compare": format!("{page}/compare/{}...{}", &before[..12.min(before.len())], &after[..12.min(after.len())]),
        "commits": commits,
        "head_commit": commit(after),
    })
}

fn push_commit(wire: Wire<'_>, repo: &Repo, commit: &crate::emulator::state::Commit) -> Value {
    let empty = crate::emulator::state::Tree::new();
    let parent = commit.parents.first().and_then(|sha| wire.world.commit(repo, sha));
    let changes = crate::emulator::state::diff::compare(parent.map_or(&empty, |p| &*p.tree), &commit.tree);
    let paths =
        |status: &str| -> Value { changes.iter().filter(|c| c.status == status).map(|c| json!(c.path)).collect() };
    let who = with(wire.signature(commit), json!({ "username": wire.world.login(commit.author) }));
    json!({
        "id": commit.sha,
        "tree_id": commit.tree_sha,
        "distinct": true,
        "message": commit.message,
        "timestamp": time(commit.date),
        "url": format!("{}/commit/{}", wire.repo_page(repo), commit.sha),
        "author": who,
        "committer": who,
        "added": paths("added"),
        "removed": paths("removed"),
        "modified": paths("modified"),
    })
}
