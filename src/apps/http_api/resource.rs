//! A table as a REST resource: listed, added to, read, changed and deleted.
//!
//! A new resource is a type that implements [`Resource`], in a file of its own, and one line that
//! adds [`routes`]`::<It>()`. The five handlers, their paging, their errors and their description in
//! the OpenAPI document are the same for all and stand here.

use std::future::Future;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State as FromState};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, HttpMethod, Ref, RefOr, Required, Schema};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::filter::{Condition, Filter};
use super::query::{Page, PageQuery, Pairs};
use super::{Admin, ApiError, ValidJson};
use crate::apps::State;
use crate::store::{Db, Error};

/// A table as the API shows it. Reading is public, writing needs the admin key.
pub trait Resource: Send + Sync + 'static {
    /// Path of the list; a row is at `{PATH}/{id}`.
    const PATH: &'static str;
    /// What one is called in errors: "bakery not found".
    const NOUN: &'static str;
    /// What several are called.
    const PLURAL: &'static str;
    /// Columns that lists can be ordered by; the first, the id, is the default.
    const ORDER: &'static [&'static str];
    /// Filters of the list.
    const FILTERS: &'static [Filter];
    /// When a row can be neither added nor changed (409).
    const CONFLICT: &'static str;
    /// When a row cannot be deleted (409), if there is such a case.
    const IN_USE: Option<&'static str>;

    /// A row as it is listed.
    type Row: Serialize + ToSchema + Send;
    /// Body of `POST`.
    type New: DeserializeOwned + ToSchema + Send;
    /// Body of `PATCH`: only what is given is changed.
    type Change: DeserializeOwned + ToSchema + Send;
    /// A row as it is read alone: with what belongs to it.
    type Detail: Serialize + ToSchema + Send;

    /// The id of a row.
    fn id(row: &Self::Row) -> i64;
    /// A part of the list: the rows that fulfil all of `conditions`.
    fn list(
        db: &Db,
        page: &Page,
        conditions: &[Condition],
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;
    /// Adds a row.
    fn insert(db: &Db, new: Self::New) -> impl Future<Output = Result<Self::Row, Error>> + Send;
    /// Reads a row.
    fn read(db: &Db, id: i64) -> impl Future<Output = Result<Option<Self::Detail>, Error>> + Send;
    /// Changes a row.
    fn update(db: &Db, id: i64, change: Self::Change) -> impl Future<Output = Result<Option<Self::Row>, Error>> + Send;
    /// Deletes a row; `false` when there is none.
    fn delete(db: &Db, id: i64) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// The routes of a resource, described.
pub fn routes<R: Resource>() -> OpenApiRouter<State> {
    let one = format!("{}/{{id}}", R::PATH);
    let many = paths(R::PATH, [(HttpMethod::Get, listing::<R>()), (HttpMethod::Post, creation::<R>())]);
    let each = [
        (HttpMethod::Get, reading::<R>()),
        (HttpMethod::Patch, changing::<R>()),
        (HttpMethod::Delete, deletion::<R>()),
    ];
    let mut schemas = Vec::new();
    schema::<R::Row>(&mut schemas);
    schema::<R::New>(&mut schemas);
    schema::<R::Change>(&mut schemas);
    schema::<R::Detail>(&mut schemas);
    schema::<Deleted>(&mut schemas);
    OpenApiRouter::new().routes((schemas, many, get(list::<R>).post(create::<R>))).routes((
        Vec::new(),
        paths(&one, each),
        get(read::<R>).patch(update::<R>).delete(delete::<R>),
    ))
}

/// The one path with these operations.
fn paths(path: &str, operations: impl IntoIterator<Item = (HttpMethod, Operation)>) -> Paths {
    let mut paths = Paths::new();
    for (method, operation) in operations {
        paths.add_path_operation(path, vec![method], operation);
    }
    paths
}

/// Answer to a deletion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "ok": true }))]
pub struct Deleted {
    /// Always true.
    ok: bool,
}

/// The `{id}` of a path.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let invalid = || ApiError::invalid(&["path", "id"], "value is not a valid integer", "type_error.integer");
        let Path(Named { id }) = Path::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        id.parse().map(Self).map_err(|_| invalid())
    }
}

async fn list<R: Resource>(FromState(state): FromState<State>, query: Pairs) -> Result<Response, ApiError> {
    let page = query.page(R::ORDER)?;
    let conditions = Filter::read(R::FILTERS, &query)?;
    // One more than is shown, to know whether there is a next page.
    let wider = Page { limit: page.limit + 1, ..page };
    let rows = R::list(&state.db, &wider, &conditions).await?;
    Ok(listed(R::PATH, &page, &query, rows, R::id))
}

/// A page of `rows`, of which there is one too many when more follow: `Link` tells where.
pub fn listed<T: Serialize>(path: &str, page: &Page, query: &Pairs, mut rows: Vec<T>, id: fn(&T) -> i64) -> Response {
    let size = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|last| match page.order_by {
        "id" => query.with("after", &id(last).to_string(), &["offset"]),
        _ => query.with("offset", &page.offset.saturating_add(page.limit).to_string(), &[]),
    });
    let link = next.and_then(|query| HeaderValue::try_from(format!("<{path}?{query}>; rel=\"next\"")).ok());
    let mut response = Json(rows).into_response();
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    response
}

async fn create<R: Resource>(
    _: Admin,
    FromState(state): FromState<State>,
    ValidJson(new): ValidJson<R::New>,
) -> Result<Json<R::Row>, ApiError> {
    Ok(Json(R::insert(&state.db, new).await?))
}

async fn read<R: Resource>(FromState(state): FromState<State>, Id(id): Id) -> Result<Json<R::Detail>, ApiError> {
    R::read(&state.db, id).await?.map(Json).ok_or_else(|| ApiError::not_found(R::NOUN))
}

async fn update<R: Resource>(
    _: Admin,
    FromState(state): FromState<State>,
    Id(id): Id,
    ValidJson(change): ValidJson<R::Change>,
) -> Result<Json<R::Row>, ApiError> {
    R::update(&state.db, id, change).await?.map(Json).ok_or_else(|| ApiError::not_found(R::NOUN))
}

async fn delete<R: Resource>(
    _: Admin,
    FromState(state): FromState<State>,
    Id(id): Id,
) -> Result<Json<Deleted>, ApiError> {
    if R::delete(&state.db, id).await? { Ok(Json(Deleted { ok: true })) } else { Err(ApiError::not_found(R::NOUN)) }
}

fn listing<R: Resource>() -> Operation {
    let rows = ArrayBuilder::new().items(reference::<R::Row>()).build();
    let mut operation = operation::<R>(format!("List {}.", R::PLURAL), RefOr::T(rows.into()), &[]);
    let parameters = page_parameters(R::ORDER).into_iter().chain(R::FILTERS.iter().map(Filter::parameter));
    operation.parameters = Some(parameters.map(Into::into).collect());
    operation
}

fn creation<R: Resource>() -> Operation {
    let mut operation = operation::<R>(
        format!("Add a {}.", words(R::NOUN)),
        reference::<R::Row>(),
        &[(StatusCode::CONFLICT, R::CONFLICT)],
    );
    operation.request_body = Some(RefOr::T(body::<R::New>()));
    admin(operation)
}

fn reading<R: Resource>() -> Operation {
    let summary = format!("Read a {} with what belongs to it.", words(R::NOUN));
    at_id::<R>(operation::<R>(summary, reference::<R::Detail>(), &[]))
}

fn changing<R: Resource>() -> Operation {
    let summary = format!("Change the given fields of a {}.", words(R::NOUN));
    let mut operation = operation::<R>(summary, reference::<R::Row>(), &[(StatusCode::CONFLICT, R::CONFLICT)]);
    operation.request_body = Some(RefOr::T(body::<R::Change>()));
    admin(at_id::<R>(operation))
}

fn deletion<R: Resource>() -> Operation {
    let in_use: Vec<(StatusCode, &str)> = R::IN_USE.map(|why| (StatusCode::CONFLICT, why)).into_iter().collect();
    admin(at_id::<R>(operation::<R>(format!("Delete a {}.", words(R::NOUN)), reference::<Deleted>(), &in_use)))
}

/// Answers that follow from the rest (401, 403, 422, …) are added to all operations by the server.
fn operation<R: Resource>(summary: String, answer: RefOr<Schema>, problems: &[(StatusCode, &str)]) -> Operation {
    let content = Content::new(Some(answer));
    let good = ResponseBuilder::new().description("As asked").content("application/json", content).build();
    let mut operation = OperationBuilder::new().tag(R::PLURAL).summary(Some(summary)).response("200", good);
    for (status, why) in problems {
        operation = operation.response(status.as_str(), ResponseBuilder::new().description(*why).build());
    }
    operation.build()
}

fn at_id<R: Resource>(mut operation: Operation) -> Operation {
    operation.parameters = Some(vec![id_parameter().into()]);
    let missing = ResponseBuilder::new().description(format!("There is no such {}", words(R::NOUN))).build();
    operation.responses.responses.insert("404".to_owned(), RefOr::T(missing));
    operation
}

fn admin(mut operation: Operation) -> Operation {
    operation.security = Some(vec![SecurityRequirement::new("api_key", [""; 0])]);
    operation
}

fn body<T: ToSchema>() -> utoipa::openapi::request_body::RequestBody {
    let content = Content::new(Some(reference::<T>()));
    RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn schema<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// `{id}`.
fn id_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Row id."))
        .schema(Some(typed(Type::Integer)))
        .build()
}

/// What [`Pairs::page`] reads, with the columns that it takes.
pub fn page_parameters(columns: &'static [&'static str]) -> Vec<Parameter> {
    let mut parameters = PageQuery::into_params(|| Some(ParameterIn::Query));
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name == "order_by") {
        let object = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        parameter.schema = Some(Schema::Object(object.enum_values(Some(columns.iter().copied())).build()).into());
    }
    parameters
}

fn typed(kind: Type) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(kind)).build()
}

/// `recipe_run` as words.
fn words(noun: &str) -> String {
    noun.replace('_', " ")
}
