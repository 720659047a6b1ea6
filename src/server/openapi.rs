//! The OpenAPI document: every route of the server and its apps.

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::routes;
use crate::apps::{App, HookContract};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pangeo Forge Cloud API",
        description = "Webhooks, deliveries, jobs, and the REST APIs of the hosted apps. Every path answers with and without a trailing slash.",
        license(name = "MIT", identifier = "MIT")
    ),
    modifiers(&AdminKey)
)]
struct Base;

struct AdminKey;

impl utoipa::Modify for AdminKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description("X-API-Key", "The admin key.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// The document for a server with these `apps`.
pub fn document(apps: &[Arc<dyn App>]) -> Value {
    let mut document = Base::openapi().merge_from(routes::own().into_openapi());
    for app in apps {
        document.merge(app.routes().into_openapi());
    }
    // A document that has no JSON form would be a bug in utoipa; an empty one shows it.
    let mut value = serde_json::to_value(document).unwrap_or_default();
    for app in apps {
        value["paths"][app.hook().path] = json!({ "post": hook(app.name(), &app.hook()) });
    }
    complete(&mut value);
    value
}

/// Adds to each operation what follows from the rest: a unique id (handlers of two apps may have
/// the same name), and the answers of the admin check.
fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let id = std::iter::once(method.as_str()).chain(words).collect::<Vec<_>>().join("_");
            operation["operationId"] = Value::String(id);
            if operation.get("security").is_some() {
                operation["responses"]["401"] = json!({ "description": "The key is wrong" });
                operation["responses"]["403"] = json!({ "description": "No key" });
            }
        }
    }
}

/// A webhook endpoint. Its schema is GitHub's and not repeated here: no field is required.
fn hook(app: &str, contract: &HookContract) -> Value {
    let header = |name: &str, required: bool, description: &str| {
        json!({ "name": name, "in": "header", "required": required, "description": description,
                "schema": { "type": "string" } })
    };
    let answer = |description: &str, example: &Value| json!({ "description": description, "content": { "application/json": { "schema": {}, "example": example } } });
    let error = |text: &str| answer(text, &json!({ "detail": text }));
    let (missing, bad) = (&contract.missing_signature, &contract.bad_signature);
    let mut responses = json!({
        "2XX": { "description": "Stored, and decided as the body says",
                 "content": { "application/json": { "schema": {} } } },
        "400": error("A header or the body is not what a delivery has."),
        "408": error("The body did not arrive in time."),
        "413": error("The body is too large."),
        "415": error("The content type must be application/json or application/x-www-form-urlencoded."),
        "503": error("The delivery was not stored. Try again later."),
    });
    responses[missing.0.as_str()] = answer("No signature", &missing.1);
    if missing.0 == bad.0 {
        responses[bad.0.as_str()] = json!({ "description": "No signature, or a wrong one", "content": { "application/json": {
            "schema": {},
            "examples": { "missing": { "value": missing.1 }, "wrong": { "value": bad.1 } },
        } } });
    } else {
        responses[bad.0.as_str()] = answer("Wrong signature", &bad.1);
    }
    json!({
        "tags": ["webhooks"],
        "summary": format!("Webhook of the app {app}"),
        "description": "Takes a delivery from GitHub. The signature is over the exact bytes of the body.",
        "parameters": [
            header("X-Hub-Signature-256", true, "`sha256=` and the hex HMAC-SHA256 of the body"),
            header("X-GitHub-Event", true, "Name of the event, up to 64 of `a-z0-9_.-`"),
            header("X-GitHub-Delivery", true, "GUID of the delivery, up to 128 visible characters"),
            header("X-GitHub-Hook-ID", false, "Id of the webhook configuration"),
        ],
        "requestBody": { "required": true, "content": {
            "application/json": { "schema": { "type": "object" } },
            "application/x-www-form-urlencoded": { "schema": { "type": "object",
                "properties": { "payload": { "type": "string" } } } },
        } },
        "responses": responses,
    })
}
