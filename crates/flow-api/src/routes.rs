//! The routes, and their table.
//!
//! Routes enter through [`Routes`] alone, which remembers method and path of each, so that tests can hold the
//! table against the guard and against the OpenAPI document.

pub(crate) mod bodies;
pub(crate) mod config;
pub(crate) mod deletion;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod flows;
pub(crate) mod reindex;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod store;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Uri;

use crate::error::{ApiError, ErrorCode};
use crate::feed;
use crate::page;
use crate::state::App;

/// Longest body of a request to the API.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The routes so far.
pub(crate) struct Routes {
    router: Router<App>,
    table: Vec<(&'static str, &'static str)>,
}

/// Returns all routes.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/healthz", status::healthz)
        .get("/api/status", status::status)
        .get("/api/health", status::health)
        .get("/api/openapi.json", status::openapi)
        .post("/api/session", session::sign_in)
        .post("/api/session/link", session::link)
        .get("/api/config", config::list)
        .patch("/api/config", config::patch)
        .get("/api/flows", flows::list)
        .delete("/api/flows", deletion::delete)
        .get("/api/flows/count", flows::count)
        .get("/api/facets", figures::facets)
        .post("/api/stats", figures::stats)
        .get("/api/histogram", figures::histogram)
        .get("/api/flows/{id}", flows::detail)
        .put("/api/flows/{id}/pin", deletion::pin)
        .delete("/api/flows/{id}/pin", deletion::unpin)
        .get("/api/flows/{id}/request/body", bodies::request)
        .get("/api/flows/{id}/response/body", bodies::response)
        .get("/api/flows/{id}/events", events::events)
        .get("/api/flows/{id}/chunks", events::chunks)
        .get("/api/reindex", reindex::show)
        .post("/api/reindex", reindex::start)
        .delete("/api/reindex", reindex::cancel)
        .get("/api/store", store::stats)
        .get("/api/store/task", store::task)
        .delete("/api/store/task", store::cancel)
        .post("/api/store/check", store::check)
        .post("/api/store/compact", store::compact)
        .post("/api/store/backup", store::backup)
        .post("/api/store/archive", store::archive)
        .get("/api/feed", feed::feed)
        .get("/events", feed::alias)
}

// === impl Routes ===

impl Routes {
    fn new() -> Self {
        Self {
            router: Router::new(),
            table: Vec::new(),
        }
    }

    fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("get", MethodFilter::GET, path, handler)
    }

    fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("post", MethodFilter::POST, path, handler)
    }

    fn put<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("put", MethodFilter::PUT, path, handler)
    }

    fn patch<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("patch", MethodFilter::PATCH, path, handler)
    }

    fn delete<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add("delete", MethodFilter::DELETE, path, handler)
    }

    fn add<H: Handler<T, App>, T: 'static>(
        mut self,
        method: &'static str,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self {
        self.table.push((method, path));
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// Returns the method, in lower case, and the path of every route.
    #[cfg(test)]
    pub(crate) fn table(&self) -> &[(&'static str, &'static str)] {
        &self.table
    }

    /// Returns the routes with what answers everything else: the page.
    pub(crate) fn into_router(self) -> Router<App> {
        self.router
            .fallback(page::page)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
    }
}

async fn method_not_allowed(uri: Uri) -> ApiError {
    let message = format!("`{}` does not know this method", uri.path());
    ApiError::new(ErrorCode::MethodNotAllowed, message)
}

#[cfg(test)]
mod tests;
