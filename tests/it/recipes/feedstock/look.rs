//! What there is at GitHub, asked as the App.

use http::Method;
use pforge::emulator::Person;
use pforge::github::{Auth, Client, Target};
use serde_json::Value;

use crate::recipes::stage::{ORG, STAGED};

/// A look at GitHub past whatever stands between it and the server.
pub struct Look {
    client: Client,
    owner: String,
}

impl Look {
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), owner: ORG.to_owned() }
    }

    /// A look at the repositories of a user.
    pub fn at_user(client: &Client, login: &str) -> Self {
        Self { client: client.clone(), owner: login.to_owned() }
    }

    fn auth(&self) -> Auth {
        let owner = self.owner.clone();
        Auth::installation(if owner == ORG { Target::Organization(owner) } else { Target::User(owner) })
    }

    pub async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let body = if body.is_null() { None } else { Some(body) };
        let answer = self.client.request(self.auth(), method, path, body.as_ref()).await.unwrap();
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, Value::Null).await
    }

    async fn texts(&self, path: &str, pick: impl Fn(&Value) -> &Value) -> Vec<String> {
        let list = self.get(path).await;
        let list = if list.is_array() { &list } else { &list["repositories"] };
        let mut texts: Vec<String> =
            list.as_array().unwrap().iter().map(|item| pick(item).as_str().unwrap_or_default().to_owned()).collect();
        texts.sort();
        texts
    }

    /// The files of a branch.
    pub async fn tree(&self, repo: &str, branch: &str) -> Vec<String> {
        let tree = self.get(&format!("/repos/{repo}/git/trees/{branch}?recursive=1")).await;
        let entries = tree["tree"].as_array().unwrap().iter().filter(|entry| entry["type"] == "blob");
        let mut paths: Vec<String> = entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect();
        paths.sort();
        paths
    }

    pub async fn branches(&self, repo: &str) -> Vec<String> {
        self.texts(&format!("/repos/{repo}/branches"), |branch| &branch["name"]).await
    }

    pub async fn invited(&self, repo: &str) -> Vec<String> {
        self.texts(&format!("/repos/{repo}/invitations"), |invitation| &invitation["invitee"]["login"]).await
    }

    pub async fn repositories(&self) -> Vec<String> {
        self.texts("/installation/repositories?per_page=100", |repo| &repo["full_name"]).await
    }

    /// Title, state and whether it is merged, of every pull request.
    pub async fn pulls(&self, repo: &str) -> Vec<String> {
        let pulls = self.get(&format!("/repos/{repo}/pulls?state=all&direction=asc")).await;
        let line = |pull: &Value| {
            let merged = if pull["merged_at"].is_null() { "unmerged" } else { "merged" };
            format!("#{} {} {} {merged}", pull["number"], pull["title"], pull["state"]).replace('"', "")
        };
        pulls.as_array().unwrap().iter().map(line).collect()
    }

    /// Commits of a branch by their messages, following first parents.
    pub async fn history(&self, repo: &str, branch: &str) -> Vec<String> {
        let mut at = branch.to_owned();
        let mut messages = Vec::new();
        loop {
            let commit = self.get(&format!("/repos/{repo}/commits/{at}")).await;
            messages.push(commit["commit"]["message"].as_str().unwrap().lines().next().unwrap_or_default().to_owned());
            match commit["parents"][0]["sha"].as_str() {
                Some(parent) => at = parent.to_owned(),
                None => return messages,
            }
        }
    }
}

/// Calls that change something, without those about checks, comments, labels and deployments.
pub fn writes(calls: &[Value]) -> Vec<String> {
    let aside = ["/check-runs", "/issues/", "/deployments", "/access_tokens", "/app/"];
    calls
        .iter()
        .filter(|call| call["method"] != "GET" && call["auth"] == "token")
        .map(|call| format!("{} {}", call["method"].as_str().unwrap(), call["path"].as_str().unwrap()))
        .filter(|line| aside.iter().all(|part| !line.contains(part)))
        .collect()
}

/// The only comment about feedstocks on a pull request of staged-recipes.
pub async fn the_comment(person: &Person, number: i64) -> String {
    the_comment_at(person, STAGED, number).await
}

pub async fn the_comment_at(person: &Person, repo: &str, number: i64) -> String {
    let comments = person.comments(repo, number).await.unwrap();
    let bodies = comments.iter().filter_map(|comment| comment["body"].as_str());
    let ours: Vec<&str> = bodies.filter(|body| body.contains("create_feedstock")).collect();
    assert_eq!(ours.len(), 1, "{comments:?}");
    ours[0].to_owned()
}
