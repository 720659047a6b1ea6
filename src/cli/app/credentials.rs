//! An App's credentials as they go into the config.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::config::section::{self, Place, Written};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::github::AppCredentials;
use crate::github::api::apps::NewApp;
use crate::secrets::tree::{Map, Node, Scalar};
use crate::util::{self, Secret};

/// The section.
pub const SECTION: &str = "github_app";

/// What the config holds of an App.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its name.
    pub app_name: String,
    /// Its id.
    pub id: i64,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// Its client id.
    pub client_id: Option<String>,
    /// Its OAuth secret.
    pub client_secret: Option<Secret>,
    /// Its page.
    pub html_url: Option<String>,
    /// Who owns it.
    pub owner: Option<String>,
    /// Its private key.
    pub private_key: Secret,
    /// What its deliveries are signed with.
    pub webhook_secret: Secret,
    /// GitHub's API, when it is not github.com's.
    pub api_url: Option<String>,
}

impl Credentials {
    /// Those that GitHub gave.
    pub fn of(app: &NewApp, webhook_secret: Secret, api_url: Option<String>) -> Self {
        Self {
            app_name: app.name.clone(),
            id: app.id,
            slug: Some(app.slug.clone()),
            client_id: Some(app.client_id.clone()),
            client_secret: Some(app.client_secret.clone()),
            html_url: Some(app.html_url.clone()),
            owner: app.owner.as_ref().map(|owner| owner.login.clone()),
            private_key: app.pem.clone(),
            webhook_secret,
            api_url,
        }
    }

    /// Who speaks with them.
    pub fn speaker(&self) -> AppCredentials {
        AppCredentials {
            issuer: self.client_id.clone().unwrap_or_else(|| self.id.to_string()),
            private_key: self.private_key.clone(),
        }
    }

    /// The entries of the section, in the order of their names.
    fn entries(&self) -> Map {
        let mut map = Map::default();
        let text = |map: &mut Map, name: &str, value: Option<&str>| {
            if let Some(value) = value {
                map.push(name, Node::text(value));
            }
        };
        text(&mut map, "api_url", self.api_url.as_deref());
        text(&mut map, "app_name", Some(&self.app_name));
        text(&mut map, "client_id", self.client_id.as_deref());
        text(&mut map, "client_secret", self.client_secret.as_ref().map(Secret::expose));
        text(&mut map, "html_url", self.html_url.as_deref());
        map.push("id", Scalar::Int(self.id));
        text(&mut map, "owner", self.owner.as_deref());
        text(&mut map, "private_key", Some(self.private_key.expose()));
        text(&mut map, "slug", self.slug.as_deref());
        text(&mut map, "webhook_secret", Some(self.webhook_secret.expose()));
        map
    }

    /// Writes them into `place`, which has no such section.
    ///
    /// # Errors
    /// When that fails.
    pub fn write(&self, cx: &Cx, place: &Place) -> Result<Written> {
        let ((), written) = place.change(cx, |document| section::add(document, SECTION, self.entries()))?;
        if !written.encrypted {
            make_private(cx, place.path());
        }
        Ok(written)
    }

    /// As [`Credentials::write`], of an App that was created just now.
    ///
    /// # Errors
    /// When that fails. They are then in a private file that the error names, because GitHub tells
    /// them once.
    pub fn write_new(&self, cx: &Cx, place: &Place) -> Result<Written> {
        let error = match self.write(cx, place) {
            Ok(written) => return Ok(written),
            Err(error) => error,
        };
        let file = cx.settings.shown(place.path());
        let error = error.context(format!("App {} was created, but {file} could not be written", self.app_name));
        Err(match self.rescue(cx) {
            Some(kept) => error
                .because(format!("the credentials are kept in {}, readable by you only, in clear", kept.display()))
                .hint(format!("cat {} >> {file} && rm {}", kept.display(), kept.display())),
            None => error
                .because("nor could they be kept anywhere else: they are lost")
                .because("a new private key and webhook secret can be made in the App's settings")
                .hint(format!("pforge app import {} FILE.pem", self.id)),
        })
    }

    /// Keeps them in a private file of their own, where that is possible.
    fn rescue(&self, cx: &Cx) -> Option<PathBuf> {
        let text = section::text_of(SECTION, self.entries()).ok()?;
        let name = format!("pforge-app-{}.yaml", self.id);
        let state = cx
            .env
            .path("XDG_STATE_HOME")
            .or_else(|| cx.env.path("HOME").map(|home| home.join(".local/state")))
            .map(|folder| folder.join("pforge"));
        let folders = state.into_iter().chain([cx.settings.root.value.clone(), std::env::temp_dir()]);
        folders.into_iter().find_map(|folder| {
            fs::create_dir_all(&folder).ok()?;
            let path = folder.join(&name);
            util::file::create_private(&path, text.expose()).ok().map(|()| path)
        })
    }
}

/// Nobody else may read a private key that stands in clear, whoever could read the file before.
fn make_private(cx: &Cx, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if open && fs::set_permissions(path, fs::Permissions::from_mode(0o600)).is_err() {
            cx.ui.warn(format!("{} can be read by others, and that could not be changed", cx.settings.shown(path)));
        }
    }
}

/// Refuses when `place` has an App already.
///
/// # Errors
/// Then.
pub fn refuse_second(cx: &Cx, place: &Place) -> Result {
    if !place.has(SECTION) {
        return Ok(());
    }
    let file = cx.settings.shown(place.path());
    Err(Error::config(format!("{file} has an App already: its section {SECTION} is not overwritten"))
        .because("its private key may exist nowhere else")
        .hint("pforge app show")
        .hint(format!("pforge secrets unset {SECTION} --file {file}   # to give it up for another")))
}
