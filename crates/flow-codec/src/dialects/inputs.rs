//! What requests without a conversation hand to the model: texts, images and the like, read as one message of
//! the user.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`INPUTS_MAX`] | 16,384 parts | diagnostic `too_many_inputs`, the rest is not read |

use flow_model::{Media, Message, Part, Role};
use serde_json::Value;

use super::{Ask, Depth, inline_media, openai_chat, other_part, text_part, url_media};
use crate::json::{Document, Json, Kind, Token};

/// Parts of the one message of such a request.
const INPUTS_MAX: usize = 16 * 1024;

/// Adds a part to the user's message, which the first one begins.
pub(crate) fn input(ask: &mut Ask, part: Part) {
    let messages = &mut ask.reading.messages;
    if messages.is_empty() {
        messages.push(Message {
            role: Role::User,
            name: None,
            parts: Vec::new(),
        });
    }
    let Some(message) = messages.first_mut() else {
        return;
    };
    if message.parts.len() < INPUTS_MAX {
        message.parts.push(part);
    } else {
        ask.diagnostics.once(
            "too_many_inputs",
            "more inputs than are kept; the rest was not read",
        );
    }
}

/// Reads inputs in any of their shapes: a text, a list of tokens, an object with content or a part of one, or a
/// list of these.
pub(crate) fn inputs(json: &mut Json<'_>, ask: &mut Ask) {
    match json.kind() {
        Kind::String => input(ask, text_part(json.owned().unwrap_or_default())),
        Kind::Array if holds_numbers(*json) => input(ask, other_part("tokens", json.verbatim())),
        Kind::Array => {
            json.array();
            while json.element() {
                inputs(json, ask);
            }
        }
        Kind::Object => object(json, ask),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

/// Reads images in any of their shapes; what is none is kept as it is.
pub(crate) fn images(json: &mut Json<'_>, ask: &mut Ask) {
    if json.array() {
        while json.element() {
            images(json, ask);
        }
        return;
    }
    let mut whole = *json;
    let part = match image(json) {
        Some(media) => Part::Image { media },
        None => other_part("image", whole.verbatim()),
    };
    input(ask, part);
}

/// Returns where an image is: a URL, base64 text, or an object with one of them or with the id of a file.
pub(crate) fn image(json: &mut Json<'_>) -> Option<Media> {
    let document = json.document();
    if let Some(token) = json.string() {
        return Some(linked(token, document));
    }
    let names = ["url", "image_url", "b64_json", "file_id"];
    let [url, nested, data, file_id] = json.fields(names)?;
    let mut link = url.or(nested).or(data);
    if let Some(json) = &mut link {
        let inner = match json.kind() {
            Kind::Object => json.fields(["url"]).and_then(|[url]| url),
            _ => Some(*json),
        };
        return inner
            .and_then(|mut json| json.string())
            .map(|token| linked(token, document));
    }
    let file_id = file_id.and_then(|mut json| json.owned())?;
    Some(Media {
        file_id: Some(file_id),
        ..Media::default()
    })
}

/// Keeps what belongs to one input: as a parameter, or behind the input where another one differs in it.
pub(crate) fn setting(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    if ask.depth == Depth::Skim {
        return;
    }
    let value = json.value();
    match ask.reading.parameters.get(name) {
        None => {
            ask.reading.parameters.insert(name.to_owned(), value);
        }
        Some(known) if *known == value => {}
        Some(_) => input(ask, other_part(name, value.into())),
    }
}

/// Keeps a word that may come several times, as in a form: alone, or as a list.
pub(crate) fn repeated(name: &str, word: String, ask: &mut Ask) {
    let parameters = &mut ask.reading.parameters;
    match parameters.get_mut(name) {
        None => {
            parameters.insert(name.to_owned(), Value::String(word));
        }
        Some(Value::Array(words)) => words.push(Value::String(word)),
        Some(first) => {
            let first = first.take();
            let both = vec![first, Value::String(word)];
            parameters.insert(name.to_owned(), Value::Array(both));
        }
    }
}

/// Returns what an address, a `data:` URL or plain base64 text points to.
fn linked(token: Token<'_>, document: &Document<'_>) -> Media {
    let is_url = [&b"data:"[..], b"http", b"gs:", b"s3:"]
        .iter()
        .any(|start| token.raw().starts_with(start));
    if is_url {
        url_media(token, document)
    } else {
        inline_media(image_mime(token), token, document)
    }
}

/// Returns the type of an image, which the first characters of its base64 text tell.
pub(crate) fn image_mime(data: Token<'_>) -> Option<String> {
    let known = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        (r"\/9j\/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
    ];
    let found = known
        .iter()
        .find(|(start, _)| data.raw().starts_with(start.as_bytes()));
    found.map(|(_, mime)| (*mime).to_owned())
}

/// Reads `{"content": …}`, `{"text": …}`, `{"image": …}`, or a part of a message's content.
fn object(json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    let document = json.document();
    let names = ["content", "type", "image", "image_base64", "role"];
    let Some([content, kind, image, base64, role]) = json.fields(names) else {
        return;
    };
    if role.is_some() {
        return input(ask, other_part("message", whole.verbatim()));
    }
    if let (Some(mut content), None) = (content, kind) {
        return inputs(&mut content, ask);
    }
    let plain = image.filter(|_| kind.is_none());
    let data = base64.or(plain).and_then(|mut json| json.string());
    match data {
        Some(data) => {
            let media = linked(data, document);
            input(ask, Part::Image { media });
        }
        None => openai_chat::content_part(&mut whole, &mut |part| input(ask, part)),
    }
}

fn holds_numbers(mut json: Json<'_>) -> bool {
    json.array() && json.element() && json.kind() == Kind::Number
}
