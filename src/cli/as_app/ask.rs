//! A request with all its pages.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;

use super::cache::Cache;
use super::graphql;
use super::output::{Output, is_json};
use super::request::{Body, Request};
use super::trouble;
use crate::cli::error::{Error, Result};
use crate::cli::ui::Ui;
use crate::github::{Answer, Auth, Client, pages};

/// What becomes of the pages of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Only the first is asked for.
    First,
    /// All, as one value.
    Merged,
    /// All, as a list of pages.
    Slurped,
    /// All, one after the other as they come.
    Raw,
}

/// How a request is made.
pub struct Asking<'a> {
    /// The client.
    pub client: &'a Client,
    /// As whom.
    pub auth: Auth,
    /// Where answers are kept.
    pub cache: Option<Cache>,
    /// What becomes of pages.
    pub pages: Pages,
    /// Pages asked for at most.
    pub limit: Option<usize>,
}

impl Asking<'_> {
    /// Sends `request` and prints what comes back.
    ///
    /// # Errors
    /// The refusal, explained, after its body was printed; else what [`Client::exchange`] fails
    /// with.
    pub async fn print(&self, mut request: Request, output: &Output<'_>, ui: &Ui) -> Result {
        let mut collected: Vec<Bytes> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut errors = None;
        loop {
            let answer = self.answer(&request).await?;
            output.head(&answer)?;
            if !answer.status.is_success() {
                output.refusal(&answer.headers, &answer.body)?;
                return Err(self.refused(&request, answer).await);
            }
            let json = is_json(&answer.headers);
            let follows = json && self.pages != Pages::First;
            let next = if follows { self.next(&request, &answer)? } else { None };
            if request.graphql && json {
                errors = errors.or(value(&answer.body).ok().as_ref().and_then(graphql::error));
            }
            let merged = json && matches!(self.pages, Pages::Merged | Pages::Slurped);
            if !merged {
                output.body(&answer.headers, &answer.body)?;
            } else {
                collected.push(answer.body.clone());
            }
            match next {
                Some(_) if self.limit.is_some_and(|limit| seen.len() + 1 >= limit) => {
                    ui.warn(format!("there are more pages: --page-limit ended this after {}", seen.len() + 1));
                }
                Some(next) => {
                    if !seen.insert(format!("{next:?}")) {
                        return Err(Error::failure("the pages go round in a circle").because(format!("{next:?}")));
                    }
                    next.into_request(&mut request);
                    continue;
                }
                None => {}
            }
            if merged {
                let body = self.joined(&request, collected)?;
                output.body(&answer.headers, &body)?;
            }
            return errors.map_or(Ok(()), Err);
        }
    }

    async fn answer(&self, request: &Request) -> Result<Answer> {
        let kept = self.cache.as_ref().and_then(|cache| cache.find(request, &self.auth));
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let call = request.call(self.auth.clone())?;
        let answer = match self.client.exchange(&call).await {
            Ok(answer) => answer,
            Err(error) => return Err(trouble::explained(self.client, &self.auth, &request.path, error).await),
        };
        if let Some(cache) = &self.cache {
            cache.keep(request, &self.auth, &answer)?;
        }
        Ok(answer)
    }

    async fn refused(&self, request: &Request, answer: Answer) -> Error {
        let judged = request.call(self.auth.clone()).map(|call| self.client.checked(&call, answer));
        match judged {
            Ok(Err(error)) => trouble::explained(self.client, &self.auth, &request.path, error).await,
            Ok(Ok(_)) => Error::failure("the answer is no refusal"),
            Err(error) => error,
        }
    }

    /// Where the pages go on.
    fn next(&self, request: &Request, answer: &Answer) -> Result<Option<Next>> {
        if request.graphql {
            let pageable = matches!(&request.body, Body::Fields(fields) if graphql::is_pageable(fields));
            let cursor = if pageable { graphql::next(&value(&answer.body)?) } else { None };
            return Ok(cursor.map(Next::Cursor));
        }
        Ok(if request.method == http::Method::GET { answer.next_page().map(Next::Address) } else { None })
    }

    /// The pages as one document. A single one stays as it came, to the byte.
    fn joined(&self, request: &Request, mut pages: Vec<Bytes>) -> Result<Bytes> {
        if self.pages == Pages::Slurped {
            let mut joined = vec![b'['];
            joined.extend(pages.join(&b','));
            joined.push(b']');
            return Ok(joined.into());
        }
        if pages.len() == 1 {
            return Ok(pages.remove(0));
        }
        let mut values = pages.iter().map(|page| value(page));
        let mut all = values.next().transpose()?.unwrap_or_default();
        for page in values {
            if request.graphql {
                graphql::merge(&mut all, page?);
            } else {
                pages::merge(&mut all, page?).map_err(|reason| {
                    Error::failure("the pages cannot be merged")
                        .because(reason)
                        .hint("--slurp for a list of pages, --pages for one after the other")
                })?;
            }
        }
        Ok(all.to_string().into())
    }
}

/// Where the next page is.
#[derive(Debug)]
enum Next {
    Address(String),
    Cursor(String),
}

impl Next {
    fn into_request(self, request: &mut Request) {
        match self {
            Self::Address(address) => {
                request.path = address;
                request.query.clear();
            }
            Self::Cursor(cursor) => {
                if let Body::Fields(fields) = &mut request.body {
                    graphql::go_on(fields, &cursor);
                }
            }
        }
    }
}

fn value(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body)
        .map_err(|error| Error::failure("the answer is not the JSON that it says it is").caused_by(&error))
}
