//! Counters for Prometheus, in a registry of their own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::reconcile::Reconciled;
use crate::jobs::runner::JobEvent;
use crate::store::jobs::QueueDepth;

/// `Content-Type` of the text that [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Label of a delivery whose signature was not right, whatever event it claimed to be.
pub const UNVERIFIED: &str = "unverified";

/// Counters and how they are told. The counters share their values with the registry.
pub struct Metrics {
    registry: Registry,
    deliveries: Family<DeliveryLabels, Counter>,
    ingest: Histogram,
    jobs: Family<JobLabels, Counter>,
    job_seconds: Histogram,
    shed: Counter,
    reconciled: Family<ReconciledLabels, Counter>,
    reconcile_runs: Family<RunLabels, Counter>,
    ready: Gauge,
    running: Gauge,
    dead: Gauge,
    oldest_due: Gauge<f64, std::sync::atomic::AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    app: &'static str,
    event: &'static str,
    answer: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    kind: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconciledLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    outcome: &'static str,
}

impl Metrics {
    /// Counters at zero, for a process that began at `started`.
    pub fn new(started: DateTime<Utc>) -> Self {
        let mut registry = Registry::default();
        let ingest = Histogram::new(exponential_buckets(0.0005, 2.0, 15));
        let job_seconds = Histogram::new(exponential_buckets(0.01, 4.0, 9));
        let metrics = Self {
            deliveries: Family::default(),
            ingest: ingest.clone(),
            jobs: Family::default(),
            job_seconds: job_seconds.clone(),
            shed: Counter::default(),
            reconciled: Family::default(),
            reconcile_runs: Family::default(),
            ready: Gauge::default(),
            running: Gauge::default(),
            dead: Gauge::default(),
            oldest_due: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("pforge_deliveries", "Deliveries by event and answer", metrics.deliveries.clone());
        registry.register("pforge_ingest_seconds", "From the head of a delivery to its answer", ingest);
        registry.register("pforge_jobs", "Attempts of jobs by how they ended", metrics.jobs.clone());
        registry.register("pforge_job_seconds", "How long attempts of jobs took", job_seconds);
        registry.register("pforge_requests_shed", "Requests refused because of too many", metrics.shed.clone());
        registry.register(
            "pforge_reconciled",
            "Deliveries that GitHub could not deliver, by what became of them",
            metrics.reconciled.clone(),
        );
        registry.register(
            "pforge_reconcile_runs",
            "Looks at GitHub's log of deliveries by how they ended",
            metrics.reconcile_runs.clone(),
        );
        registry.register("pforge_queue_ready", "Jobs waiting", metrics.ready.clone());
        registry.register("pforge_queue_running", "Jobs leased", metrics.running.clone());
        registry.register("pforge_queue_dead", "Jobs that gave up", metrics.dead.clone());
        registry.register(
            "pforge_queue_oldest_due_seconds",
            "How long the oldest due job has waited",
            metrics.oldest_due.clone(),
        );
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        let started = ConstGauge::new(started.timestamp() as f64);
        registry.register("process_start_time_seconds", "Start of the process since the Unix epoch", started);
        Self { registry, ..metrics }
    }

    /// One delivery was answered.
    pub fn delivery(&self, app: &'static str, event: &str, answer: u16, took: Duration) {
        let labels = DeliveryLabels { app, event: event_class(event), answer };
        self.deliveries.get_or_create(&labels).inc();
        self.ingest.observe(took.as_secs_f64());
    }

    /// A request was refused because too many were being worked on.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// What GitHub could not deliver was looked for; `None` when that failed.
    pub fn reconciled(&self, report: Option<&Reconciled>) {
        let outcome = if report.is_some() { "ok" } else { "failed" };
        self.reconcile_runs.get_or_create(&RunLabels { outcome }).inc();
        let Some(report) = report else { return };
        for (outcome, count) in [("processed", report.processed), ("refused", report.refused), ("gone", report.gone)] {
            self.reconciled.get_or_create(&ReconciledLabels { outcome }).inc_by(count);
        }
    }

    /// An attempt of a job began or ended.
    pub fn job(&self, event: &JobEvent) {
        if event.what == "started" {
            return;
        }
        self.jobs.get_or_create(&JobLabels { kind: event.kind.clone(), outcome: event.what }).inc();
        self.job_seconds.observe(Duration::from_millis(event.took_ms).as_secs_f64());
    }

    /// The text for Prometheus, with the queue as it is now.
    ///
    /// # Errors
    /// Never in practice: writing to a `String` does not fail.
    pub fn encode(&self, depth: QueueDepth) -> Result<String, std::fmt::Error> {
        self.ready.set(clamp(depth.ready));
        self.running.set(clamp(depth.running));
        self.dead.set(clamp(depth.dead));
        self.oldest_due.set(depth.oldest_due_seconds);
        let mut text = String::with_capacity(8192);
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A label of bounded variety: a sender that knows the secret may still invent events.
fn event_class(event: &str) -> &'static str {
    if event == UNVERIFIED {
        return UNVERIFIED;
    }
    EVENTS.binary_search(&event).ok().and_then(|at| EVENTS.get(at)).copied().unwrap_or("other")
}

/// The events that GitHub describes, and `dataflow` (the bakeries'). Sorted.
/// Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
const EVENTS: &[&str] = &[
    "branch_protection_configuration",
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "code_scanning_alert",
    "commit_comment",
    "create",
    "custom_property",
    "custom_property_values",
    "dataflow",
    "delete",
    "dependabot_alert",
    "deploy_key",
    "deployment",
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "github_app_authorization",
    "gollum",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_comment",
    "issue_dependencies",
    "issues",
    "label",
    "marketplace_purchase",
    "member",
    "membership",
    "merge_group",
    "meta",
    "milestone",
    "org_block",
    "organization",
    "package",
    "page_build",
    "personal_access_token_request",
    "ping",
    "project",
    "project_card",
    "project_column",
    "projects_v2",
    "projects_v2_item",
    "projects_v2_status_update",
    "public",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "registry_package",
    "release",
    "repository",
    "repository_advisory",
    "repository_dispatch",
    "repository_import",
    "repository_ruleset",
    "repository_vulnerability_alert",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "secret_scanning_scan",
    "security_advisory",
    "security_and_analysis",
    "sponsorship",
    "star",
    "status",
    "sub_issues",
    "team",
    "team_add",
    "watch",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_bounded_variety() {
        assert!(EVENTS.is_sorted(), "binary search needs it");
        assert_eq!(event_class("pull_request"), "pull_request");
        assert_eq!(event_class("invented"), "other");
        assert_eq!(event_class(UNVERIFIED), UNVERIFIED);
    }

    #[test]
    fn the_text_holds_what_was_counted() {
        let metrics = Metrics::new(DateTime::from_timestamp(1_700_000_000, 0).expect("time"));
        metrics.delivery("recipes", "ping", 202, Duration::from_millis(3));
        metrics.shed();
        let depth = QueueDepth { ready: 4, ..QueueDepth::default() };
        let text = metrics.encode(depth).expect("text");
        for line in [
            r#"pforge_deliveries_total{app="recipes",event="ping",answer="202"} 1"#,
            "pforge_requests_shed_total 1",
            "pforge_queue_ready 4",
            "pforge_ingest_seconds_count 1",
            "process_start_time_seconds 1700000000",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
    }
}
