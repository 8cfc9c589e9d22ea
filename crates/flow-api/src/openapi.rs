//! The OpenAPI document, from which the page's types are made.

use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, SecurityRequirement};

use crate::shapes;
use crate::{feed, routes};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Flow Monitor",
        description = "Instants (`…_at`) are microseconds since the Unix epoch, durations (`…_us`) microseconds, \
            money decimal strings in US dollars; what is unknown is null.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        routes::status::healthz,
        routes::status::status,
        routes::status::health,
        routes::status::openapi,
        routes::session::sign_in,
        routes::session::link,
        routes::config::list,
        routes::config::patch,
        routes::flows::list,
        routes::flows::count,
        routes::flows::detail,
        routes::deletion::delete,
        routes::deletion::pin,
        routes::deletion::unpin,
        routes::figures::facets,
        routes::figures::stats,
        routes::figures::histogram,
        routes::bodies::request,
        routes::bodies::response,
        routes::events::events,
        routes::events::chunks,
        routes::reindex::show,
        routes::reindex::start,
        routes::reindex::cancel,
        routes::store::stats,
        routes::store::task,
        routes::store::cancel,
        routes::store::check,
        routes::store::compact,
        routes::store::backup,
        routes::store::archive,
        feed::feed,
        feed::alias,
    ),
    components(schemas(
        shapes::FeedMessage,
        shapes::FlowRows,
        shapes::FlowsGone,
        shapes::FlowProgress<'static>,
        shapes::Stats,
    ))
)]
struct Document;

/// Returns the document.
pub fn openapi() -> OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        "flow_monitor_8378",
        "The name ends in the port of the address that the browser sees.",
    ));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    document.security = Some(vec![
        SecurityRequirement::new("token", [""; 0]),
        SecurityRequirement::new("cookie", [""; 0]),
    ]);
    document
}

/// Returns the document as text, ending in a line break, in the form in which it is committed.
pub fn openapi_json() -> String {
    let mut text = serde_json::to_string_pretty(&openapi())
        .expect("the document is made of strings, lists and maps with string keys");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
