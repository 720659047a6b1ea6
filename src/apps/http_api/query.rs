//! Query parameters: typed, bounded, and refused with 422 in the form of the FastAPI clients.

use std::convert::Infallible;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ApiError;

/// Which part of a list is wanted, as it came: not checked yet.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(from = "Vec<(String, String)>")]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many rows to leave out. Default 0. The further it goes the longer it takes: `after` does not.
    #[param(value_type = Option<i64>, minimum = 0)]
    offset: Option<String>,
    /// How many rows at most. Default 100.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// Column to order by. Default `id`.
    order_by: Option<String>,
    /// `asc` (default) or `desc`.
    #[param(inline, value_type = Option<Sort>)]
    sort: Option<String>,
    /// Only rows with a greater id (`sort=desc`: a smaller one): the way through a long list, whose
    /// full pages have it in their `Link` header.
    #[param(value_type = Option<i64>)]
    after: Option<String>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only a schema: the query is read as text")]
enum Sort {
    /// The smallest first.
    Asc,
    /// The greatest first.
    Desc,
}

impl From<Vec<(String, String)>> for PageQuery {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "offset" => query.offset = Some(value),
                "limit" => query.limit = Some(value),
                "order_by" => query.order_by = Some(value),
                "sort" => query.sort = Some(value),
                "after" => query.after = Some(value),
                _ => {}
            }
        }
        query
    }
}

/// Which part of a list is wanted, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many rows to leave out, 0 or more.
    pub offset: i64,
    /// How many rows at most, 1 to 100.
    pub limit: i64,
    /// Column to order by: one of those given to [`PageQuery::check`], so it may stand in SQL.
    pub order_by: &'static str,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Only rows with an id behind this one, in the sense of `descending`.
    pub after: Option<i64>,
}

impl PageQuery {
    /// Checks the query. `columns` are those that may be ordered by; the first is the default.
    ///
    /// # Errors
    /// 422 when a number is out of bounds, the column unknown, or `sort` neither `asc` nor `desc`.
    pub fn check(&self, columns: &[&'static str]) -> Result<Page, ApiError> {
        let order_by = match &self.order_by {
            None => columns.first().copied().unwrap_or("id"),
            Some(wanted) => columns
                .iter()
                .copied()
                .find(|column| column == wanted)
                .ok_or_else(|| not_one_of("order_by", columns))?,
        };
        let descending = match self.sort.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(not_one_of("sort", &["asc", "desc"])),
        };
        let after = match &self.after {
            None => None,
            Some(text) => Some(integer("after", Some(text), 0, i64::MIN..=i64::MAX)?),
        };
        Ok(Page {
            offset: integer("offset", self.offset.as_deref(), 0, 0..=i64::MAX)?,
            limit: integer("limit", self.limit.as_deref(), 100, 1..=100)?,
            order_by,
            descending,
            after,
        })
    }
}

/// All query parameters, decoded, in order. Of a repeated one the last counts.
#[derive(Clone, Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Reads the part of an address behind `?`.
    pub fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The query with `name` set to `value` and without `others`, as it stands in an address.
    pub fn with(&self, name: &str, value: &str, others: &[&str]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.0.iter().filter(|(given, _)| given != name && !others.contains(&given.as_str())));
        query.append_pair(name, value).finish()
    }

    /// The part of a list that the query asks for.
    ///
    /// # Errors
    /// As [`PageQuery::check`].
    pub fn page(&self, columns: &[&'static str]) -> Result<Page, ApiError> {
        PageQuery::from(self.0.clone()).check(columns)
    }

    /// The value of `name`, as it is.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name` as text; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The value of `name` as an owned text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// As [`Self::text`], of a column that a database compares it with.
    ///
    /// # Errors
    /// 422 when it holds a NUL, which no column can.
    pub fn clean_text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.text(name) {
            Some(text) if text.contains('\0') => {
                Err(ApiError::invalid(&["query", name], "NUL characters are not allowed", "value_error"))
            }
            text => Ok(text),
        }
    }

    /// The value of `name` as a number within `bounds`.
    ///
    /// # Errors
    /// 422 when it is not.
    pub fn integer(&self, name: &str, default: i64, bounds: RangeInclusive<i64>) -> Result<i64, ApiError> {
        integer(name, self.given(name), default, bounds)
    }

    /// The value of `name` as `true` or `false` (also `1`, `0`).
    ///
    /// # Errors
    /// 422 when it is neither.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.given(name) {
            None => Ok(default),
            Some("true" | "True" | "1") => Ok(true),
            Some("false" | "False" | "0") => Ok(false),
            Some(_) => {
                Err(ApiError::invalid(&["query", name], "value could not be parsed to a boolean", "type_error.bool"))
            }
        }
    }

    /// The value of `name` as a time (RFC 3339).
    ///
    /// # Errors
    /// 422 when it is none.
    pub fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.given(name) else { return Ok(None) };
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Some(time.to_utc())),
            Err(_) => Err(ApiError::invalid(&["query", name], "invalid datetime format", "value_error.datetime")),
        }
    }

    /// What the value of `name` stands for in `table`.
    ///
    /// # Errors
    /// 422 when it stands for nothing.
    pub fn choice<T: Copy>(&self, name: &str, table: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(wanted) = self.given(name) else { return Ok(None) };
        match table.iter().find(|(word, _)| *word == wanted) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(not_one_of(name, &table.iter().map(|(word, _)| *word).collect::<Vec<_>>())),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Pairs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

fn integer(name: &str, given: Option<&str>, default: i64, bounds: RangeInclusive<i64>) -> Result<i64, ApiError> {
    let Some(text) = given else { return Ok(default) };
    let loc = ["query", name];
    let number: i64 =
        text.parse().map_err(|_| ApiError::invalid(&loc, "value is not a valid integer", "type_error.integer"))?;
    let (least, most) = (bounds.start(), bounds.end());
    if number < *least {
        let msg = format!("ensure this value is greater than or equal to {least}");
        return Err(ApiError::invalid(&loc, msg, "value_error.number.not_ge"));
    }
    if number > *most {
        let msg = format!("ensure this value is less than or equal to {most}");
        return Err(ApiError::invalid(&loc, msg, "value_error.number.not_le"));
    }
    Ok(number)
}

fn not_one_of(name: &str, choices: &[&str]) -> ApiError {
    let msg = format!("value is not one of: {}", choices.join(", "));
    ApiError::invalid(&["query", name], msg, "type_error.enum")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str) -> Result<Page, ApiError> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        PageQuery::from(pairs).check(&["id", "spec"])
    }

    #[test]
    fn defaults_and_bounds() {
        let page = Page { offset: 0, limit: 100, order_by: "id", descending: false, after: None };
        assert_eq!(check("").expect("default"), page);
        let page = Page { offset: 5, limit: 1, order_by: "spec", descending: true, after: None };
        assert_eq!(check("offset=5&limit=1&order_by=spec&sort=desc&x=y").expect("all"), page);
        assert_eq!(check("limit=101&limit=7").expect("the last counts").limit, 7);
        assert_eq!(check("after=12&sort=desc").expect("behind").after, Some(12));
    }

    #[test]
    fn the_next_page_is_the_same_query_further_on() {
        let pairs = Pairs::parse("offset=5&status=a%26b&limit=2&after=1");
        assert_eq!(pairs.with("after", "9", &["offset"]), "status=a%26b&limit=2&after=9");
        assert_eq!(Pairs::parse("").with("offset", "100", &[]), "offset=100");
    }

    #[test]
    fn violations_are_422_and_name_the_parameter() {
        let cases = [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
            ("offset=-1", "offset"),
            ("offset=99999999999999999999", "offset"),
            ("order_by=spec;drop", "order_by"),
            ("order_by=SPEC", "order_by"),
            ("sort=up", "sort"),
            ("after=x", "after"),
        ];
        for (query, name) in cases {
            let error = check(query).expect_err(query);
            assert_eq!(error.status, http::StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(error.detail[0]["loc"], serde_json::json!(["query", name]), "{query}");
        }
    }
}
