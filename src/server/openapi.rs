//! The OpenAPI document: every route of the server and its apps.

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::routes;
use crate::apps::http_api::Problem;
use crate::apps::{App, HookContract};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pangeo Forge Cloud API",
        description = "Webhooks, deliveries, jobs, and the REST APIs of the hosted apps. Every path answers with and without a trailing slash.",
        license(name = "MIT", identifier = "MIT")
    ),
    tags(
        (name = "feedstocks", description = "Repositories with recipes"),
        (name = "bakeries", description = "Where recipes are run"),
        (name = "recipe runs", description = "One for each recipe at each commit, with its attempts and logs"),
        (name = "stats", description = "How many there are"),
        (name = "repr", description = "Pages of datasets, which need Python"),
        (name = "webhooks", description = "Where GitHub delivers events"),
        (name = "deliveries", description = "What was received"),
        (name = "deliveries at GitHub", description = "What GitHub says that it sent"),
        (name = "jobs", description = "The work queue"),
        (name = "health", description = "Is it alive, is it ready, how is it doing"),
        (name = "server", description = "What happens, as it happens"),
    ),
    components(schemas(Problem)),
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
    bound(&mut value);
    value
}

/// Says in numbers what the format of an integer says by name: many readers ignore formats.
fn bound(document: &mut Value) {
    match document {
        Value::Object(map) => {
            let integer = match map.get("type") {
                Some(Value::String(kind)) => kind == "integer",
                Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "integer"),
                _ => false,
            };
            if integer {
                let short = map.get("format").is_some_and(|format| format == "int32");
                let (least, most) =
                    if short { (i64::from(i32::MIN), i64::from(i32::MAX)) } else { (i64::MIN, i64::MAX) };
                map.entry("minimum").or_insert_with(|| least.into());
                map.entry("maximum").or_insert_with(|| most.into());
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds to each operation what follows from the rest: a unique id (handlers of two apps may have
/// the same name), the answers that all of its kind can give, and the form of every error.
fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let id = std::iter::once(method.as_str()).chain(words).collect::<Vec<_>>().join("_");
            operation["operationId"] = Value::String(id);
            for (status, description) in common(method, operation) {
                if operation["responses"].get(status).is_none() {
                    operation["responses"][status] = json!({ "description": description });
                }
            }
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                if status.starts_with(['4', '5']) && response.get("content").is_none() {
                    response["content"]["application/json"] = problem(status, response["description"].as_str());
                }
            }
        }
    }
}

/// Answers that an operation can give because of what it takes and needs.
fn common(method: &str, operation: &Value) -> Vec<(&'static str, &'static str)> {
    let has = |name: &str| operation.get(name).is_some_and(|value| !value.is_null());
    let mut common = vec![("503", "Too many requests at a time, or the database is not available")];
    if has("security") {
        common.push(("401", "The key is wrong"));
        common.push(("403", "There is no key"));
    }
    if has("parameters") || has("requestBody") {
        common.push(("422", "A parameter or a field of the body is not valid"));
    }
    if has("requestBody") {
        common.push(("400", "The body could not be read"));
        common.push(("408", "The body did not arrive in time"));
        common.push(("413", "The body is too large"));
    }
    if method == "get" && operation.pointer("/responses/200/content/application~1json").is_some() {
        common.push(("304", "It is still what the `If-None-Match` header names"));
    }
    common
}

/// The content of an error.
fn problem(status: &str, description: Option<&str>) -> Value {
    let detail = match status {
        "401" => json!("Invalid API Key"),
        "403" => json!("Not authenticated"),
        "422" => {
            json!([{ "loc": ["query", "limit"], "msg": "value is not a valid integer", "type": "type_error.integer" }])
        }
        _ => json!(format!("{}.", description.unwrap_or_default())),
    };
    json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": { "detail": detail } })
}

/// A webhook endpoint. Its schema is GitHub's and not repeated here: no field is required.
fn hook(app: &str, contract: &HookContract) -> Value {
    let header = |name: &str, required: bool, description: &str| {
        json!({ "name": name, "in": "header", "required": required, "description": description,
                "schema": { "type": "string" } })
    };
    let answer = |description: &str, example: &Value| json!({ "description": description, "content": { "application/json": { "schema": {}, "example": example } } });
    let error = |text: &str| json!({ "description": text.trim_end_matches('.') });
    let (missing, bad) = (&contract.missing_signature, &contract.bad_signature);
    let mut responses = json!({
        "2XX": { "description": "Stored, and decided as the body says",
                 "content": { "application/json": { "schema": {}, "example": { "status": "ok" } } } },
        "501": error("Stored; the app does not handle this event."),
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
