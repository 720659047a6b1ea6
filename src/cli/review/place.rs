//! Where the database of a review deployment is.

use url::Url;

use super::Review;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::store::databases::Database;
use crate::store::{DatabaseUrl, Dialect};
use crate::util::Secret;

/// What a template has in the place of the database's name.
const NAME: &str = "{database}";

/// Where it is.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Database")]
pub struct PlaceFlags {
    /// The PostgreSQL server, by a role that may create databases [env: PFORGE_REVIEW_DATABASE_SERVER]
    #[arg(long, value_name = "URL")]
    pub database_server: Option<String>,
    /// How the deployment reaches it; {database} is its name [env: PFORGE_REVIEW_DATABASE_URL] [default: by the server's URL]
    #[arg(long, value_name = "URL")]
    pub database_url_template: Option<String>,
}

/// A database that belongs to a review deployment.
#[derive(Clone, Debug)]
pub struct Place {
    /// As the deployment reaches it.
    pub url: DatabaseUrl,
    /// As the deployment reaches it, with the password.
    pub text: Secret,
    /// The database itself.
    pub database: Database,
}

impl PlaceFlags {
    fn server(&self, cx: &Cx) -> Option<String> {
        self.database_server.clone().or_else(|| cx.env.get("PFORGE_REVIEW_DATABASE_SERVER").map(str::to_owned))
    }

    fn template(&self, cx: &Cx) -> Option<String> {
        self.database_url_template.clone().or_else(|| cx.env.get("PFORGE_REVIEW_DATABASE_URL").map(str::to_owned))
    }

    /// The database that flags and environment name for `review`; `None` when they name none.
    ///
    /// # Errors
    /// When a URL cannot be used.
    pub fn resolve(&self, cx: &Cx, review: &Review) -> Result<Option<Place>> {
        let name = review.database();
        let (server, template) = (self.server(cx), self.template(cx));
        let text = match (&template, &server) {
            (None, None) => return Ok(None),
            (Some(template), _) if !template.contains(NAME) => {
                return Err(Error::usage(format!("the template of the database's URL has no {NAME}"))
                    .because("each pull request has a database of its own")
                    .hint("pforge review up … --database-url-template postgres://USER@HOST/{database}"));
            }
            (Some(template), _) => template.replace(NAME, &name),
            (None, Some(server)) => with_database(server, &name)?,
        };
        Place::at(review, &text, server.as_deref()).map(Some)
    }

    /// The database at `text`, as a deployment of `review` has it in its config. `None` when it is
    /// not one that was made for it.
    ///
    /// # Errors
    /// When a URL cannot be used.
    pub fn of_config(&self, cx: &Cx, review: &Review, text: &str) -> Result<Option<Place>> {
        let url = parse("database_url", text)?;
        let name = review.database();
        let own = match url.dialect() {
            Dialect::Postgres => url.name() == Some(&name),
            Dialect::Sqlite => {
                let stem = url.path().and_then(|path| path.file_stem()).and_then(|stem| stem.to_str());
                stem.is_some_and(|stem| stem == name)
            }
        };
        if own { Place::at(review, text, self.server(cx).as_deref()).map(Some) } else { Ok(None) }
    }
}

impl Place {
    fn at(review: &Review, text: &str, server: Option<&str>) -> Result<Self> {
        let url = parse("the database's URL", text)?;
        let database = match (url.dialect(), server) {
            (Dialect::Sqlite, _) => Database::file(&url)?,
            (Dialect::Postgres, Some(server)) => {
                Database::on_server(&parse("the database server's URL", server)?, &review.database())?
            }
            // Every server has this one, to be in while another is made or removed.
            (Dialect::Postgres, None) => Database::on_server(
                &parse("the database's URL", &with_database(text, "postgres")?)?,
                &review.database(),
            )?,
        };
        Ok(Self { url, text: Secret::new(text), database })
    }
}

fn parse(what: &str, text: &str) -> Result<DatabaseUrl> {
    text.parse().map_err(|error| Error::from(error).context(format!("{what} cannot be used")))
}

/// `url` with another database of the same server. The URL is never repeated: it has a password.
fn with_database(url: &str, name: &str) -> Result<String> {
    let mut url = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "postgres" | "postgresql"))
        .ok_or_else(|| Error::usage("the database server's URL must begin with postgres:// or postgresql://"))?;
    url.set_path(name);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::{PlaceFlags, Review};
    use crate::cli::config::{Globals, Settings};
    use crate::cli::cx::Cx;
    use crate::cli::env::Env;
    use crate::cli::ui::{Options, Ui};

    fn cx() -> Cx {
        let env = Env::default();
        let settings = Settings::resolve(&Globals::default(), &env, std::path::Path::new("/nonexistent"));
        Cx::new(Ui::new(Options::default(), &env), settings, env)
    }

    fn flags(server: Option<&str>, template: Option<&str>) -> PlaceFlags {
        PlaceFlags { database_server: server.map(str::to_owned), database_url_template: template.map(str::to_owned) }
    }

    #[test]
    fn each_pull_request_has_a_database_of_its_own() {
        let (cx, review) = (cx(), Review::of(&cx(), 80).expect("a deployment"));
        for (server, template, expected) in [
            (None, None, Some(None)),
            (Some("postgres://u:p@h:1/x"), None, Some(Some("postgres://u:***@h:1/pforge_pr_80"))),
            (Some("postgres://u:p@h/"), Some("postgres://v@in/{database}"), Some(Some("postgres://v@in/pforge_pr_80"))),
            (None, Some("postgres://v@in/{database}"), Some(Some("postgres://v@in/pforge_pr_80"))),
            (None, Some("sqlite:///x/{database}.sqlite"), Some(Some("sqlite:///x/pforge_pr_80.sqlite"))),
            (None, Some("postgres://v@in/forge"), None),
            (Some("sqlite:///x"), None, None),
            (Some("mysql://h/x"), None, None),
        ] {
            let place = flags(server, template).resolve(&cx, &review);
            let shown = place.ok().map(|place| place.map(|place| place.url.to_string()));
            assert_eq!(shown.as_ref().map(|shown| shown.as_deref()), expected, "{server:?} {template:?}");
        }
    }

    #[test]
    fn only_what_was_made_for_it_is_its_own() {
        let (cx, review) = (cx(), Review::of(&cx(), 80).expect("a deployment"));
        for (text, own) in [
            ("postgres://u@h/pforge_pr_80", true),
            ("postgres://u@h/pforge_pr_8", false),
            ("postgres://u@h/production", false),
            ("sqlite:///x/pforge_pr_80.sqlite", true),
            ("sqlite:///x/database.sqlite", false),
        ] {
            let place = flags(None, None).of_config(&cx, &review, text).expect("a URL");
            assert_eq!(place.is_some(), own, "{text}");
        }
    }
}
