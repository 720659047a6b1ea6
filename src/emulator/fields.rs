//! Reading a JSON body with the words that GitHub uses when it does not fit.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::emulator::error::ApiError;

/// The fields of an object in a body. A field that is `null` counts as not given.
#[derive(Clone, Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The object in `value`; anything else is refused.
    ///
    /// # Errors
    /// 422 naming the value.
    pub fn of(value: Value) -> Result<Self, ApiError> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            other => Err(ApiError::invalid_request(format!("{other} is not an object."))),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|v| !v.is_null())
    }

    /// A string.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn string(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.typed(name, "a string", |v| v.as_str().map(str::to_owned))
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// 422 when it is not, or for another type.
    pub fn required(&self, name: &str) -> Result<String, ApiError> {
        self.string(name)?.ok_or_else(|| missing(name))
    }

    /// A string of at most `max` characters.
    ///
    /// # Errors
    /// 422 when it is longer, or for another type.
    pub fn short(&self, name: &str, max: usize) -> Result<Option<String>, ApiError> {
        let text = self.string(name)?;
        let length = text.as_ref().map_or(0, |t| t.chars().count());
        if length > max {
            return Err(ApiError::invalid_request(format!(
                "Only {max} characters are allowed; {length} were supplied."
            )));
        }
        Ok(text)
    }

    /// One of `allowed`.
    ///
    /// # Errors
    /// 422 for anything else.
    pub fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<String>, ApiError> {
        let text = self.string(name)?;
        if let Some(text) = text.as_deref().filter(|t| !allowed.contains(t)) {
            return Err(ApiError::invalid_request(format!("{text} is not a member of {allowed:?}.")));
        }
        Ok(text)
    }

    /// A boolean.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, "a boolean", Value::as_bool)
    }

    /// An integer.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, "an integer", Value::as_i64)
    }

    /// A time.
    ///
    /// # Errors
    /// 422 for anything else.
    pub fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let time = DateTime::parse_from_rfc3339(&text)
            .map_err(|_| ApiError::invalid_request(format!("{text} is not a valid date-time.")))?;
        Ok(Some(time.with_timezone(&Utc)))
    }

    /// An object.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn object(&self, name: &str) -> Result<Option<Self>, ApiError> {
        self.typed(name, "an object", |v| v.as_object().map(|map| Self(map.clone())))
    }

    /// A list of at most `max` things.
    ///
    /// # Errors
    /// 422 when it is longer, or for another type.
    pub fn list(&self, name: &str, max: usize) -> Result<Option<Vec<Value>>, ApiError> {
        let list = self.typed(name, "an array", |v| v.as_array().cloned())?;
        let length = list.as_ref().map_or(0, Vec::len);
        if length > max {
            return Err(ApiError::invalid_request(format!(
                "No more than {max} items are allowed; {length} were supplied."
            )));
        }
        Ok(list)
    }

    /// A list of strings; objects with a `name`, as labels may be, count as their name.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn strings(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let text = |v: &Value| v.as_str().or_else(|| v["name"].as_str()).map(str::to_owned);
        self.typed(name, "an array of strings", |v| v.as_array().and_then(|list| list.iter().map(text).collect()))
    }

    /// A list of integers.
    ///
    /// # Errors
    /// 422 for another type.
    pub fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, ApiError> {
        self.typed(name, "an array of integers", |v| {
            v.as_array().and_then(|list| list.iter().map(Value::as_i64).collect())
        })
    }

    /// The raw value.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }

    fn typed<T>(&self, name: &str, kind: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value)
            .map(Some)
            .ok_or_else(|| ApiError::invalid_request(format!("For 'properties/{name}', {value} is not {kind}.")))
    }
}

/// 422 for a field that must be there.
pub fn missing(name: &str) -> ApiError {
    ApiError::invalid_request(format!("\"{name}\" wasn't supplied."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Fields;

    #[test]
    fn github_says_what_is_wrong() {
        let fields = Fields::of(json!({"name": 1, "status": "done", "text": "abc", "list": [1, 2], "at": "noon"}))
            .expect("an object");
        let said = [
            fields.required("name").map(drop),
            fields.required("head_sha").map(drop),
            fields.one_of("status", &["queued", "completed"]).map(drop),
            fields.short("text", 2).map(drop),
            fields.list("list", 1).map(drop),
            fields.time("at").map(drop),
        ]
        .map(|r| r.expect_err("refused").message.trim_start_matches("Invalid request.\n\n").to_owned());
        assert_eq!(
            said,
            [
                "For 'properties/name', 1 is not a string.",
                "\"head_sha\" wasn't supplied.",
                "done is not a member of [\"queued\", \"completed\"].",
                "Only 2 characters are allowed; 3 were supplied.",
                "No more than 1 items are allowed; 2 were supplied.",
                "noon is not a valid date-time.",
            ]
        );
    }
}
