//! The config file of a deployment, opened, read and checked.

use serde_yaml::Value;

use super::deployment::Deployment;
use super::document::{Document, edit};
use super::node::Node;
use super::origin::{Origin, Sourced};
use crate::apps::recipes;
use crate::cli::cx::Cx;
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::util::Secret;

/// A config file. Sections that are not known here are left alone: other apps own them.
#[derive(Debug)]
pub struct ConfigFile {
    /// Whose it is.
    pub deployment: Deployment,
    /// Whether it is a SOPS document.
    pub encrypted: bool,
    /// `fastapi.PANGEO_FORGE_API_KEY`, the admin key.
    pub api_key: Option<Secret>,
    /// `github_app`.
    pub github_app: Option<GithubApp>,
    /// `recipes`.
    pub recipes: recipes::Settings,
    /// `server.listen`.
    pub listen: Option<Sourced<String>>,
    /// `server.workers`.
    pub workers: Option<Sourced<String>>,
    /// `server.drain`.
    pub drain: Option<Sourced<String>>,
    /// `server.reconcile`.
    pub reconcile: Option<Sourced<String>>,
    /// `server.https_only`.
    pub https_only: Option<Sourced<String>>,
    /// `server.cors_origins`, with commas between.
    pub cors_origins: Option<Sourced<String>>,
    /// `database_url`.
    pub database_url: Option<Sourced<String>>,
}

/// The App's credentials.
#[derive(Debug)]
pub struct GithubApp {
    /// `id`.
    pub id: u64,
    /// `app_name`.
    pub app_name: String,
    /// `client_id`, the preferred issuer of JWTs.
    pub client_id: Option<String>,
    /// `private_key`.
    pub private_key: Secret,
    /// `webhook_secret`.
    pub webhook_secret: Secret,
    /// `previous_webhook_secrets`, still accepted.
    pub previous_webhook_secrets: Vec<Secret>,
    /// `api_url`: GitHub's API, when it is not github.com's.
    pub api_url: Option<Sourced<String>>,
}

impl ConfigFile {
    /// Reads the file of `deployment`, decrypting it in memory when it is encrypted.
    ///
    /// # Errors
    /// A configuration error when it is wrong, one of integrity when it does not decrypt. No value
    /// of the file is ever repeated.
    pub fn load(deployment: Deployment, cx: &Cx) -> Result<Self> {
        let path = deployment.path.clone();
        let (document, encrypted) = Document::load(cx, &path)?;
        let edit = edit(&path, encrypted);
        Self::read(deployment, encrypted, document.value(), &cx.env).map_err(|error| {
            let message = format!("{}: {}", path.display(), error.message);
            Error { message, ..error }.hint(&edit)
        })
    }

    /// The command that edits it.
    pub fn edit(&self) -> String {
        edit(&self.deployment.path, self.encrypted)
    }

    /// The App's section.
    ///
    /// # Errors
    /// When the file lacks it.
    pub fn need_app(&self) -> Result<&GithubApp> {
        self.github_app.as_ref().ok_or_else(|| {
            let path = self.deployment.path.display();
            Error::config(format!("{path}: the section github_app is missing"))
                .because("it holds the App's id, app_name, private_key and webhook_secret, as GitHub gave them")
                .hint(self.deployment.new_app())
                .hint(format!(
                    "pforge --deployment {} app import ID FILE.pem   # for an App that exists already",
                    self.deployment.app
                ))
        })
    }

    /// The admin key.
    ///
    /// # Errors
    /// When the file lacks it.
    pub fn need_api_key(&self) -> Result<&Secret> {
        self.api_key.as_ref().ok_or_else(|| {
            let path = self.deployment.path.display();
            Error::config(format!("{path}: fastapi.PANGEO_FORGE_API_KEY is missing"))
                .hint(format!("pforge api-key {}", self.deployment.app))
        })
    }

    fn read(deployment: Deployment, encrypted: bool, document: &Value, env: &Env) -> Result<Self> {
        let section = |name| Node::top(document, name).map(Node::section).transpose();
        let here = |key: &'static str, value| Sourced {
            value,
            origin: Origin::File { path: deployment.path.clone(), key, encrypted },
        };
        let scalar = |section: &Option<Node<'_>>, name, key| {
            let node = section.as_ref().and_then(|section| section.get(name));
            node.map(|node| node.scalar().map(|value| here(key, value))).transpose()
        };
        let texts = |section: &Option<Node<'_>>, name, key| {
            let node = section.as_ref().and_then(|section| section.get(name));
            node.map(|node| node.texts().map(|value| here(key, value))).transpose()
        };
        let (fastapi, app, recipes, server) =
            (section("fastapi")?, section("github_app")?, section("recipes")?, section("server")?);
        let api_key = fastapi.map(|section| section.need("PANGEO_FORGE_API_KEY")?.secret()).transpose()?;
        let top = Some(Node::top(document, "database_url")).flatten();
        Ok(Self {
            encrypted,
            api_key,
            recipes: recipes_settings(recipes.as_ref(), app.as_ref(), env)?,
            listen: scalar(&server, "listen", "server.listen")?,
            workers: scalar(&server, "workers", "server.workers")?,
            drain: scalar(&server, "drain", "server.drain")?,
            reconcile: scalar(&server, "reconcile", "server.reconcile")?,
            https_only: scalar(&server, "https_only", "server.https_only")?,
            cors_origins: texts(&server, "cors_origins", "server.cors_origins")?,
            database_url: top.map(|node| node.text().map(|value| here("database_url", value))).transpose()?,
            github_app: app.map(|node| GithubApp::read(&node, &here)).transpose()?,
            deployment: deployment.clone(),
        })
    }
}

impl GithubApp {
    fn read(node: &Node<'_>, here: &impl Fn(&'static str, String) -> Sourced<String>) -> Result<Self> {
        let optional = |name: &str| node.get(name).map(|node| node.text()).transpose();
        Ok(Self {
            id: node.need("id")?.count()?,
            app_name: node.need("app_name")?.text()?,
            client_id: optional("client_id")?,
            private_key: node.need("private_key")?.pem()?,
            webhook_secret: node.need("webhook_secret")?.secret()?,
            previous_webhook_secrets: node
                .get("previous_webhook_secrets")
                .map_or(Ok(Vec::new()), |node| node.list(Node::secret))?,
            api_url: optional("api_url")?.map(|url| here("github_app.api_url", url)),
        })
    }
}

/// The settings of the recipes app. That room reads its own section; here only the place and
/// what was expected are told, because serde repeats the value.
fn recipes_settings(recipes: Option<&Node<'_>>, app: Option<&Node<'_>>, env: &Env) -> Result<recipes::Settings> {
    let mut settings = match recipes {
        Some(node) => node.read::<recipes::Settings>()?,
        None => recipes::Settings::default(),
    };
    // The label filter stood in `github_app` once.
    if settings.run_only_on.is_empty()
        && let Some(labels) = app.and_then(|node| node.get("run_only_on"))
    {
        settings.run_only_on = labels.list(Node::text)?;
    }
    settings.runner.take_environment(|name| env.get(name).map(str::to_owned));
    Ok(settings)
}
