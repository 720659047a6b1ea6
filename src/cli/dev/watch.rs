//! Notices that a config file changed.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(500);

/// Returns when `path` has other content than it had at the call. An editor replaces the file, so
/// that for a moment there may be none.
pub async fn changed(path: &Path) {
    let first = mark(path).await;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = mark(path).await;
        if now.is_some() && now != first {
            return;
        }
    }
}

/// Time and size: enough to notice an edit.
async fn mark(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = tokio::fs::metadata(path).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
