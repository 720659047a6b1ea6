//! Titles and summaries of check runs, links to the dashboard.

use crate::github::api::checks::Output;

/// Name of the check run.
pub const CHECK_NAME: &str = "synchronize";
/// Host of the original service: its dashboard needs no hint about which server to ask.
const HOME_HOST: &str = "api.pangeo-forge.org";

/// While it runs.
pub fn in_progress() -> Output {
    output("Syncing latest commit to Pangeo Forge Cloud", String::new())
}

/// When the recipes cannot be read, or anything else failed.
pub fn failed(reason: &str) -> Output {
    output("Synchronize error - click details for summary", reason.to_owned())
}

/// When the pull request names what the database does not know.
pub fn not_in_database(feedstock: &str, feedstock_found: bool, bakery: Option<&str>, bakery_found: bool) -> Output {
    let there = |found: bool| if found { "present" } else { "not present" };
    let bakery = match bakery {
        Some(bakery) => format!("- Bakery `{bakery}`: {}.", there(bakery_found)),
        None => "- Bakery: meta.yaml names none (`bakery: {id: …}`).".to_owned(),
    };
    output(
        "Feedstock and/or bakery not present in database.",
        format!("- Feedstock `{feedstock}`: {}.\n{bakery}", there(feedstock_found)),
    )
}

/// When the runs are queued; `runs` are their lines from [`run_line`].
pub fn queued(head_sha: &str, runs: &[String]) -> Output {
    output(
        "Recipe runs queued for latest commit",
        format!("Recipe runs created at commit `{head_sha}`:{}", runs.concat()),
    )
}

/// When some recipes are listed by their code, of which opening a pull request executes nothing.
/// `runs` are the lines of the others, `reasons` say which are not.
pub fn listed_by_code(head_sha: &str, runs: &[String], reasons: &[String]) -> Output {
    let reasons: String = reasons.iter().map(|reason| format!("\n- {reason}")).collect();
    let others = if runs.is_empty() {
        String::new()
    } else {
        format!("\n\nRecipe runs created at commit `{head_sha}`:{}", runs.concat())
    };
    output(
        "Recipes are listed by their code",
        format!(
            "Opening a pull request executes none of its code, so not all recipes can be listed yet. They are when \
             somebody who may run recipes comments `/run RECIPE_ID`:{reasons}{others}"
        ),
    )
}

/// One run in the list of [`queued`].
pub fn run_line(url: &str) -> String {
    format!("\n- {url}")
}

/// The page of a run on the dashboard. `webhook_host` is this App's own.
pub fn run_url(dashboard_url: &str, run_id: i64, feedstock_id: i64, webhook_host: Option<&str>) -> String {
    let base = dashboard_url.trim_end_matches('/');
    let endpoint = match webhook_host {
        Some(host) if host != HOME_HOST => format!("&orchestratorEndpoint={host}"),
        _ => String::new(),
    };
    format!("{base}/recipe-run/{run_id}?feedstock_id={feedstock_id}{endpoint}")
}

fn output(title: &str, summary: String) -> Output {
    Output { title: title.to_owned(), summary, text: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_server_unless_it_is_the_original() {
        let base = "https://pangeo-forge.org/dashboard";
        let plain = "https://pangeo-forge.org/dashboard/recipe-run/7?feedstock_id=2";
        assert_eq!(run_url(base, 7, 2, Some("api.pangeo-forge.org")), plain);
        assert_eq!(run_url("https://pangeo-forge.org/dashboard/", 7, 2, None), plain);
        assert_eq!(run_url(base, 7, 2, Some("smee.io")), format!("{plain}&orchestratorEndpoint=smee.io"));
        let lines = [1, 2].map(|run| run_line(&run_url(base, run, 2, None)));
        assert_eq!(
            queued("abc", &lines).summary,
            "Recipe runs created at commit `abc`:\
             \n- https://pangeo-forge.org/dashboard/recipe-run/1?feedstock_id=2\
             \n- https://pangeo-forge.org/dashboard/recipe-run/2?feedstock_id=2"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let output = not_in_database("o/f", true, Some("b"), false);
        assert_eq!(output.title, "Feedstock and/or bakery not present in database.");
        assert_eq!(output.summary, "- Feedstock `o/f`: present.\n- Bakery `b`: not present.");
        assert!(not_in_database("o/f", false, None, false).summary.contains("meta.yaml names none"));
    }
}
