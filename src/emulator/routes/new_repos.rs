//! New repositories: <https://docs.github.com/en/rest/repos/repos#create-an-organization-repository>.

use http::{Method, StatusCode};

use crate::emulator::auth::{Caller, Need};
use crate::emulator::error::ApiError;
use crate::emulator::fields::Fields;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{ADMINISTER, Call, Route, route};
use crate::emulator::state::repos::{Features, NewRepo};
use crate::emulator::state::{Kind, Refusal, Selection, starters};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/orgs/{org}/repos", Need::Granted(ADMINISTER), in_org),
        route(Method::POST, "/user/repos", Need::Person, own),
        route(Method::POST, "/repos/{owner}/{repo}/generate", Need::Granted(ADMINISTER), generate),
    ]
}

fn in_org(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let org = call.backend.world.account(call.param("org")).filter(|a| a.kind == Kind::Organization);
    let owner = org.map(|a| a.id).ok_or_else(ApiError::not_found)?;
    create(call, owner)
}

fn own(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = call.actor();
    create(call, owner)
}

fn create(call: &mut Call<'_>, owner: i64) -> Result<Reply, ApiError> {
    let (fields, actor) = (call.fields()?, call.actor());
    may_create(call, owner)?;
    let new = wanted(&fields)?;
    let id = call.world().create_repo(owner, new, actor).map_err(refused)?;
    created(call, id)
}

fn generate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, template, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let owner = fields.string("owner")?.map(|login| call.backend.world.account(&login).map(|a| a.id));
    let owner = owner.unwrap_or_else(|| home(call)).ok_or_else(ApiError::not_found)?;
    may_create(call, owner)?;
    may_read(call)?;
    let new = NewRepo {
        name: fields.required("name")?,
        description: fields.string("description")?,
        private: fields.boolean("private")?.unwrap_or(false),
        ..NewRepo::default()
    };
    let id = call.world().generate_repo(template, owner, new, actor).map_err(refused)?;
    created(call, id)
}

/// The account whose repositories the caller makes: a person's own, or the one where the App is installed.
fn home(call: &Call<'_>) -> Option<i64> {
    match &call.caller {
        Caller::Installation { token, .. } => {
            call.backend.world.installations.get(&token.installation).map(|i| i.account)
        }
        Caller::Person(id) => Some(*id),
        Caller::App(_) | Caller::Anonymous => None,
    }
}

/// An App makes repositories only where it is installed.
fn may_create(call: &Call<'_>, owner: i64) -> Result<(), ApiError> {
    let elsewhere = matches!(call.caller, Caller::Installation { .. }) && home(call) != Some(owner);
    if elsewhere { Err(ApiError::not_accessible(None)) } else { Ok(()) }
}

/// A private template is there only for those who see it.
fn may_read(call: &Call<'_>) -> Result<(), ApiError> {
    let repo = call.repo()?;
    let seen = match &call.caller {
        Caller::Installation { token, .. } => {
            call.backend.world.token_repos(token).iter().any(|reached| reached.id == repo.id)
        }
        Caller::Person(_) => true,
        Caller::App(_) | Caller::Anonymous => false,
    };
    if seen || !repo.private { Ok(()) } else { Err(ApiError::not_found()) }
}

fn wanted(fields: &Fields) -> Result<NewRepo, ApiError> {
    let on = |name: &str| fields.boolean(name).map(|flag| flag.unwrap_or(true));
    let (name, description) = (fields.required("name")?, fields.string("description")?);
    let (license, ignore) = (fields.string("license_template")?, fields.string("gitignore_template")?);
    let init = fields.boolean("auto_init")?.unwrap_or(false);
    let files = starters::files(&name, description.as_deref(), init, license.as_deref(), ignore.as_deref());
    Ok(NewRepo {
        name,
        description,
        private: fields.boolean("private")?.unwrap_or(false),
        homepage: fields.string("homepage")?,
        features: Features { issues: on("has_issues")?, projects: on("has_projects")?, wiki: on("has_wiki")? },
        license,
        template: fields.boolean("is_template")?.unwrap_or(false),
        files: files.map_err(|field| ApiError::validation("Repository", field, "invalid", None))?,
        ..NewRepo::default()
    })
}

fn refused(refusal: Refusal) -> ApiError {
    let told = match &refusal {
        Refusal::Exists(_) => "name already exists on this account",
        Refusal::Invalid(text) => text,
        Refusal::NotFound | Refusal::Conflict(_) => return refusal.into(),
    };
    let mut error = ApiError::validation("Repository", "name", "custom", Some(told));
    "Repository creation failed.".clone_into(&mut error.message);
    error
}

/// The new repository; an App that sees selected repositories sees what it makes.
fn created(call: &mut Call<'_>, id: i64) -> Result<Reply, ApiError> {
    let actor = call.actor();
    if let Caller::Installation { token, .. } = &call.caller {
        let installation = token.installation;
        let selected = call.backend.world.installations.get(&installation);
        if selected.is_some_and(|i| matches!(i.selection, Selection::Only(_))) {
            call.world().select(installation, &[id], &[], actor)?;
        }
    }
    let wire = call.wire();
    let value = wire.full_repo(wire.world.repos.get(&id).ok_or_else(ApiError::not_found)?);
    let location = value["url"].as_str().unwrap_or_default().to_owned();
    Ok(Reply { headers: vec![("location", location)], ..Reply::json(StatusCode::CREATED, value) })
}
