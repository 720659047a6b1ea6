//! How everything is in the end, in lines that two tellings of the same story share: numbers and
//! commits, which differ from telling to telling, go by the names of what they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::plot::Plot;
use super::stage::Stage;
use crate::support::world::Api;

/// Everything that can be seen at GitHub and at the server.
pub struct End {
    /// What there is, each with how often it is there.
    facts: BTreeMap<String, usize>,
    /// What must never be.
    faults: Vec<String>,
    jobs: usize,
    begun_again: usize,
}

impl End {
    /// Looks at all there is.
    pub async fn look(stage: &Stage, plot: &Plot) -> Self {
        let api = stage.api();
        let mut look = Look {
            stage,
            end: Self { facts: BTreeMap::new(), faults: Vec::new(), jobs: 0, begun_again: 0 },
            names: stage.commits.lock().unwrap().clone(),
            runs: BTreeMap::new(),
            comments: BTreeMap::new(),
        };
        let overview = stage.person.overview().await.unwrap();
        let repos: Vec<&str> = overview["repos"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        let mut issues = BTreeMap::new();
        for repo in &repos {
            let found = stage.person.issues(repo).await.unwrap();
            look.name_commits(repo, &found);
            issues.insert(*repo, found);
        }
        look.rows(&api).await;
        for repo in &repos {
            look.repo(repo).await;
            look.issues(repo, &issues[repo]).await;
            look.checks(repo).await;
            look.deployments(repo).await;
        }
        look.jobs(&api).await;
        for call in stage.person.unknown().await.unwrap() {
            look.fault(format!("GitHub did not understand {} {}", call["method"], call["path"]));
        }
        let twice = repos.len() != repos.iter().collect::<BTreeSet<_>>().len();
        assert!(!twice && !plot.pulls.is_empty());
        look.end
    }

    /// Fails when something is left open, or is there twice.
    pub fn is_sound(&self) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }

    /// What only one of two ends has.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.facts.keys().chain(other.facts.keys()).collect();
        let count = |end: &Self, name: &String| end.facts.get(name).copied().unwrap_or(0);
        let differ = names.into_iter().filter(|name| count(self, name) != count(other, name));
        differ
            .map(|name| format!("{} undisturbed, {} disturbed: {name}", count(self, name), count(other, name)))
            .collect()
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { facts, jobs, begun_again, .. } = self;
        write!(f, "{} facts, {jobs} jobs, {begun_again} of them begun more than once", facts.len())
    }
}

struct Look<'a> {
    stage: &'a Stage,
    end: End,
    /// Names of commits, by organisation: elsewhere the same people may have made the same.
    names: BTreeMap<(String, String), String>,
    /// Names of recipe runs, by id.
    runs: BTreeMap<i64, String>,
    /// Names of comments, by id.
    comments: BTreeMap<i64, String>,
}

impl Look<'_> {
    fn fact(&mut self, fact: String) {
        *self.end.facts.entry(fact).or_default() += 1;
    }

    fn fault(&mut self, fault: String) {
        self.end.faults.push(fault);
    }

    fn once(&mut self, fact: String) {
        if self.end.facts.contains_key(&fact) {
            self.fault(format!("twice: {fact}"));
        }
        self.fact(fact);
    }

    fn commit(&self, repo: &str, sha: &Value) -> String {
        let sha = sha.as_str().unwrap_or_default();
        let name = self.names.get(&(org(repo).to_owned(), sha.to_owned()));
        name.cloned().unwrap_or_else(|| format!("unknown commit {sha}"))
    }

    /// Names what Apps have committed by the pull request that it came with.
    fn name_commits(&mut self, repo: &str, issues: &[Value]) {
        for issue in issues {
            let title = issue["title"].as_str().unwrap();
            for (sha, what) in [(&issue["head"]["sha"], "head"), (&issue["merge_commit_sha"], "merge")] {
                if let Some(sha) = sha.as_str() {
                    self.names
                        .entry((org(repo).to_owned(), sha.to_owned()))
                        .or_insert_with(|| format!("{repo} {title} {what}"));
                }
            }
        }
    }

    /// `text` without what differs from telling to telling.
    fn plain(&self, repo: &str, text: &Value) -> String {
        let mut text = text.as_str().unwrap_or_default().to_owned();
        for ((_, sha), name) in self.names.iter().filter(|((of, _), _)| of == org(repo)) {
            text = text.replace(sha, name).replace(&sha[..7], name);
        }
        let root = self.stage.site.root.path().display().to_string();
        let text = text.replace(&root, "ROOT").replace(self.stage.person.base(), "GITHUB");
        let text = without(&without(&text, "/tmp/pforge-runner-", "/"), "It took ", ". ");
        let mut plain = String::new();
        for c in text.chars() {
            let c = if c.is_ascii_digit() { '#' } else { c };
            if c != '#' || !plain.ends_with('#') {
                plain.push(c);
            }
        }
        plain
    }

    async fn rows(&mut self, api: &Api) {
        let feedstocks = paged(api, "/feedstocks/").await;
        let specs: BTreeMap<i64, String> =
            feedstocks.iter().map(|f| (f["id"].as_i64().unwrap(), f["spec"].as_str().unwrap().to_owned())).collect();
        for spec in specs.values() {
            self.once(format!("feedstock {spec}"));
        }
        for run in paged(api, "/recipe_runs/").await {
            let spec = &specs[&run["feedstock_id"].as_i64().unwrap()];
            let name = format!(
                "run of {} at {} of {spec}, {}",
                run["recipe_id"],
                self.commit(spec, &run["head_sha"]),
                if run["is_test"] == true { "test" } else { "production" }
            );
            self.runs.insert(run["id"].as_i64().unwrap(), name.clone());
            if run["status"] == "in_progress" {
                self.fault(format!("still in progress: {name}"));
            }
            let dataset = self.plain(spec, &run["dataset_public_url"]);
            self.once(name.clone());
            self.fact(format!("{name}: {} {} {dataset}", run["status"], run["conclusion"]));
        }
    }

    async fn repo(&mut self, repo: &str) {
        let about = self.stage.person.repository(repo).await.unwrap();
        self.once(format!("repository {repo}: {}", self.plain(repo, &about["description"])));
        for name in about["refs"].as_object().unwrap().keys().filter(|name| name.starts_with("heads/")) {
            self.fact(format!("{repo} has {}", self.plain(repo, &Value::from(name.as_str()))));
        }
        for kind in ["collaborators", "invitations"] {
            for (login, role) in about[kind].as_object().unwrap() {
                self.fact(format!("{repo} {kind} {login} {role}"));
            }
        }
        for (path, text) in self.stage.person.files(repo, None).await.unwrap() {
            self.once(format!("{repo} file {path}"));
            self.fact(format!("{repo} file {path}: {text:?}"));
        }
    }

    async fn issues(&mut self, repo: &str, issues: &[Value]) {
        let person = &self.stage.person;
        for issue in issues {
            let title = self.plain(repo, &issue["title"]);
            let number = issue["number"].as_i64().unwrap();
            let who = format!("{repo} {title}");
            self.once(format!("{who} by {}", issue["user"]["login"]));
            self.fact(format!("{who}: {}, merged {}", issue["state"], issue["merged"]));
            let comments = person.comments(repo, number).await.unwrap();
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for comment in comments.iter().filter(|comment| comment["user"]["type"] != "Bot") {
                let body = comment["body"].as_str().unwrap();
                let count = counts.entry(body.to_owned()).or_default();
                *count += 1;
                let name = format!("{who}, {body:?} no. {count}");
                let id = comment["id"].as_i64().unwrap();
                let reactions = person.reactions(repo, id).await.unwrap();
                let reactions: BTreeSet<&str> = reactions.iter().map(|r| r["content"].as_str().unwrap()).collect();
                self.fact(format!("{name} by {}: {reactions:?}", comment["user"]["login"]));
                self.comments.insert(id, name);
            }
            for comment in comments.iter().filter(|comment| comment["user"]["type"] == "Bot") {
                self.answer(repo, &who, comment);
            }
        }
    }

    /// A comment of the App, which says by its marker what it is about.
    fn answer(&mut self, repo: &str, who: &str, comment: &Value) {
        let body = comment["body"].as_str().unwrap_or_default();
        let marker = body.split("<!-- pforge: ").nth(1).and_then(|rest| rest.split(" -->").next()).unwrap_or_default();
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
        let mut words = marker.split('/');
        let about = match words.next().unwrap_or_default() {
            "recipe-run" => {
                let run = self.runs.get(&number(words.next())).cloned().unwrap_or_else(|| "no run".to_owned());
                format!("{run}, attempt {}", words.nth(1).unwrap_or_default())
            }
            "comment" => self.comments.get(&number(words.next())).cloned().unwrap_or_else(|| "nobody".to_owned()),
            "deploy-prod" => {
                format!("production at {}", self.commit(repo, &Value::from(words.next().unwrap_or_default())))
            }
            // The token of a job holds the GUID of a delivery.
            other => format!("a job {}", other.split(':').next().unwrap_or_default()),
        };
        self.once(format!("{who} answer about {about}"));
        let told = body.replace(marker, "");
        // Which production runs there are by then is a matter of time.
        let told: Vec<&str> = told.lines().filter(|line| !line.to_lowercase().contains("production run")).collect();
        let text = self.plain(repo, &Value::from(told.join("\n")));
        self.fact(format!("{who} answer about {about}: {text}"));
    }

    async fn checks(&mut self, repo: &str) {
        let mut recipes: BTreeMap<String, usize> = BTreeMap::new();
        for run in self.stage.person.all_check_runs(repo).await.unwrap() {
            let name = format!("{repo} check {} of {}", run["name"], self.commit(repo, &run["head_sha"]));
            if run["status"] != "completed" {
                self.fault(format!("open: {name}"));
            }
            if run["external_id"].as_str().is_some_and(|id| id.starts_with("recipe-run/")) {
                *recipes.entry(name.clone()).or_default() += 1;
            }
            let title = self.plain(repo, &run["output"]["title"]);
            self.fact(format!("{name}: {} {title}", run["conclusion"]));
        }
        for (name, count) in recipes.into_iter().filter(|(_, count)| *count > 1) {
            self.fault(format!("{count} times: {name}"));
        }
    }

    async fn deployments(&mut self, repo: &str) {
        for deployment in self.stage.person.deployments(repo).await.unwrap() {
            let statuses = deployment["statuses"].as_array().unwrap();
            let name =
                format!("{repo} deployment {} of {}", deployment["environment"], self.commit(repo, &deployment["sha"]));
            self.once(name.clone());
            let last = statuses.last().map_or("none", |status| status["state"].as_str().unwrap());
            self.fact(format!("{name}: {last}"));
        }
    }

    async fn jobs(&mut self, api: &Api) {
        for job in api.all("/jobs").await {
            self.end.jobs += 1;
            self.end.begun_again += usize::from(job["attempts"].as_u64() > Some(1));
            if job["state"] != "done" {
                self.fault(format!("job {} {} is {}: {}", job["id"], job["kind"], job["state"], job["last_error"]));
            }
            self.fact(format!("job {}", job["kind"]));
        }
    }
}

/// `text` without what stands between `start` and the next `end`.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut parts = text.split(start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| done + start + part.find(end).map_or(part, |at| &part[at..]))
}

fn org(repo: &str) -> &str {
    repo.split('/').next().unwrap_or_default()
}

async fn paged(api: &Api, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let page = api.get(&format!("{path}?limit=100&offset={}", rows.len())).await;
        let page = page.as_array().unwrap();
        rows.extend(page.iter().cloned());
        if page.len() < 100 {
            return rows;
        }
    }
}
