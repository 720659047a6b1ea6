//! `pforge init-db`.

use serde_json::{Value, json};

use crate::cli::api::{Api, api_key};
use crate::cli::config::Sourced;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};

/// Rows of a page of the server's lists; its own limit.
const PAGE: usize = 100;

/// Register a feedstock and the default bakery with a server
#[derive(Debug, clap::Args)]
#[command(after_help = "What is registered already is left alone, so it can be run again.\n\nExample:\n  \
    pforge --deployment local init-db http://127.0.0.1:8000 alice/mock-feedstock")]
pub struct Args {
    /// The server
    #[arg(value_name = "URL")]
    url: String,
    /// The feedstock's repository
    #[arg(value_name = "OWNER/REPO", value_parser = spec)]
    spec: String,
    /// Name of the bakery, if the server has none yet
    #[arg(long, value_name = "NAME", default_value = "local-test-bakery")]
    bakery: String,
}

/// Registers what is missing and prints both rows.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = Api::new(&Sourced::flag(args.url.clone(), "URL"), api_key(cx)?)?;
    let (feedstock, bakery) = cx.run(async {
        let feedstock = feedstock(&api, &args.spec).await?;
        Ok((feedstock, bakery(&api, &args.bakery).await?))
    })?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "feedstock": feedstock.to_json(), "bakery": bakery.to_json() }));
    }
    cx.ui.line(feedstock.told("feedstock", "spec"))?;
    cx.ui.line(bakery.told("bakery", "name"))
}

/// A row of the server and whether it is new.
struct Registered {
    row: Value,
    new: bool,
}

impl Registered {
    fn to_json(&self) -> Value {
        json!({ "created": self.new, "row": self.row })
    }

    fn told(&self, noun: &str, name: &str) -> String {
        let name = self.row[name].as_str().unwrap_or_default();
        let what = if self.new { "registered" } else { "was there already" };
        format!("{noun} {name} (#{}) {what}", self.row["id"])
    }
}

async fn feedstock(api: &Api, spec: &str) -> Result<Registered> {
    if let Some(row) = find_feedstock(api, spec).await? {
        return Ok(Registered { row, new: false });
    }
    match api.post("/feedstocks/", &[], Some(&json!({ "spec": spec }))).await {
        Ok(row) => Ok(Registered { row, new: true }),
        // Somebody else registered it in between, or it differs in case only.
        Err(error) if error.kind == Kind::Failure => {
            find_feedstock(api, spec).await?.map(|row| Registered { row, new: false }).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// Looks through all pages: the list has no filter by name.
async fn find_feedstock(api: &Api, spec: &str) -> Result<Option<Value>> {
    for page in 0.. {
        let query = [("offset", (page * PAGE).to_string()), ("limit", PAGE.to_string())];
        let rows = rows(api.get("/feedstocks/", &query).await?)?;
        let full = rows.len() == PAGE;
        let same = |row: &Value| row["spec"].as_str().is_some_and(|there| there.eq_ignore_ascii_case(spec));
        if let Some(row) = rows.into_iter().find(same) {
            return Ok(Some(row));
        }
        if !full {
            break;
        }
    }
    Ok(None)
}

/// A bakery is registered only when the server has none at all: a second one would have to be
/// chosen between.
async fn bakery(api: &Api, name: &str) -> Result<Registered> {
    let there = rows(api.get("/bakeries/", &[]).await?)?;
    let named = there.iter().find(|row| row["name"] == name).or(there.first());
    if let Some(row) = named {
        return Ok(Registered { row: row.clone(), new: false });
    }
    let body = json!({ "name": name, "description": "A great bakery.", "region": "local" });
    Ok(Registered { row: api.post("/bakeries/", &[], Some(&body)).await?, new: true })
}

fn rows(answer: Value) -> Result<Vec<Value>> {
    match answer {
        Value::Array(rows) => Ok(rows),
        _ => Err(Error::new(Kind::Upstream, "the server's list is not a list")),
    }
}

/// `owner/repo`, as GitHub allows it.
pub(super) fn spec(text: &str) -> std::result::Result<String, String> {
    let word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match text.split_once('/') {
        Some((owner, repo)) if word(owner) && word(repo) => Ok(text.to_owned()),
        _ => Err("must be OWNER/REPO, such as pforgetest/gpcp-from-gcs-feedstock".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_spec_is_owner_and_repo() {
        for (text, good) in [
            ("a/b", true),
            ("pforgetest/gpcp-from-gcs-feedstock", true),
            ("a.b_c/d-e", true),
            ("a", false),
            ("a/", false),
            ("/b", false),
            ("a/b/c", false),
            ("https://github.com/a/b", false),
            ("a /b", false),
        ] {
            assert_eq!(super::spec(text).is_ok(), good, "{text}");
        }
    }
}
