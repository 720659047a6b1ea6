//! The demo: the two sequence diagrams of the life of a recipe, played arrow by arrow.
//!
//! [`stage`] sets up a GitHub and starts the server, [`story`] lets the people act in the acts of
//! [`acts`], and [`narrator`] tells each arrow of [`diagrams`] once it was seen from the outside, over
//! HTTP; or which one did not happen. [`fail`] is what goes wrong when that is asked for. [`runner`] is
//! the stand-in for pangeo-forge-runner.

pub mod acts;
pub mod dataset;
pub mod diagrams;
pub mod fail;
pub mod narrator;
pub mod runner;
pub mod scene;
pub mod stage;
pub mod story;
