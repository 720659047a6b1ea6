//! From the name of a deployment to its config file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::error::{Error, Kind, Result};

/// A deployment with its config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The App's name, as in `config.<app>.yaml`.
    pub app: String,
    /// The config file; it exists.
    pub path: PathBuf,
}

impl Deployment {
    /// The command that creates its App.
    pub fn new_app(&self) -> String {
        new_app(&self.app)
    }

    /// What kind of deployment it is: `prod`, `staging`, `review`, `local`, or its own name.
    pub fn kind(&self) -> &str {
        let production = PRODUCTION.iter().find(|(_, app)| *app == self.app).map(|(alias, _)| *alias);
        let development = DEVELOPMENT.iter().find(|(_, prefix)| self.app.starts_with(prefix)).map(|(alias, _)| *alias);
        production.or(development).unwrap_or(&self.app)
    }

    /// Whether real users depend on it.
    pub fn is_production(&self) -> bool {
        is_production(&self.app)
    }
}

/// The App names of the deployments that real users depend on.
const PRODUCTION: [(&str, &str); 2] = [("prod", "pangeo-forge"), ("staging", "pangeo-forge-staging")];

/// How the App names of the other deployments begin.
const DEVELOPMENT: [(&str, &str); 2] = [("local", "pforge-local-"), ("review", "pforge-pr-")];

/// Whether `name` (an App's name or an alias) is one that real users depend on.
pub fn is_production(name: &str) -> bool {
    PRODUCTION.iter().any(|(alias, app)| name == *alias || name == *app)
}

/// Finds the deployment called `name`: `prod`, `staging`, `local`, `review`, or an App's name.
///
/// # Errors
/// [`Kind::Config`] when no file or more than one fits.
pub fn find(root: &Path, name: &str) -> Result<Deployment> {
    let folder = root.join("secrets");
    let there = apps(&folder);
    match candidates(&there, name).as_slice() {
        [app] => Ok(Deployment { app: app.clone(), path: file(&folder, app) }),
        [] => Err(missing(&folder, name, &there)),
        several => Err(ambiguous(format!("{name} may be any of several deployments"), &folder, several)),
    }
}

/// As [`find`], but a deployment without a config file is a new one.
///
/// # Errors
/// [`Kind::Config`] when more than one fits, [`Kind::Usage`] when it cannot be the name of one.
pub fn find_or_new(root: &Path, name: &str) -> Result<Deployment> {
    let folder = root.join("secrets");
    if !candidates(&apps(&folder), name).is_empty() {
        return find(root, name);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(fits) {
        return Err(Error::usage(format!("{name:?} is not the name of a deployment"))
            .because("it is the App's name: letters, digits and hyphens"));
    }
    let app = PRODUCTION.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, app)| app).to_owned();
    Ok(Deployment { path: file(&folder, &app), app })
}

/// The Apps that `name` may mean.
fn candidates(there: &[String], name: &str) -> Vec<String> {
    match PRODUCTION.iter().find(|(alias, _)| *alias == name) {
        Some((alias, app)) => first_of(there, &[app, alias]),
        None => match first_of(there, &[name]) {
            exact if !exact.is_empty() => exact,
            _ => there.iter().filter(|app| is_alias_of(name, app)).cloned().collect(),
        },
    }
}

/// The only deployment that has a config file.
///
/// # Errors
/// [`Kind::Config`] when there is none or more than one.
pub fn only(root: &Path) -> Result<Deployment> {
    let folder = root.join("secrets");
    match apps(&folder).as_slice() {
        [app] => Ok(Deployment { app: app.clone(), path: file(&folder, app) }),
        [] => Err(none(Error::config("no deployment is configured"), &folder, "pforge-local-me")),
        several => Err(ambiguous("no deployment given, and there are several".to_owned(), &folder, several)),
    }
}

fn first_of(there: &[String], wanted: &[&str]) -> Vec<String> {
    wanted.iter().find(|app| there.iter().any(|name| name == *app)).map(|app| (*app).to_owned()).into_iter().collect()
}

fn is_alias_of(name: &str, app: &str) -> bool {
    DEVELOPMENT.iter().any(|(alias, prefix)| name == *alias && app.starts_with(prefix))
}

fn file(folder: &Path, app: &str) -> PathBuf {
    folder.join(format!("config.{app}.yaml"))
}

/// The Apps that have a config file, sorted.
pub fn apps(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_prefix("config.")?.strip_suffix(".yaml")?.to_owned())
    };
    let mut apps: Vec<String> = entries.filter_map(name).filter(|app| !app.is_empty()).collect();
    apps.sort();
    apps
}

fn missing(folder: &Path, name: &str, there: &[String]) -> Error {
    let app = PRODUCTION.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, app)| app);
    let path = file(folder, app);
    let error = Error::config(format!("deployment {name} has no config file: {} does not exist", path.display()));
    if there.is_empty() {
        return none(error, folder, app);
    }
    let error = error.because(format!("there are: {}", there.join(", ")));
    let near = there.iter().max_by(|a, b| strsim::jaro(a, app).total_cmp(&strsim::jaro(b, app)));
    near.map_or(error.clone(), |near| error.hint(format!("export PANGEO_FORGE_DEPLOYMENT={near}")))
}

fn none(error: Error, folder: &Path, app: &str) -> Error {
    error
        .because(format!("{} has no config.*.yaml", folder.display()))
        .because(
            "a config file has the sections github_app (id, app_name, private_key, webhook_secret) and fastapi \
             (PANGEO_FORGE_API_KEY)",
        )
        .hint(new_app(app))
        .hint(format!("pforge --deployment {app} app import ID FILE.pem   # for an App that exists already"))
        .hint(format!("pforge api-key {app}"))
}

/// The command that creates the App called `app`.
fn new_app(app: &str) -> String {
    let alias = PRODUCTION.iter().find(|(_, name)| *name == app).map(|(alias, _)| *alias);
    let rest = |kind: &str| {
        let (_, prefix) = DEVELOPMENT.iter().find(|(alias, _)| *alias == kind)?;
        app.strip_prefix(prefix).filter(|rest| !rest.is_empty())
    };
    match (alias, rest("local"), rest("review")) {
        (Some(alias), ..) => format!("pforge new-app ACCOUNT {alias}"),
        (_, Some(account), _) => {
            format!("pforge new-app {} local", if account == "me" { "ACCOUNT" } else { account })
        }
        (_, _, Some(number)) => format!("pforge new-app ACCOUNT review {number}"),
        _ => format!("pforge new-app ACCOUNT local --name {app}"),
    }
}

fn ambiguous(message: String, folder: &Path, several: &[String]) -> Error {
    let error = Error::new(Kind::Config, message).because(format!("in {}: {}", folder.display(), several.join(", ")));
    several.iter().fold(error, |error, app| error.hint(format!("export PANGEO_FORGE_DEPLOYMENT={app}")))
}

#[cfg(test)]
mod tests {
    use super::{find, find_or_new, is_production, new_app, only};

    fn root(apps: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(root.path().join("secrets")).expect("mkdir");
        for app in apps {
            std::fs::write(root.path().join(format!("secrets/config.{app}.yaml")), "").expect("write");
        }
        root
    }

    #[test]
    fn names_resolve() {
        let all = ["pangeo-forge", "pangeo-forge-staging", "pforge-local-alice", "pforge-pr-80"];
        let cases: [(&[&str], &str, Option<&str>); 14] = [
            (&all, "prod", Some("pangeo-forge")),
            (&all, "staging", Some("pangeo-forge-staging")),
            (&all, "local", Some("pforge-local-alice")),
            (&all, "review", Some("pforge-pr-80")),
            (&all, "pforge-pr-80", Some("pforge-pr-80")),
            (&all, "pforge-pr-8", None),
            (&all, "pangeo-forge", Some("pangeo-forge")),
            (&["prod"], "prod", Some("prod")),
            (&["prod", "pangeo-forge"], "prod", Some("pangeo-forge")),
            (&["local", "pforge-local-a", "pforge-local-b"], "local", Some("local")),
            (&["pforge-local-a", "pforge-local-b"], "local", None),
            (&["pforge-local-a"], "review", None),
            (&["mine"], "mine", Some("mine")),
            (&[], "local", None),
        ];
        for (apps, name, expected) in cases {
            let root = root(apps);
            let found = find(root.path(), name).ok().map(|deployment| deployment.app);
            assert_eq!(found.as_deref(), expected, "{name} among {apps:?}");
        }
    }

    #[test]
    fn a_single_file_needs_no_name() {
        assert_eq!(only(root(&["mine"]).path()).expect("one").app, "mine");
        assert!(only(root(&["a", "b"]).path()).is_err());
        assert!(only(root(&[]).path()).is_err());
        assert!(only(std::path::Path::new("/nonexistent")).is_err());
    }

    #[test]
    fn a_new_deployment_has_the_name_that_it_is_found_by() {
        for (apps, name, app) in [
            (&[][..], "prod", "pangeo-forge"),
            (&["pforge-local-a"], "local", "pforge-local-a"),
            (&[], "local", "local"),
            (&["mine"], "other", "other"),
        ] {
            let root = root(apps);
            let new = find_or_new(root.path(), name).expect("a deployment");
            assert_eq!(new.app, app);
            std::fs::create_dir_all(new.path.parent().expect("a parent")).expect("mkdir");
            std::fs::write(&new.path, "").expect("write");
            assert_eq!(find(root.path(), name).expect("found").app, app);
        }
        for name in ["", "../x", ".x", "-x", "a b"] {
            assert!(find_or_new(root(&[]).path(), name).is_err(), "{name:?}");
        }
        assert!(find_or_new(root(&["pforge-pr-1", "pforge-pr-2"]).path(), "review").is_err());
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let error = find(root(&["pforge-local-alice", "pforge-pr-80"]).path(), "pforge-local-alcie").expect_err("typo");
        assert_eq!(error.tries, ["export PANGEO_FORGE_DEPLOYMENT=pforge-local-alice"]);
    }

    #[test]
    fn each_name_has_the_command_that_makes_its_app() {
        for (app, expected) in [
            ("pangeo-forge", "pforge new-app ACCOUNT prod"),
            ("pangeo-forge-staging", "pforge new-app ACCOUNT staging"),
            ("pforge-pr-80", "pforge new-app ACCOUNT review 80"),
            ("pforge-local-alice", "pforge new-app alice local"),
            ("mine", "pforge new-app ACCOUNT local --name mine"),
        ] {
            assert_eq!(new_app(app), expected);
        }
    }

    #[test]
    fn production_is_known_by_either_name() {
        for (name, expected) in
            [("prod", true), ("pangeo-forge", true), ("staging", true), ("pforge-pr-1", false), ("local", false)]
        {
            assert_eq!(is_production(name), expected, "{name}");
        }
    }
}
