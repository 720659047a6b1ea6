//! What is wrong before anybody is asked: the manifest, the command line, the account.

use super::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_with_faults_is_told_whole() {
    let desk = Desk::new().await;
    desk.env.write(
        "pforge.yaml",
        "manifest:\n  name: the-app-with-a-name-that-is-too-long\n  hook_attributes: {url: http://localhost:8000/}\n  \
         callback_urls: [x, 'https://example.com']\n  default_events: [push, pull_requests]\n  \
         default_permissions: {pull_request: write, issues: all}\n  webhook_secret: hunter2\n",
    );
    let output = desk.env.line("new-app developer local --dry-run");
    assert!(!output.to_string().contains("hunter2"));
    insta::assert_snapshot!("faults", output);
    desk.env.write("own.json", "{\"url\": \"https://example.org\", \"name\": \"mine\", \"public\": true}");
    insta::assert_snapshot!(
        "dry run",
        desk.env
            .line("new-app developer local --manifest own.json --dry-run")
            .to_string()
            .replace(&desk.github.base, "[GITHUB]")
    );
    let planned = desk.env.line("new-app pangeo-forge staging --manifest own.json --dry-run --json").success().json();
    assert_eq!(
        (&planned["config"], &planned["manifest"]["public"]),
        (&"secrets/config.mine.yaml".into(), &true.into())
    );
    let calls = desk.github.person.calls().await.expect("calls");
    assert!(calls.iter().all(|call| call.to_string().contains("/users/")), "only the account was looked at: {calls:?}");
    desk.github.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_line_says_what_is_right() {
    let desk = Desk::new().await;
    desk.env.write("pforge.yaml", "manifest: [1\n");
    let mut seen = String::new();
    for line in [
        "new-app developer local --dry-run",
        "new-app developer local --dry-run --manifest none.yaml",
        "new-app developer review",
        "new-app nobody local --manifest empty.yaml --port 0",
        "new-app developer local 80 --manifest empty.yaml --port 0",
        "new-app pangeo-forge prod --manifest empty.yaml --port 0",
    ] {
        desk.env.write("empty.yaml", "");
        seen += &desk.env.line(line).to_string();
    }
    insta::assert_snapshot!("usage", seen.replace(&desk.github.base, "[GITHUB]"));
    desk.github.stop().await;
}
