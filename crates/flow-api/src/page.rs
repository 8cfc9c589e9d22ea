//! The page's files, embedded at compile time.
//!
//! Files that carry a hash in their name are kept by browsers for ever, all others are asked for each time and
//! answered by their tag. A path without an extension that is no file is one of the page's own addresses and
//! gives `index.html`. Nothing is read from disk, so no path can lead out of the table.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::error::{ApiError, ErrorCode};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Characters that a bundler's hash in a file name has at least.
const HASH_CHARS_MIN: usize = 8;
/// Shown where no page was embedded.
const NOT_BUILT: &str = include_str!("page/not-built.html");

/// One file.
#[derive(Debug)]
struct Asset {
    /// Path inside the page's folder, such as `assets/index-1a2b3c4d.js`.
    path: &'static str,
    /// Hash of its bytes.
    tag: &'static str,
    plain: &'static [u8],
    /// The bytes compressed, where that makes them smaller.
    gzip: Option<&'static [u8]>,
}

/// Answers every request that is for no route of the API.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    serve(ASSETS, &method, uri.path(), &headers)
}

fn serve(assets: &'static [Asset], method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let not_found = || ApiError::new(ErrorCode::NotFound, format!("there is nothing at `{path}`"));
    if path == "/api" || path.starts_with("/api/") {
        return not_found().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let error = ApiError::new(
            ErrorCode::MethodNotAllowed,
            "the page's files can only be read",
        );
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (allow, error).into_response();
    }
    let name = path.trim_start_matches('/');
    let find = |name: &str| assets.iter().find(|asset| asset.path == name);
    let address = !name.rsplit('/').next().unwrap_or(name).contains('.');
    let asset = match find(name) {
        Some(asset) => Some(asset),
        None if address => find("index.html"),
        None => None,
    };
    match asset {
        Some(asset) => send(asset, headers),
        None if address => not_built(),
        None => not_found().into_response(),
    }
}

fn send(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let packed = asset.gzip.filter(|_| accepts_gzip(headers));
    let tag = match packed {
        Some(_) => format!("\"{}-gz\"", asset.tag),
        None => format!("\"{}\"", asset.tag),
    };
    let kept = if is_hashed(asset.path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let same = has_tag(headers, &tag);
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(packed.unwrap_or(asset.plain)).into_response()
    };
    let fields = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        fields.insert(header::ETAG, tag);
    }
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !same {
        let mime = HeaderValue::from_static(mime(asset.path));
        fields.insert(header::CONTENT_TYPE, mime);
        if packed.is_some() {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}

fn not_built() -> Response {
    let fields = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (fields, NOT_BUILT).into_response()
}

fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let gzip = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            gzip && weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0))
        })
}

/// Returns whether a file's name changes with its bytes: `assets/name-hash.ext`, as Vite writes it.
fn is_hashed(path: &str) -> bool {
    let stem = path
        .strip_prefix("assets/")
        .and_then(|file| file.rsplit_once('.'))
        .map(|(stem, _)| stem);
    let hash = |stem: &str| stem.len() > HASH_CHARS_MIN && stem.contains('-');
    stem.is_some_and(hash)
}

/// Returns the media type of a file by its extension.
fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
