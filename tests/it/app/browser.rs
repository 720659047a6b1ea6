//! The same way in a real browser, with a person's clicks.

use serde_json::{Value, json};

use super::{CONFIG, Desk};
use crate::support::browser::browse;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_clicked_through() {
    let desk = Desk::encrypting().await;
    let mut new_app = desk.new_app("developer local --install-timeout 60s");
    let page = new_app.url().to_owned();
    // Pictures are kept where somebody wants to look at them.
    let kept = std::env::var_os("PFORGE_TEST_SHOTS").map_or_else(|| desk.env.root(), Into::into);
    let shot = |name: &str| kept.join(format!("{name}.png"));
    let steps = json!([
        ["goto", page],
        ["shot", shot("new-app-authorize")],
        ["scheme", "dark"],
        ["shot", shot("new-app-authorize-dark")],
        ["scheme", "light"],
        ["reload"],
        ["click", "summary"],
        ["text"],
        ["click", "#create"],
        ["see", "button#create[type=submit]:not([autofocus])"],
        ["shot", shot("github-confirm")],
        ["click", "#create"],
        ["see", "#install"],
        ["shot", shot("new-app-created")],
        ["reload"],
        ["goto", page],
        // By itself.
        ["see", "form[action$='/installations']"],
        ["click", "form button"],
        ["at", "/settings/installations/"],
    ]);
    let seen = tokio::task::spawn_blocking(move || browse(&steps)).await.expect("the browser");
    let at = |step: usize| seen[step]["text"].as_str().expect("a text");
    assert!(at(0).contains("Create pforge-local-developer") && at(0).contains("Continue to GitHub"), "{}", at(0));
    assert!(!at(0).contains("default_events") && at(7).contains("\"default_events\""), "the JSON is folded: {}", at(0));
    assert!(at(9).contains("Create GitHub App for developer"), "{}", at(9));
    for step in [12, 14, 15] {
        assert!(at(step).contains("Authorization complete!") && at(step).contains(CONFIG), "{step}: {}", at(step));
    }
    assert!(at(seen.len() - 2).contains("was installed on the @developer account"));
    let end = seen.last().expect("the end");
    // The emulator has no icon.
    let errors = end["errors"].as_array().expect("a list").iter().filter_map(Value::as_str);
    let errors: Vec<&str> =
        errors.filter(|error| !error.ends_with(&format!("{}/favicon.ico", desk.github.base))).collect();
    assert_eq!(errors, Vec::<&str>::new(), "nothing is refused and nothing is missing");
    let own = ["http://localhost:", desk.github.base.as_str()];
    let foreign = |url: &&Value| !own.iter().any(|own| url.as_str().expect("a text").starts_with(own));
    let foreign: Vec<&Value> = end["requests"].as_array().expect("a list").iter().filter(foreign).collect();
    assert_eq!(foreign, Vec::<&Value>::new(), "nothing comes from elsewhere");
    for picture in ["new-app-authorize", "new-app-created"] {
        assert!(std::fs::metadata(shot(picture)).expect("a picture").len() > 10_000);
    }
    assert_eq!(new_app.line()["type"], "created");
    assert_eq!(new_app.line()["installation"]["account"], "developer");
    let (_, stderr, code) = new_app.end();
    assert_eq!(code, Some(0), "{stderr}");
    desk.github.stop().await;
}
