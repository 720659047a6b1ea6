//! The pages on which a person registers and installs an App, and the conversion of a manifest's code.

use http::{Method, StatusCode};
use serde_json::json;

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::manifest::Manifest;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::{Kind, Selection};
use crate::emulator::wire::with;

pub(super) fn routes() -> Vec<Route> {
    let open = Need::Open;
    vec![
        route(Method::GET, "/settings/apps/new", open, form),
        route(Method::POST, "/settings/apps/new", open, confirm),
        route(Method::POST, "/settings/apps", open, create),
        route(Method::GET, "/organizations/{org}/settings/apps/new", open, form),
        route(Method::POST, "/organizations/{org}/settings/apps/new", open, confirm),
        route(Method::POST, "/organizations/{org}/settings/apps", open, create),
        route(Method::POST, "/app-manifests/{code}/conversions", open, convert),
        route(Method::GET, "/apps/{app_slug}/installations/new", open, choose),
        route(Method::POST, "/apps/{app_slug}/installations", open, install),
        route(Method::GET, "/settings/installations/{installation_id}", open, installed),
    ]
}

/// A page in the look of the place it imitates.
fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1f2328}}\
         button{{background:#1f883d;color:#fff;border:0;border-radius:6px;padding:.6rem 1.2rem;font:inherit;\
         font-weight:600;cursor:pointer}}input,textarea{{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}}\
         .wrong{{color:#cf222e}}</style></head><body><h1>{title}</h1>{content}</body></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The account under which an App is registered: the path's organisation, or the person at the browser.
fn owner(call: &Call<'_>) -> Result<i64, ApiError> {
    let world = &call.backend.world;
    match call.param("org") {
        "" => Ok(world.viewer),
        org => {
            world.account(org).filter(|a| a.kind == Kind::Organization).map(|a| a.id).ok_or_else(ApiError::not_found)
        }
    }
}

/// The part of the address before `/settings`.
fn prefix(call: &Call<'_>) -> String {
    match call.param("org") {
        "" => String::new(),
        org => format!("/organizations/{org}"),
    }
}

fn posted(call: &Call<'_>, name: &str) -> Option<String> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(call.body).unwrap_or_default();
    fields.into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

fn form(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    owner(call)?;
    let action =
        format!("{}/settings/apps/new?state={}", prefix(call), escape(call.query("state").unwrap_or_default()));
    let content = format!(
        "<form method=\"post\" action=\"{action}\"><p><label>Manifest<textarea name=\"manifest\" rows=\"16\"></textarea>\
         </label></p><button>Continue</button></form>"
    );
    Ok(Reply::html(StatusCode::OK, page("Register a GitHub App", &content)))
}

fn refused(wrong: &[String]) -> Reply {
    let list: String = wrong.iter().map(|w| format!("<li>{}</li>", escape(w))).collect();
    let content = format!(
        "<p>The configuration does not appear to be a valid GitHub App manifest.</p><ul class=\"wrong\">{list}</ul>"
    );
    Reply::html(StatusCode::UNPROCESSABLE_ENTITY, page("Invalid GitHub App configuration", &content))
}

fn confirm(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let text = posted(call, "manifest").unwrap_or_default();
    let manifest = match Manifest::parse(&text) {
        Ok(manifest) => manifest,
        Err(wrong) => return Ok(refused(&wrong)),
    };
    // Without a name the page asks for one; everything else must be right already.
    let named = Manifest { name: manifest.name.clone().or_else(|| Some("x".to_owned())), ..manifest.clone() };
    if let Err(wrong) = named.check() {
        return Ok(refused(&wrong));
    }
    let login = escape(call.backend.world.login(owner));
    let state = call.query("state").map(str::to_owned).unwrap_or_default();
    let content = format!(
        "<form method=\"post\" action=\"{}/settings/apps\">\
         <input type=\"hidden\" name=\"manifest\" value=\"{}\"><input type=\"hidden\" name=\"state\" value=\"{}\">\
         <p><label>GitHub App name<input name=\"name\" maxlength=\"34\" value=\"{}\"></label></p>\
         <button type=\"submit\" id=\"create\">Create GitHub App for {login}</button></form>",
        prefix(call),
        escape(&text),
        escape(&state),
        escape(manifest.name.as_deref().unwrap_or_default()),
    );
    Ok(Reply::html(StatusCode::OK, page("Create GitHub App", &content)))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let parsed = Manifest::parse(&posted(call, "manifest").unwrap_or_default());
    let mut manifest = match parsed {
        Ok(manifest) => manifest,
        Err(wrong) => return Ok(refused(&wrong)),
    };
    manifest.name = posted(call, "name").or(manifest.name);
    let new = match manifest.check() {
        Ok(new) => new,
        Err(wrong) => return Ok(refused(&wrong)),
    };
    let Ok(app) = call.world().create_app(owner, new) else {
        return Ok(refused(&["Name has already been taken".to_owned()]));
    };
    let code = call.world().manifest_code(app)?;
    let slug = call.world().apps.get(&app).map(|a| a.slug.clone()).unwrap_or_default();
    let Some(redirect) = manifest.redirect_url else {
        return Ok(Reply::redirect(format!("{}{}/settings/apps/{slug}", call.links.html, prefix(call))));
    };
    let mut target = url::Url::parse(&redirect).map_err(|e| ApiError::unprocessable(e.to_string()))?;
    target.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = posted(call, "state").filter(|s| !s.is_empty()) {
        target.query_pairs_mut().append_pair("state", &state);
    }
    Ok(Reply::redirect(target.into()))
}

fn convert(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let code = call.param("code").to_owned();
    let id = call.world().use_manifest_code(&code)?;
    let key = call.world().keys.take().map_err(|e| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    let app = call.world().apps.get_mut(&id).ok_or_else(ApiError::not_found)?;
    app.keys.push(key.public);
    let secrets = json!({
        "client_secret": app.client_secret.expose(),
        "webhook_secret": app.hook.secret.as_ref().map(|s| s.expose().to_owned()),
        "pem": key.pem.expose(),
    });
    let wire = call.wire();
    let app = wire.world.apps.get(&id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::created(with(wire.app(app), secrets)))
}

fn choose(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let world = &call.backend.world;
    let app = world.app_by_slug(call.param("app_slug")).ok_or_else(ApiError::not_found)?;
    let accounts = world.accounts.values().filter(|a| a.kind != Kind::Bot && (app.public || a.id == app.owner));
    let forms: String = accounts
        .map(|account| {
            format!(
                "<form method=\"post\" action=\"/apps/{}/installations\"><input type=\"hidden\" name=\"account\" \
                 value=\"{login}\"><p><button>Install on {login}</button></p></form>",
                app.slug,
                login = escape(&account.login),
            )
        })
        .collect();
    Ok(Reply::html(StatusCode::OK, page(&format!("Install {}", escape(&app.name)), &forms)))
}

fn install(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let login = posted(call, "account").unwrap_or_default();
    let world = &call.backend.world;
    let account = world.account(&login).map(|a| a.id).ok_or_else(ApiError::not_found)?;
    let app = world.app_by_slug(call.param("app_slug")).ok_or_else(ApiError::not_found)?.clone();
    let actor = world.viewer;
    let id = call.world().install(app.id, account, Selection::All, actor)?;
    let place = match app.setup_url {
        Some(url) => {
            let mut target = url::Url::parse(&url).map_err(|e| ApiError::unprocessable(e.to_string()))?;
            target
                .query_pairs_mut()
                .append_pair("installation_id", &id.to_string())
                .append_pair("setup_action", "install");
            target.into()
        }
        None => format!("{}/settings/installations/{id}", call.links.html),
    };
    Ok(Reply::redirect(place))
}

/// The page that people see after they installed an App.
fn installed(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let world = &call.backend.world;
    let installation = world.installations.get(&call.number("installation_id")?).ok_or_else(ApiError::not_found)?;
    let app = world.apps.get(&installation.app).ok_or_else(ApiError::not_found)?;
    let login = escape(world.login(installation.account));
    let content = format!("<p>Okay, {} was installed on the @{login} account.</p>", escape(&app.name));
    Ok(Reply::html(StatusCode::OK, page(&escape(&app.name), &content)))
}
