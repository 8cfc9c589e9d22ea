//! Writes the OpenAPI document to standard output: `cargo run -p flow-api --example openapi > web/openapi.json`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(flow_api::openapi_json().as_bytes())
}
