//! The global flags, resolved with the environment.

use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCompleter;
use url::Url;

use super::deployment::{self, Deployment};
use super::file::ConfigFile;
use super::origin::{Origin, Sourced, pick};
use crate::cli::complete::Deployments;
use crate::cli::cx::Cx;
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::cli::logging::Format;
use crate::cli::ui::{Options, When};
use crate::store::{DatabaseUrl, Dialect};

/// GitHub's API for github.com.
const GITHUB: &str = "https://api.github.com";

/// The flags that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The deployment: an App's name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCompleter::new(Deployments))]
    pub deployment: Option<String>,
    /// The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// GitHub's API [env: GITHUB_API_URL] [default: https://api.github.com]
    #[arg(long, global = true, value_name = "URL")]
    pub github_url: Option<String>,
    /// Print JSON: one document, or one object a line for streams
    #[arg(long, global = true)]
    pub json: bool,
    /// Tell nothing but data, warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    #[arg(help = "When to use colour: auto, always, never; NO_COLOR is honoured")]
    pub color: When,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Form of log lines: text, json
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    pub log_format: Format,
}

impl Globals {
    /// How the user wants things printed.
    pub fn printing(&self) -> Options {
        Options { json: self.json, quiet: self.quiet, no_input: self.no_input, color: self.color }
    }
}

/// The global settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder with `secrets/`.
    pub root: Sourced<PathBuf>,
    /// The deployment's name as given.
    pub deployment: Option<Sourced<String>>,
    github_url: Option<Sourced<String>>,
}

impl Settings {
    /// Resolves flags and environment; `here` is the working directory.
    pub fn resolve(flags: &Globals, env: &Env, here: &Path) -> Self {
        let root = flags.root.as_ref().map(|root| ("--root", root.display().to_string()));
        let root = pick(root, (env, "PFORGE_ROOT"), None)
            .map_or_else(|| Sourced::default(discover(here)), |root| root.map(|root| here.join(root)));
        let deployment = flags.deployment.clone().map(|name| ("--deployment", name));
        let github_url = flags.github_url.clone().map(|url| ("--github-url", url));
        Self {
            root,
            deployment: pick(deployment, (env, "PANGEO_FORGE_DEPLOYMENT"), None),
            github_url: pick(github_url, (env, "GITHUB_API_URL"), None),
        }
    }

    /// Reads the config file of the deployment.
    ///
    /// # Errors
    /// With advice for each way in which it can be missing or wrong.
    pub fn load(&self, cx: &Cx) -> Result<ConfigFile> {
        ConfigFile::load(self.find()?, cx)
    }

    /// The deployment and its config file: the one that is named, or the only one.
    ///
    /// # Errors
    /// When none or several fit.
    pub fn find(&self) -> Result<Deployment> {
        match &self.deployment {
            Some(name) => deployment::find(&self.root.value, &name.value),
            None => deployment::only(&self.root.value),
        }
    }

    /// The deployment called `name`; its config file need not exist.
    ///
    /// # Errors
    /// When several fit, or it is no name.
    pub fn find_or_new(&self, name: &str) -> Result<Deployment> {
        deployment::find_or_new(&self.root.value, name)
    }

    /// GitHub's API.
    ///
    /// # Errors
    /// When it is not an absolute http or https URL.
    pub fn github_url(&self, file: Option<&ConfigFile>) -> Result<Sourced<Url>> {
        let in_file = || file?.github_app.as_ref()?.api_url.clone();
        let given = self.github_url.clone().or_else(in_file).unwrap_or_else(|| Sourced::default(GITHUB.to_owned()));
        let url = Url::parse(&given.value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            Error::config(format!("{} is not the URL of an API", given.origin.named())).hint(given.origin.remedy())
        })?;
        Ok(Sourced { value: url, origin: given.origin })
    }

    /// The database: flag, environment, config file. `file` is asked only when it is needed.
    ///
    /// # Errors
    /// When nobody names one, when it is no database URL, and for SQLite on a deployment that
    /// real users depend on, unless `allow_sqlite`.
    pub fn database_url(
        &self,
        flag: Option<&str>,
        env: &Env,
        allow_sqlite: bool,
        file: impl FnOnce() -> Result<Option<Sourced<String>>>,
    ) -> Result<Sourced<DatabaseUrl>> {
        let flag = flag.map(|url| ("--database-url", url.to_owned()));
        let given = match pick(flag, (env, "DATABASE_URL"), None) {
            Some(given) => Ok(Some(given)),
            None => file(),
        };
        let none = || {
            Error::config("DATABASE_URL is not set, and the config file has no database_url")
                .hint("export DATABASE_URL=sqlite:///$PWD/database.sqlite")
        };
        let given = match given {
            Ok(given) => given.ok_or_else(none)?,
            Err(error) => return Err(error.causes.iter().fold(none().because(&error.message), |e, c| e.because(c))),
        };
        let url: DatabaseUrl = given
            .value
            .parse()
            .map_err(|error| Error::from(error).context(format!("{} cannot be used", given.origin.named())))?;
        if url.dialect() == Dialect::Sqlite && !allow_sqlite {
            self.refuse_sqlite()?;
        }
        Ok(Sourced { value: url, origin: given.origin })
    }

    fn refuse_sqlite(&self) -> Result {
        // Without a name, the only config file decides.
        let name = match &self.deployment {
            Some(name) => Some(name.value.clone()),
            None => self.find().ok().map(|deployment| deployment.app),
        };
        match name {
            Some(name) if deployment::is_production(&name) => {
                Err(Error::config(format!("SQLite is refused for the deployment {name}"))
                    .because("one file on one machine is no home for data that others depend on")
                    .hint("export DATABASE_URL=postgres://USER@HOST/DATABASE")
                    .hint("pforge serve --allow-sqlite"))
            }
            _ => Ok(()),
        }
    }

    /// A path below the root as the user would write it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root.value).unwrap_or(path).display().to_string()
    }

    /// Where the deployment's name came from.
    pub fn deployment_origin(&self) -> Origin {
        self.deployment.as_ref().map_or(Origin::Default, |name| name.origin.clone())
    }
}

/// The nearest folder at or above `here` that has a folder `secrets`, else `here`.
fn discover(here: &Path) -> PathBuf {
    here.ancestors().find(|folder| folder.join("secrets").is_dir()).unwrap_or(here).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::{Env, Globals, Origin, Path, PathBuf, Settings};

    #[test]
    fn the_root_is_the_nearest_folder_with_secrets() {
        let top = tempfile::tempdir().expect("tempdir");
        let deep = top.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("mkdir");
        std::fs::create_dir(top.path().join("secrets")).expect("mkdir");
        let root = |flags: &Globals, env: &Env, here: &Path| Settings::resolve(flags, env, here).root.value;
        let (plain, none) = (Globals::default(), Env::default());
        assert_eq!(root(&plain, &none, &deep), top.path());
        std::fs::create_dir(deep.join("secrets")).expect("mkdir");
        assert_eq!(root(&plain, &none, &deep), deep);
        assert_eq!(root(&plain, &[("PFORGE_ROOT", "..")].into(), &deep), deep.join(".."));
        let flagged = Globals { root: Some(PathBuf::from("/x")), ..Globals::default() };
        assert_eq!(root(&flagged, &[("PFORGE_ROOT", "/y")].into(), &deep), Path::new("/x"));
    }

    #[test]
    fn github_is_the_public_one_unless_told() {
        let url = |flags: &Globals, env: &Env| Settings::resolve(flags, env, Path::new("/")).github_url(None);
        let plain = Globals::default();
        let public = url(&plain, &Env::default()).expect("url");
        assert_eq!((public.value.as_str(), public.origin), ("https://api.github.com/", Origin::Default));
        let local = url(&plain, &[("GITHUB_API_URL", "http://127.0.0.1:9")].into()).expect("url");
        assert_eq!(local.value.as_str(), "http://127.0.0.1:9/");
        for bad in ["github.com", "ftp://x/", "//x"] {
            assert!(url(&plain, &[("GITHUB_API_URL", bad)].into()).is_err(), "{bad}");
        }
    }
}
