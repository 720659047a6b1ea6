//! The REST API judged by schemathesis: whatever the document allows is answered as it says, whatever
//! it forbids is refused, and nothing is answered with 5xx.

use std::process::Command;
use std::time::Instant;

use crate::recipes::stage::Stage;
use crate::recipes::world::API_KEY;
use crate::support::pg::TestDb;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_documented_on_sqlite() {
    judge(Stage::start(TestDb::sqlite().await).await, 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_documented_on_postgres() {
    judge(Stage::start(TestDb::postgres().await).await, 5).await;
}

/// Schemathesis on a server that has something of everything.
async fn judge(stage: Stage, examples: u32) {
    let world = &stage.world;
    stage.open_recipe("sst").await;
    stage.settled().await;
    let run = json!({ "recipe_id": "r", "bakery_id": 1, "feedstock_id": 1, "head_sha": "abc", "version": "",
                      "started_at": "2022-09-19T16:31:43Z", "status": "completed", "conclusion": "success",
                      "dataset_public_url": "https://data.example.org/r.zarr" });
    assert_eq!(world.admin("POST", "/recipe_runs", run).await.0, 200);
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/schemathesis.toml");
    let python = std::env::var_os("PFORGE_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&python);
    command
        .args(["-m", "schemathesis.cli", "--config-file", config, "run", "--no-color"])
        .arg(format!("{}/openapi.json", world.url))
        .args(["--header", &format!("X-API-Key: {API_KEY}"), "--seed", "1"])
        .args(["--max-examples", &examples.to_string()])
        .current_dir(folder.path());
    let begun = Instant::now();
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|e| panic!("{} is required (PFORGE_TEST_PYTHON): {e}", python.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "after {:?}:\n{text}\n{errors}", begun.elapsed());
    // That it judged anything at all.
    assert!(text.contains("Operations:") && text.contains("No issues found"), "{text}");
}
