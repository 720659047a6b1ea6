//! `pforge config show`.

use serde_json::{Value, json};

use crate::cli::config::{ConfigFile, GithubApp, Origin, ServerFlags, ServerSettings, bakeries, shown_origins};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::util::{Secret, text};

/// Show every setting with where it came from; secrets as fingerprints
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge config show\n  pforge --deployment local config show --json")]
pub struct Args {}

/// A setting as it is shown.
struct Row {
    name: &'static str,
    value: Value,
    secret: bool,
    origin: Origin,
}

/// Prints the settings.
///
/// # Errors
/// When the config file is missing or wrong; what is known without it is printed first.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let file = cx.config();
    let rows = rows(cx, file.as_ref().ok().map(AsRef::as_ref))?;
    if cx.ui.json() {
        let value =
            |row: &Row| json!({ "name": row.name, "value": row.value, "secret": row.secret, "origin": row.origin });
        cx.ui.document(&json!({ "settings": rows.iter().map(value).collect::<Vec<_>>() }))?;
    } else {
        let shown = |row: &Row| {
            let origin = match &row.origin {
                Origin::File { path, .. } => cx.settings.shown(path),
                other => other.to_string(),
            };
            vec![row.name.into(), plain(&row.value).into(), origin.into()]
        };
        cx.ui.table(&["setting", "value", "from"], &rows.iter().map(shown).collect::<Vec<_>>())?;
    }
    file.map(drop)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn rows(cx: &Cx, file: Option<&ConfigFile>) -> Result<Vec<Row>> {
    let open = |name, value: Value, origin| Row { name, value, secret: false, origin };
    let settings = &cx.settings;
    let server = ServerSettings::resolve(&ServerFlags::default(), &cx.env, file)?;
    let github = settings.github_url(file)?;
    let mut rows = vec![
        open("root", json!(settings.root.value.display().to_string()), settings.root.origin.clone()),
        open("github_url", json!(github.value.as_str()), github.origin),
        open("listen", json!(server.listen.value), server.listen.origin),
        open("workers", json!(server.workers.value), server.workers.origin),
        open("drain", json!(text::duration(server.drain.value)), server.drain.origin),
        open(
            "reconcile",
            json!(server.reconcile.value.map_or_else(|| "off".to_owned(), text::duration)),
            server.reconcile.origin,
        ),
        open("https_only", json!(if server.https_only.value { "on" } else { "off" }), server.https_only.origin),
        open("cors_origins", json!(shown_origins(&server.cors.value)), server.cors.origin),
    ];
    let database = settings.database_url(None, &cx.env, true, || Ok(file.and_then(|file| file.database_url.clone())));
    rows.push(match database {
        Ok(url) => open("database_url", json!(url.value.to_string()), url.origin),
        Err(_) => open("database_url", Value::Null, Origin::Default),
    });
    let Some(file) = file else { return Ok(rows) };
    let path = file.deployment.path.clone();
    rows.insert(1, open("deployment", json!(file.deployment.app), settings.deployment_origin()));
    let kind = if file.encrypted { "encrypted" } else { "plain" };
    rows.insert(2, open("config", json!(format!("{} ({kind})", settings.shown(&path))), settings.deployment_origin()));
    let here = |key| Origin::File { path: path.clone(), key, encrypted: file.encrypted };
    let secret =
        |name, secret: &Secret| Row { name, value: json!(secret.fingerprint()), secret: true, origin: here(name) };
    if let Some(key) = &file.api_key {
        rows.push(secret("fastapi.PANGEO_FORGE_API_KEY", key));
    }
    if let Some(app) = &file.github_app {
        app_rows(app, &mut rows, &here, &secret);
    }
    let folder = settings.root.value.join("bakeries");
    let names: Vec<String> = bakeries::files(&folder, &file.deployment).into_keys().collect();
    if !names.is_empty() {
        let origin = Origin::File { path: folder, key: "bakeries", encrypted: false };
        rows.push(open("bakeries", json!(names), origin));
    }
    if !file.recipes.run_only_on.is_empty() {
        rows.push(open("recipes.run_only_on", json!(file.recipes.run_only_on), here("recipes.run_only_on")));
    }
    Ok(rows)
}

fn app_rows(
    app: &GithubApp,
    rows: &mut Vec<Row>,
    here: &impl Fn(&'static str) -> Origin,
    secret: &impl Fn(&'static str, &Secret) -> Row,
) {
    let mut open = |name, value| rows.push(Row { name, value, secret: false, origin: here(name) });
    open("github_app.id", json!(app.id));
    open("github_app.app_name", json!(app.app_name));
    if let Some(id) = &app.client_id {
        open("github_app.client_id", json!(id));
    }
    rows.push(secret("github_app.private_key", &app.private_key));
    rows.push(secret("github_app.webhook_secret", &app.webhook_secret));
    let name = "github_app.previous_webhook_secrets";
    if !app.previous_webhook_secrets.is_empty() {
        let prints: Vec<String> = app.previous_webhook_secrets.iter().map(Secret::fingerprint).collect();
        rows.push(Row { name, value: json!(prints), secret: true, origin: here(name) });
    }
}
