//! Answers to commands in comments, and what the check run of a recipe shows.

use crate::github::api::checks::Output;

/// A recipe's check run before anybody asks.
pub fn not_run(recipe_id: &str) -> Output {
    Output {
        title: "Not run yet".to_owned(),
        summary: format!("Comment `/run {recipe_id}` on the pull request, or press \"Run test\" here."),
        text: None,
    }
}

/// The command lacks the recipe, or has more than it.
pub fn malformed() -> String {
    "The command is `/run RECIPE_ID`, with one recipe id and nothing else.".to_owned()
}

/// Who comments may not run recipes. `allowed` are values of GitHub's `author_association`.
pub fn not_allowed(login: &str, allowed: &[String]) -> String {
    let who: Vec<&str> = allowed.iter().map(|association| people(association)).collect();
    let who = match who.as_slice() {
        [] => return format!("@{login}, test runs cannot be asked for by comments here."),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    format!(
        "@{login}, a test run executes the recipe's code, so only {who} may ask for one here. \
         A maintainer can comment the same command for you."
    )
}

fn people(association: &str) -> &str {
    match association.to_ascii_uppercase().as_str() {
        "OWNER" => "the repository's owner",
        "MEMBER" => "members of its organization",
        "COLLABORATOR" => "its collaborators",
        "CONTRIBUTOR" => "those who have contributed to it",
        "FIRST_TIME_CONTRIBUTOR" => "those who contribute to it for the first time",
        "FIRST_TIMER" => "those who contribute for the first time",
        "NONE" => "people without any relation to it",
        _ => association,
    }
}

/// The commit has no such recipe.
pub fn unknown_recipe(recipe_id: &str, head_sha: &str, known: &[String]) -> String {
    let recipe_id = code(recipe_id);
    if known.is_empty() {
        return format!("There is no recipe {recipe_id} at {head_sha}, nor any other.");
    }
    let lines: String = known.iter().map(|id| format!("\n- {}", code(id))).collect();
    format!("There is no recipe {recipe_id} at {head_sha}. Its recipes are:\n{lines}")
}

/// The repository is not one that this server looks after.
pub fn unknown_feedstock(feedstock: &str) -> String {
    format!(
        "`{feedstock}` is not registered as a feedstock at this server, so nothing can be run. Its operator can add it."
    )
}

/// The run is not over yet.
pub fn busy(recipe_id: &str, head_sha: &str, attempt: i32, url: &str) -> String {
    format!(
        "{} at {head_sha} is being run already ([attempt {attempt}]({url})); nothing new was started.",
        code(recipe_id)
    )
}

/// The run could not be started.
pub fn not_started(recipe_id: &str, reason: &str) -> String {
    format!("The test run of {} could not be started:\n\n{}", code(recipe_id), fenced(reason))
}

/// Text as inline code, which neither mentions anybody nor links anywhere.
fn code(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '`').collect();
    format!("`{text}`")
}

/// Text as a block of code that it cannot end.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_is_said_in_words() {
        let say =
            |allowed: &[&str]| not_allowed("mallory", &allowed.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        let usual = say(&["OWNER", "MEMBER", "COLLABORATOR"]);
        assert!(
            usual.contains("only the repository's owner, members of its organization and its collaborators may ask"),
            "{usual}"
        );
        assert!(say(&["member"]).contains("only members of its organization may"), "{}", say(&["member"]));
        assert_eq!(say(&[]), "@mallory, test runs cannot be asked for by comments here.");
    }

    #[test]
    fn foreign_text_stays_inside_its_block() {
        let text = not_started("a`b", "x\n```\n@everybody");
        assert_eq!(text, "The test run of `ab` could not be started:\n\n````text\nx\n```\n@everybody\n````");
        let unknown = unknown_recipe("<!-- @all", "abc", &["a".to_owned(), "b".to_owned()]);
        assert_eq!(unknown, "There is no recipe `<!-- @all` at abc. Its recipes are:\n\n- `a`\n- `b`");
    }
}
