//! The API, one file per area. To add an area: write its file and name its table in [`Routes::default`].

use http::{Method, StatusCode};
use serde_json::Value;

use crate::emulator::Backend;
use crate::emulator::auth::{Caller, Need};
use crate::emulator::error::ApiError;
use crate::emulator::fields::Fields;
use crate::emulator::page::{Page, counted};
use crate::emulator::path::{Params, Pattern};
use crate::emulator::reply::Reply;
use crate::emulator::state::{Level, Repo, World};
use crate::emulator::wire::{Links, Wire};

mod act;
mod apps;
pub(in crate::emulator) use apps::is_web_address;
mod checks;
mod collaborators;
mod commits;
mod contents;
mod deployments;
mod git;
mod graphql;
mod issues;
mod look;
mod manifests;
mod meta;
mod new_repos;
mod owner;
mod press;
mod pulls;
mod refs;
mod repos;

/// What a route does.
pub type Handler = for<'a, 'b> fn(&'a mut Call<'b>) -> Result<Reply, ApiError>;

/// One operation.
#[derive(Clone, Debug)]
pub struct Route {
    method: Method,
    pattern: Pattern,
    /// What it demands of the caller.
    pub need: Need,
    /// What it does.
    pub handler: Handler,
}

/// An entry of an area's table.
fn route(method: Method, pattern: &'static str, need: Need, handler: Handler) -> Route {
    Route { method, pattern: Pattern::new(pattern), need, handler }
}

/// Shorthands for what most routes demand.
const READ_METADATA: Need = Need::Repo(&[("metadata", Level::Read)]);
const READ_CONTENTS: Need = Need::Repo(&[("contents", Level::Read)]);
const WRITE_CONTENTS: Need = Need::Repo(&[("contents", Level::Write)]);
/// Needed to make repositories and to choose who works on them.
const ADMINISTER: &[(&str, Level)] = &[("administration", Level::Write)];
const READ_PULLS: Need = Need::Repo(&[("pull_requests", Level::Read)]);
const WRITE_PULLS: Need = Need::Repo(&[("pull_requests", Level::Write)]);
const READ_ISSUES: Need = Need::Repo(&[("issues", Level::Read), ("pull_requests", Level::Read)]);
const WRITE_ISSUES: Need = Need::Repo(&[("issues", Level::Write), ("pull_requests", Level::Write)]);
const READ_CHECKS: Need = Need::Repo(&[("checks", Level::Read)]);
const WRITE_CHECKS: Need = Need::Repo(&[("checks", Level::Write)]);
const READ_DEPLOYMENTS: Need = Need::Repo(&[("deployments", Level::Read)]);
const WRITE_DEPLOYMENTS: Need = Need::Repo(&[("deployments", Level::Write)]);

/// All operations, in the order in which they are tried.
pub struct Routes(Vec<Route>);

impl Default for Routes {
    /// The tables of all areas.
    fn default() -> Self {
        Self(
            [
                meta::routes(),
                apps::routes(),
                manifests::routes(),
                repos::routes(),
                new_repos::routes(),
                contents::routes(),
                checks::routes(),
                commits::routes(),
                refs::routes(),
                git::routes(),
                pulls::routes(),
                deployments::routes(),
                collaborators::routes(),
                issues::routes(),
                act::routes(),
                press::routes(),
                graphql::routes(),
                owner::routes(),
                look::routes(),
            ]
            .concat(),
        )
    }
}

impl Routes {
    /// The operation for a method and the segments of a path.
    pub fn find(&self, method: &Method, path: &[String]) -> Option<(&Route, Params)> {
        let candidates = self.0.iter().filter(|route| route.method == *method);
        candidates.into_iter().find_map(|route| route.pattern.matches(path).map(|params| (route, params)))
    }
}

/// A call that was admitted.
pub struct Call<'a> {
    /// Everything there is.
    pub backend: &'a mut Backend,
    /// Where links lead.
    pub links: &'a Links,
    /// Who calls.
    pub caller: Caller,
    /// The repository of the path, when it exists.
    pub repo: Option<i64>,
    /// Values of the path.
    pub params: Params,
    /// Values of the query.
    pub query: Vec<(String, String)>,
    /// Body.
    pub body: &'a [u8],
    /// Media type of the body.
    pub content_type: &'a str,
    /// Media types that the caller wants.
    pub accept: &'a str,
    /// The call's own address, without its query.
    pub url: String,
}

impl Call<'_> {
    /// The model.
    pub fn world(&mut self) -> &mut World {
        &mut self.backend.world
    }

    /// The model as this caller sees it.
    pub fn wire(&self) -> Wire<'_> {
        Wire { world: &self.backend.world, links: self.links }
    }

    /// A value of the path.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value.as_str())
    }

    /// A number of the path.
    ///
    /// # Errors
    /// 404 for anything else.
    pub fn number(&self, name: &str) -> Result<i64, ApiError> {
        self.param(name).parse().map_err(|_| ApiError::not_found())
    }

    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The repository's id.
    ///
    /// # Errors
    /// 404 when it does not exist.
    pub fn repo_id(&self) -> Result<i64, ApiError> {
        self.repo.ok_or_else(ApiError::not_found)
    }

    /// The repository.
    ///
    /// # Errors
    /// 404 when it does not exist.
    pub fn repo(&self) -> Result<&Repo, ApiError> {
        self.backend.world.repos.get(&self.repo_id()?).ok_or_else(ApiError::not_found)
    }

    /// The account that acts.
    pub fn actor(&self) -> i64 {
        match &self.caller {
            Caller::Installation { bot, .. } => *bot,
            Caller::Person(id) => *id,
            Caller::App(_) | Caller::Anonymous => self.backend.world.viewer,
        }
    }

    /// The App that calls, by JWT or token.
    pub fn app(&self) -> Option<i64> {
        match &self.caller {
            Caller::App(app) | Caller::Installation { app, .. } => Some(*app),
            Caller::Person(_) | Caller::Anonymous => None,
        }
    }

    /// The body as an object; an empty one counts as `{}`.
    ///
    /// # Errors
    /// 400 for anything but a JSON object.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Fields::of(Value::Object(serde_json::Map::new()));
        }
        let value: Value = serde_json::from_slice(self.body)
            .map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "Problems parsing JSON"))?;
        if value.is_object() {
            Fields::of(value)
        } else {
            Err(ApiError::new(StatusCode::BAD_REQUEST, "Body should be a JSON object"))
        }
    }

    /// The wanted page of `all`, rendered, as an array with its Link header.
    pub fn list<T>(&self, all: Vec<T>, render: impl Fn(&Wire<'_>, T) -> Value) -> Reply {
        let (total, items) = self.page(all, render);
        self.linked(Reply::ok(Value::Array(items)), total)
    }

    /// The same, wrapped with its count: `{"total_count": …, NAME: […]}`.
    pub fn counted<T>(&self, name: &str, all: Vec<T>, render: impl Fn(&Wire<'_>, T) -> Value) -> Reply {
        let (total, items) = self.page(all, render);
        self.linked(Reply::ok(counted(name, total, items)), total)
    }

    fn page<T>(&self, all: Vec<T>, render: impl Fn(&Wire<'_>, T) -> Value) -> (usize, Vec<Value>) {
        let (total, wire) = (all.len(), self.wire());
        let items = Page::from_query(&self.query).cut(all).into_iter().map(|item| render(&wire, item)).collect();
        (total, items)
    }

    fn linked(&self, mut reply: Reply, total: usize) -> Reply {
        let link = Page::from_query(&self.query).link(total, &self.url, &self.query);
        reply.headers.extend(link.map(|link| ("link", link)));
        reply
    }
}
