//! Requests.

use flow_model::{Dialect, RequestReading};

use crate::dialects::gemini_generate::{content, same_name};
use crate::dialects::inputs::{images, input, inputs, setting};
use crate::dialects::{Ask, Depth, named_in};
use crate::json::{Json, Kind};

/// Reads a request. `path` names the model where the body does not, as at Google and in Azure's deployments.
pub(crate) fn read_request(
    dialect: Dialect,
    path: &str,
    body: &[u8],
    depth: Depth,
) -> RequestReading {
    let google = dialect == Dialect::GeminiEmbed;
    let member = if google { google_member } else { member };
    Ask::read(body, depth, member, |reading| {
        let behind = if google { "/models/" } else { "/deployments/" };
        let named = || named_in(path, behind, &['/', ':', '?', '#']);
        reading.model = reading.model.take().or_else(named);
    })
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("input" | "inputs" | "texts" | "prompt", Kind::String | Kind::Array | Kind::Object) => {
            inputs(json, ask);
        }
        ("images", Kind::Array) => images(json, ask),
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

fn google_member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("requests", Kind::Array) => {
            json.array();
            while json.element() {
                one_request(json, ask);
            }
        }
        _ => google_setting(name, json, ask),
    }
}

fn one_request(json: &mut Json<'_>, ask: &mut Ask) {
    if !json.object() {
        return ask.unexpected(json, "a request");
    }
    while let Some(name) = json.member() {
        google_setting(&name, json, ask);
    }
}

/// Reads a member of a request, which may be one of several.
fn google_setting(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match json.kind() {
        Kind::String if same_name(name, "model") && ask.reading.model.is_none() => {
            let model = json.owned().unwrap_or_default();
            let short = model.rsplit('/').next().unwrap_or(&model);
            ask.reading.model = Some(short.to_owned());
        }
        Kind::String if same_name(name, "model") => {
            let mut whole = *json;
            let model = json.owned().unwrap_or_default();
            let short = model.rsplit('/').next();
            if short != ask.reading.model.as_deref() {
                setting(name, &mut whole, ask);
            }
        }
        Kind::Object | Kind::Array | Kind::String if same_name(name, "content") => {
            for part in content(json).parts {
                input(ask, part);
            }
        }
        _ => setting(name, json, ask),
    }
}
