//! The commands besides `serve`.

pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod env;
pub(crate) mod flows;
pub(crate) mod openapi;
pub(crate) mod read;
pub(crate) mod reindex;
pub(crate) mod run;
pub(crate) mod store;
pub(crate) mod token;
