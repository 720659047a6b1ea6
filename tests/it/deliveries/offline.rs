//! One side, the other, or neither.

use super::stage::{PATIENCE, Stage, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_there_is_asked() {
    let mut stage = Stage::start().await;
    stage.open("first").await;
    stage.person.settled(PATIENCE).await.unwrap();
    let list = "deliveries list --event pull_request --json";
    let guid = stage.run(list).ok().json()["items"][0]["guid"].as_str().unwrap().to_owned();
    stage.serve.terminate();

    // A server that was named is the one that is meant; without a name the database will do.
    assert_eq!(run(&stage.site, &[("PFORGE_SERVER", &stage.serve.url)], "deliveries list --local").code, Some(6));
    let nowhere = "http://127.0.0.1:9";
    let said = run(&stage.site, &[], list).ok();
    let item = &said.json()["items"][0];
    assert_eq!((&item["guid"], &item["local"]["event"]), (&guid.as_str().into(), &"pull_request".into()), "{item:#}");
    assert!(said.err.contains("reading its database instead"), "{}", said.err);
    let said = run(&stage.site, &[], &format!("deliveries explain {guid}")).ok();
    assert!(said.out.contains("/check-runs") && said.out.contains("└─ check run  http"), "{}", said.out);

    // The database is only looked at: a file that is not there is not made.
    let missing = stage.site.root.path().join("missing.sqlite");
    let url = format!("sqlite://{}", missing.display());
    let said = run(&stage.site, &[("DATABASE_URL", &url)], list).ok();
    assert_eq!(said.json()["items"][0]["local"], serde_json::Value::Null);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(said.err.starts_with("Only GitHub's log: "), "{}", said.err);
    assert!(!missing.exists());

    let away = [("GITHUB_API_URL", nowhere)];
    let said = run(&stage.site, &away, list).ok();
    assert_eq!(said.json()["items"][0]["github"], serde_json::json!([]));
    assert!(said.err.contains("Only the local store: "), "{}", said.err);
    let said = run(&stage.site, &[("GITHUB_API_URL", nowhere), ("DATABASE_URL", &url)], list);
    assert_eq!(said.code, Some(6), "{said:#?}");
    let said = run(&stage.site, &away, &format!("deliveries show {guid} --raw")).ok();
    assert_eq!(said.json()["action"], "opened");
}
