//! The whole way by HTTP: page, GitHub, credentials, installation.

use serde_json::Value;

use super::{CONFIG, Desk, mode};
use crate::support::sops::sops;

#[tokio::test(flavor = "multi_thread")]
async fn from_the_page_to_the_installation() {
    let desk = Desk::encrypting().await;
    desk.env.write(CONFIG, "# of alice\nfastapi:\n    PANGEO_FORGE_API_KEY: \"0123\"   # old\nmine: [1, 2]\n");
    desk.env.line(&format!("secrets encrypt -i {CONFIG}")).success();
    let mut new_app = desk.new_app("developer local --install-timeout 60s");
    let page = new_app.url().to_owned();
    assert!(page.starts_with("http://localhost:") && page.ends_with("/authorize.html"), "{page}");
    let site = page.trim_end_matches("/authorize.html").to_owned();

    // The page: readable, one button, which leads to GitHub only.
    let shown = desk.get(&page).await;
    assert_eq!(shown.status, 200);
    for part in ["pforge-local-developer", "pull_requests", "issue_comment", "https://example.com/github/events"] {
        assert!(shown.html.contains(part), "{part}");
    }
    assert!(shown.policy.contains(&format!("form-action {};", desk.github.base)), "{}", shown.policy);
    assert!(shown.policy.starts_with("default-src 'none'"));
    assert_eq!(desk.get(&page).await.html, shown.html, "a refresh shows the same");
    assert_eq!(desk.get(&format!("{site}/")).await.html, shown.html);

    // Nobody else gets anywhere.
    let code = desk.create(&page).await;
    let elsewhere = |host: &str| desk.browser.get(&page).header("host", host.to_owned());
    for host in ["evil.example", "localhost:1", "pforge.localhost"] {
        assert_eq!(desk.got(elsewhere(host)).await.status, 403, "{host}");
    }
    assert_eq!(desk.got(desk.browser.post(&code)).await.status, 405);
    assert_eq!(desk.get(&format!("{site}/secrets")).await.status, 404);
    let (before, state) = code.split_once("&state=").expect("a state");
    let wrong = [format!("{before}&state={}", state.replace(|c: char| c.is_ascii_digit(), "a")), before.to_owned()];
    for url in wrong {
        let refused = desk.get(&url).await;
        assert_eq!((refused.status, refused.html.contains("This did not start here")), (400, true), "{url}");
    }
    assert_eq!(desk.get(&format!("{site}/redirect.html?state={state}")).await.status, 400);
    let converted = async || {
        let calls = desk.github.person.calls().await.expect("calls");
        calls.iter().filter(|call| call.to_string().contains("app-manifests")).count()
    };
    assert_eq!(converted().await, 0, "no code was used");

    // GitHub brings the browser back; a refresh shows the same and converts nothing.
    let created = desk.get(&code).await;
    assert!(created.html.contains("Authorization complete!") && created.html.contains(CONFIG), "{}", created.html);
    assert!(created.html.contains("/apps/pforge-local-developer/installations/new"));
    assert_eq!(desk.get(&code).await.html, created.html);
    assert_eq!(desk.get(&page).await.html, created.html);
    assert_eq!(converted().await, 1);
    let told = new_app.line();
    assert_eq!((&told["type"], &told["encrypted"]), (&"created".into(), &true.into()), "{told}");

    // The terminal waits for the installation.
    let slug = told["slug"].as_str().expect("slug");
    desk.github.person.install(slug, "developer", None).await.expect("installed");
    let done = new_app.line();
    assert_eq!((&done["type"], &done["installation"]["account"]), (&"done".into(), &"developer".into()), "{done}");
    assert_eq!(done["repositories"], 0);
    let (_, stderr, code) = new_app.end();
    assert_eq!(code, Some(0), "{stderr}");

    // What was in the file is still there; real sops opens it; and pforge speaks as the App.
    let (identity, _) = super::identity();
    let opened = sops().args(["-d"]).arg(desk.path(CONFIG)).env("SOPS_AGE_KEY", identity).output().expect("sops");
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let config: Value = serde_yaml::from_slice(&opened.stdout).expect("YAML");
    assert_eq!(config["fastapi"]["PANGEO_FORGE_API_KEY"], "0123");
    assert_eq!(config["mine"], serde_json::json!([1, 2]));
    let app = &config["github_app"];
    let keys: Vec<&String> = app.as_object().expect("a mapping").keys().collect();
    let expected = [
        "api_url",
        "app_name",
        "client_id",
        "client_secret",
        "html_url",
        "id",
        "owner",
        "private_key",
        "slug",
        "webhook_secret",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&app["id"], &app["app_name"]), (&told["id"], &"pforge-local-developer".into()));
    assert!(app["private_key"].as_str().expect("text").starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let shown = desk.env.line("app show --json").success().json();
    assert_eq!((&shown["key_fingerprint"], &shown["id"]), (&told["key_fingerprint"], &told["id"]));
    assert!(stderr.is_empty() || !stderr.contains("PRIVATE KEY"));

    // A second one is refused before anybody is asked: GitHub would not answer any more.
    let mut env = desk.env;
    env.set("GITHUB_API_URL", "http://127.0.0.1:1");
    insta::assert_snapshot!("a second app", env.line("new-app developer local --port 0"));
    desk.github.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_and_a_file_in_clear() {
    let desk = Desk::new().await;
    let config = "secrets/config.pforge-pr-80.yaml";
    let before = "# others\nother:   {a: 1}   # as it is\n\ngithub_app:\n\nlast: 'x'\n";
    desk.env.write(config, before);
    desk.env.write("pforge.yaml", "manifest:\n  url: https://example.org/\n  default_events: [push]\n  description:\n");
    let mut new_app = desk.new_app("PANGEO-FORGE review 80 --no-install");
    assert_eq!(new_app.ready["owner"], "pangeo-forge", "GitHub knows its kind and how it is written");
    let page = new_app.url().to_owned();
    assert!(desk.get(&page).await.html.contains("/organizations/pangeo-forge/settings/apps/new?state="));
    assert_eq!(desk.get(&desk.create(&page).await).await.status, 200);
    assert_eq!(new_app.line()["owner"], "pangeo-forge");
    assert_eq!(new_app.line()["installation"], Value::Null);
    let (_, stderr, code) = new_app.end();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(mode(&desk.path(config)), 0o600, "a file with a key in clear becomes private");
    let text = desk.read(config);
    let (start, rest) = before.split_once("github_app:\n").expect("a section");
    assert!(text.starts_with(&format!("{start}github_app:\n    api_url: http://127.0.0.1:")), "{text}");
    assert!(text.ends_with(rest), "{text}");
    assert!(text.contains("    private_key: |\n        -----BEGIN RSA PRIVATE KEY-----\n"), "{text}");
    let shown = desk.env.line("app show --json").success().json();
    assert_eq!(
        (&shown["external_url"], &shown["events"]),
        (&"https://example.org/".into(), &serde_json::json!(["push"]))
    );
    assert!(
        shown["settings_url"]
            .as_str()
            .expect("text")
            .contains("/organizations/pangeo-forge/settings/apps/pforge-pr-80")
    );
    desk.github.stop().await;
}
