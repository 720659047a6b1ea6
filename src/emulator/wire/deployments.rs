//! Deployments on the wire.

use serde_json::{Value, json};

use crate::emulator::state::{Deployment, DeploymentStatus, Repo};
use crate::emulator::wire::{Wire, node_id, time};

impl Wire<'_> {
    /// A deployment.
    pub fn deployment(&self, repo: &Repo, deployment: &Deployment) -> Value {
        let url = self.deployment_url(repo, deployment);
        json!({
            "url": url,
            "id": deployment.id,
            "node_id": node_id("Deployment", deployment.id),
            "task": deployment.task,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "created_at": time(deployment.created_at),
            "updated_at": time(deployment.updated_at),
            "statuses_url": format!("{url}/statuses"),
            "repository_url": self.repo_url(repo),
            "creator": self.user(deployment.creator),
            "sha": deployment.sha,
            "ref": deployment.reference,
            "payload": deployment.payload,
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
            "performed_via_github_app": self.through(deployment.app),
        })
    }

    /// A status of a deployment.
    pub fn deployment_status(&self, repo: &Repo, deployment: &Deployment, status: &DeploymentStatus) -> Value {
        let url = self.deployment_url(repo, deployment);
        json!({
            "url": format!("{url}/statuses/{}", status.id),
            "id": status.id,
            "node_id": node_id("DeploymentStatus", status.id),
            "state": status.state,
            "creator": self.user(status.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url,
            "created_at": time(status.created_at),
            "updated_at": time(status.created_at),
            "deployment_url": url,
            "repository_url": self.repo_url(repo),
            "environment_url": status.environment_url,
            "log_url": status.log_url,
            "performed_via_github_app": self.through(status.app),
        })
    }

    fn deployment_url(&self, repo: &Repo, deployment: &Deployment) -> String {
        format!("{}/deployments/{}", self.repo_url(repo), deployment.id)
    }

    fn through(&self, app: Option<i64>) -> Value {
        app.and_then(|id| self.world.apps.get(&id)).map_or(Value::Null, |app| self.app(app))
    }
}
