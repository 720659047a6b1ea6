//! Filters of lists: declared once, as the query parameter, its line in the OpenAPI document and the
//! condition on the column of the same name.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Required, Schema};

use super::ApiError;
use super::fields::NO_NUL;
use super::query::Pairs;

/// A query parameter that keeps the rows whose column of the same name equals it.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    name: &'static str,
    about: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Integer,
    Flag,
    Word(&'static [&'static str]),
}

/// What a column must equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column: from a [`Filter`], so it may stand in SQL.
    pub column: &'static str,
    /// Its value.
    pub value: Value,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, also a word of a few.
    Text(String),
    /// A number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
}

impl Filter {
    /// By text; `about` ends the sentence "Only …".
    pub const fn text(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Text }
    }

    /// By a number.
    pub const fn integer(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Integer }
    }

    /// By `true` or `false`.
    pub const fn flag(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Flag }
    }

    /// By one of a few words.
    pub const fn word(name: &'static str, words: &'static [&'static str], about: &'static str) -> Self {
        Self { name, about, kind: Kind::Word(words) }
    }

    /// The conditions that a query asks for.
    ///
    /// # Errors
    /// 422 when a value is not of its kind.
    pub fn read(filters: &[Self], query: &Pairs) -> Result<Vec<Condition>, ApiError> {
        let asked = filters.iter().filter(|filter| match filter.kind {
            // Nothing is called by an empty text.
            Kind::Text => query.get(filter.name).is_some(),
            _ => query.given(filter.name).is_some(),
        });
        asked.map(|filter| Ok(Condition { column: filter.name, value: filter.value(query)? })).collect()
    }

    fn value(&self, query: &Pairs) -> Result<Value, ApiError> {
        Ok(match self.kind {
            Kind::Text => Value::Text(query.clean_text(self.name)?.unwrap_or_default()),
            Kind::Integer => Value::Integer(query.integer(self.name, 0, i64::MIN..=i64::MAX)?),
            Kind::Flag => Value::Flag(query.flag(self.name, false)?),
            Kind::Word(words) => {
                let table: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
                Value::Text(query.choice(self.name, &table)?.unwrap_or_default().to_owned())
            }
        })
    }

    /// Its line in the OpenAPI document.
    pub fn parameter(&self) -> Parameter {
        let typed = |kind| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
        let schema: Object = match self.kind {
            Kind::Text => typed(Type::String).pattern(Some(NO_NUL)).build(),
            Kind::Integer => typed(Type::Integer).build(),
            Kind::Flag => typed(Type::Boolean).build(),
            Kind::Word(words) => typed(Type::String).enum_values(Some(words.iter().copied())).build(),
        };
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(format!("Only {}.", self.about)))
            .schema(Some(Schema::Object(schema)))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTERS: [Filter; 4] = [
        Filter::text("spec", "this one"),
        Filter::integer("feedstock_id", "of this feedstock"),
        Filter::flag("is_test", "tests, or no tests"),
        Filter::word("status", &["queued", "completed"], "that are so far"),
    ];

    fn read(query: &str) -> Result<Vec<Condition>, ApiError> {
        Filter::read(&FILTERS, &Pairs::parse(query))
    }

    #[test]
    fn what_is_given_becomes_a_condition() {
        let found = read("status=queued&x=1&feedstock_id=7&is_test=false&spec=a%2Fb").expect("valid");
        let expected = [
            ("spec", Value::Text("a/b".into())),
            ("feedstock_id", Value::Integer(7)),
            ("is_test", Value::Flag(false)),
            ("status", Value::Text("queued".into())),
        ];
        assert_eq!(found, expected.map(|(column, value)| Condition { column, value }));
        assert_eq!(read("spec=").expect("nothing"), []);
    }

    #[test]
    fn what_does_not_fit_is_422_and_named() {
        for (query, name) in [
            ("feedstock_id=x", "feedstock_id"),
            ("is_test=2", "is_test"),
            ("status=lost", "status"),
            ("status=", "status"),
            ("spec=%00", "spec"),
        ] {
            let error = read(query).expect_err(query);
            assert_eq!(error.status, http::StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert_eq!(error.detail[0]["loc"], serde_json::json!(["query", name]), "{query}");
        }
    }
}
