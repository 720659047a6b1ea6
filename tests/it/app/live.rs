//! `app show` and `app diff`.

use serde_json::json;

use super::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn differences_and_approvals_are_listed() {
    let desk = Desk::new().await;
    let new_app = desk.new_app("developer local --no-install");
    desk.get(&desk.create(new_app.url()).await).await;
    let (rest, stderr, code) = new_app.end();
    assert_eq!(code, Some(0), "{rest}{stderr}");
    desk.github.person.install("pforge-local-developer", "developer", None).await.expect("installed");
    let told = |line: &str| {
        let output = desk.env.line(line).to_string();
        let hidden = regex::Regex::new(r"SHA256:\S+|Iv[0-9a-zA-Z]+|#\d+|\b10\d\d\b").expect("a pattern");
        hidden.replace_all(&output.replace(&desk.github.base, "[GITHUB]"), "[ID]").into_owned()
    };
    insta::assert_snapshot!("show", told("app show"));
    insta::assert_snapshot!("same", told("app diff"));
    desk.env.write(
        "pforge.yaml",
        "manifest:\n  hook_attributes: {url: 'https://example.org/github/hooks/'}\n  default_events: [push, pull_request]\n  \
         default_permissions: {checks: read, contents: write, pull_requests: write}\n  description: mine\n",
    );
    insta::assert_snapshot!("differs", told("app diff"));
    let report = desk.env.line("app diff --json");
    assert_eq!(report.code, Some(1));
    assert_eq!(report.json()["same"], json!(false));
    assert_eq!(report.json()["differences"][0]["path"], "description");
    desk.github.stop().await;
}
