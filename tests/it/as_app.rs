//! `gh-as-app`, `token`, `checks`: speaking as the App.

mod checks;
mod credential;
mod echo;
mod gh;
mod refusals;
mod speaking;
mod tokens;
mod world;
