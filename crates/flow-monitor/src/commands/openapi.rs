//! `flow-monitor openapi`: the description of the API, for code generation.

use std::io::Write as _;

use crate::Exit;

pub(crate) fn run() -> anyhow::Result<Exit> {
    write!(std::io::stdout().lock(), "{}", flow_api::openapi_json())?;
    Ok(Exit::Success)
}
