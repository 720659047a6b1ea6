//! The headers that GitHub sends with a webhook.
//!
//! Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>

/// Name of the event, such as `pull_request`.
pub const EVENT: &str = "x-github-event";
/// GUID of the event; a redelivery repeats it.
pub const DELIVERY: &str = "x-github-delivery";
/// Id of the webhook configuration.
pub const HOOK_ID: &str = "x-github-hook-id";
/// Id of what the hook is installed on: for an App's hook, the App's id.
pub const HOOK_TARGET_ID: &str = "x-github-hook-installation-target-id";
/// Kind of what the hook is installed on: `integration` for an App's hook.
pub const HOOK_TARGET_TYPE: &str = "x-github-hook-installation-target-type";
/// `sha256=` and the hex HMAC-SHA256 of the body.
pub const SIGNATURE_256: &str = "x-hub-signature-256";
/// The legacy SHA-1 signature; pforge sends it where GitHub would and never accepts it.
pub const SIGNATURE_1: &str = "x-hub-signature";
