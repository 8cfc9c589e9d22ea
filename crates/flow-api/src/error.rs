//! The one error that every route answers with.
//!
//! A code is stable and belongs to one status; the message says what happened to which thing; the help says what
//! to do about it. Nothing of a store's or a system's inner workings leaves through a message: what only the
//! person who runs the monitor can use goes to the log.

use axum::Json;
use axum::response::{IntoResponse, Response};
use flow_query::FilterError;
use flow_store::ReadError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// Stable names of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorCode {
    /// The request names a host that is not the monitor's.
    HostNotAllowed,
    /// The request comes from a page of another origin.
    CrossOrigin,
    /// No token, or a wrong one.
    Unauthorized,
    /// The one-time code is unknown, used or too old.
    CodeExpired,
    /// Too many wrong tokens were tried.
    TooManyAttempts,
    /// No such route or file.
    NotFound,
    /// No flow has this id.
    NoSuchFlow,
    /// The route does not know this method.
    MethodNotAllowed,
    /// A parameter of the query cannot be read.
    BadQuery,
    /// The body cannot be read.
    BadBody,
    /// The filter makes no sense; `filter` says what is wrong with it.
    BadFilter,
    /// The cursor is not one of this list.
    BadCursor,
    /// Some settings were refused; `fields` says which.
    BadConfig,
    /// The range lies outside of the body.
    RangeNotSatisfiable,
    /// Too many feeds are open.
    TooManyFeeds,
    /// Rows are being derived again already.
    ReindexRunning,
    /// A task of the store is under way already.
    StoreTaskRunning,
    /// The record is only read.
    ReadOnly,
    /// The flow's records are hurt on disk.
    FlowDamaged,
    /// The store cannot be read at the moment.
    StoreUnavailable,
    /// A defect of the monitor.
    Internal,
}

/// What every route answers with where it cannot do what was asked.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: String,
    fields: Vec<FieldError>,
    filter: Vec<FilterFlaw>,
    retry_after_s: Option<u64>,
    /// Length of the body that a range does not fit.
    length: Option<u64>,
}

/// The JSON of an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// Stable name of the error.
    pub code: ErrorCode,
    /// What happened, to which thing.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Each part of the request that was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Everything that is wrong with the filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<FilterFlaw>,
}

/// One thing that is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FilterFlaw {
    /// Where: a JSON pointer into the filter, empty for the whole.
    pub at: String,
    /// Stable name of the mistake, such as `unknown_field`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// One part of a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its name.
    pub key: String,
    /// Why it was refused.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

// === impl ErrorCode ===

impl ErrorCode {
    /// Returns the status that goes with the code.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::HostNotAllowed => StatusCode::MISDIRECTED_REQUEST,
            Self::CrossOrigin | Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Unauthorized | Self::CodeExpired => StatusCode::UNAUTHORIZED,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound | Self::NoSuchFlow => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadQuery
            | Self::BadBody
            | Self::BadFilter
            | Self::BadCursor
            | Self::BadConfig => StatusCode::BAD_REQUEST,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::ReindexRunning | Self::StoreTaskRunning => StatusCode::CONFLICT,
            Self::TooManyFeeds | Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::FlowDamaged | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::HostNotAllowed => {
                "use localhost or 127.0.0.1, or add the name to the setting `allowed_hosts`"
            }
            Self::CrossOrigin => {
                "only the monitor's own page may do this; a program sends its token as `Authorization: Bearer`"
            }
            Self::Unauthorized => {
                "open the link that the monitor printed at its start, or send the token of the file `token` in its data directory as `Authorization: Bearer`"
            }
            Self::CodeExpired => {
                "a link works once and for ten minutes; `flow-monitor token` gives the token, or restart for a new link"
            }
            Self::TooManyAttempts => "wait, then try again with the right token",
            Self::NotFound => "GET /api/openapi.json lists every route",
            Self::NoSuchFlow => {
                "it may have been deleted; GET /api/flows lists the flows that there are"
            }
            Self::MethodNotAllowed => "GET /api/openapi.json lists the methods of every route",
            Self::BadQuery | Self::BadBody => "GET /api/openapi.json describes what is expected",
            Self::BadFilter => "`filter` of this answer says what is wrong, and where",
            Self::BadCursor => "start again without `cursor`; a cursor belongs to one sort order",
            Self::BadConfig => "GET /api/config lists every setting with its type",
            Self::RangeNotSatisfiable => "`Content-Range` of this answer gives the length",
            Self::TooManyFeeds => "close a page of the monitor and try again",
            Self::ReindexRunning => {
                "GET /api/reindex says how far it is; DELETE /api/reindex stops it"
            }
            Self::StoreTaskRunning => {
                "GET /api/store/task says how far it is; DELETE /api/store/task stops it"
            }
            Self::ReadOnly => {
                "an archive stays as it is; flows are recorded and changed in the data directory of a running monitor"
            }
            Self::FlowDamaged => {
                "other flows are not touched; GET /api/health says what is damaged"
            }
            Self::StoreUnavailable => "GET /api/health says what is wrong; the log says more",
            Self::Internal => "please report it with the lines of the log around this time",
        }
    }
}

// === impl ApiError ===

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
            filter: Vec::new(),
            retry_after_s: None,
            length: None,
        }
    }

    pub(crate) fn bad_query(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadQuery, message)
    }

    pub(crate) fn no_such_flow(id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NoSuchFlow, format!("no flow has the id `{id}`"))
    }

    pub(crate) fn bad_filter(errors: Vec<FilterError>) -> Self {
        let first = errors.first().map(|error| error.message.clone());
        let message = first.unwrap_or_else(|| "the filter makes no sense".to_owned());
        Self {
            filter: errors.into_iter().map(FilterFlaw::from).collect(),
            ..Self::new(ErrorCode::BadFilter, message)
        }
    }

    #[must_use]
    pub(crate) fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.fields = fields;
        self
    }

    #[must_use]
    pub(crate) const fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    #[must_use]
    pub(crate) const fn with_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    #[cfg(test)]
    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }
}

impl From<FilterError> for FilterFlaw {
    fn from(error: FilterError) -> Self {
        let code = serde_json::to_value(error.code);
        Self {
            at: error.at,
            code: code
                .ok()
                .and_then(|code| code.as_str().map(str::to_owned))
                .unwrap_or_default(),
            message: error.message,
            help: error.help,
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::BadCursor => Self::new(ErrorCode::BadCursor, error.to_string()),
            ReadError::Damaged { .. } => Self::new(ErrorCode::FlowDamaged, error.to_string()),
            ReadError::Segment(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot read the store"
                );
                Self::new(ErrorCode::StoreUnavailable, "the store cannot be read")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ErrorBody {
            error: ErrorDetail {
                code: self.code,
                message: self.message,
                help: Some(self.code.help().to_owned()),
                fields: self.fields,
                filter: self.filter,
            },
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.code == ErrorCode::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(range) = self
            .length
            .and_then(|length| HeaderValue::try_from(format!("bytes */{length}")).ok())
        {
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }
}
