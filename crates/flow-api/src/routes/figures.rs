//! Statistics: facets, groups and histograms.

#![expect(
    unused_qualifications,
    reason = "utoipa writes a path before the types named in `params`"
)]

use axum::Json;
use axum::extract::State;
use flow_query::{Field, Flag, Kind};
use flow_store::{GroupBy, Measure, Scale};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::{JsonBody, Params};
use crate::filter;
use crate::shapes::figures::{
    Facet, FacetList, Figures, FiguresQuery, GroupName, HistogramFigures, HistogramScale,
    TimeGroup, TimeSpan,
};
use crate::state::App;

/// Fields of one question for facets.
const FACET_FIELDS_MAX: usize = 16;
/// Names of a facet where nothing is said.
const FACET_NAMES_DEFAULT: usize = 20;
/// Names of a facet.
const FACET_NAMES_MAX: usize = 1000;
/// Things by which flows are grouped.
const GROUP_BY_MAX: usize = 4;
/// Fields that are summed up.
const MEASURES_MAX: usize = 6;
/// Minutes by which a day can begin before or after that of UTC.
const OFFSET_MINUTES_MAX: u32 = 14 * 60;
/// Buckets of a histogram where nothing is said.
const BUCKETS_DEFAULT: usize = 50;
/// Buckets of a histogram.
const BUCKETS_MAX: usize = 1024;
const MINUTE_US: i64 = 60_000_000;

/// What facets are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FacetParams {
    /// Which flows: a filter as a tree of JSON. Without it all of them.
    filter: Option<String>,
    /// Fields of names, with commas between them: 16 at most.
    fields: String,
    /// Names of each: 20 without it, at most 1000.
    top: Option<usize>,
}

/// What a histogram is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistogramParams {
    /// Which flows: a filter as a tree of JSON. Without it all of them.
    filter: Option<String>,
    /// A field of numbers, or `started_at`.
    field: String,
    /// How many buckets there are about: 50 without it, at most 1024.
    buckets: Option<usize>,
    /// How they grow: `linear` without it.
    #[serde(default)]
    #[param(inline)]
    scale: HistogramScale,
}

/// Returns the names that most of the selected flows have, of each of some fields.
#[utoipa::path(
    get,
    path = "/api/facets",
    params(FacetParams),
    responses(
        (status = 200, description = "The names", body = FacetList),
        (status = 400, description = "The parameters make no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "list_facets",
    tag = "figures"
)]
pub(crate) async fn facets(
    State(app): State<App>,
    Params(params): Params<FacetParams>,
) -> Result<Json<FacetList>, ApiError> {
    let filter = filter::checked(params.filter.as_deref())?;
    let names = params.fields.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > FACET_FIELDS_MAX {
        let message = format!("`fields` names 1 to {FACET_FIELDS_MAX} fields");
        return Err(ApiError::bad_query(message));
    }
    let fields = names.into_iter().map(|name| {
        let field = Field::from_name(name).filter(|field| is_of_names(*field));
        field.ok_or_else(|| ApiError::bad_query(unknown("field of names", name, is_of_names)))
    });
    let fields: Vec<Field> = fields.collect::<Result<_, _>>()?;
    let top = params.top.unwrap_or(FACET_NAMES_DEFAULT);
    let top = top.min(FACET_NAMES_MAX);
    let store = app.store.clone();
    let facets = app.blocking.run(move || {
        let facets = store.facets(&filter, &fields, top)?;
        let facets = fields.into_iter().zip(facets);
        Ok::<_, ApiError>(
            facets
                .map(|(field, facets)| Facet::new(field, facets))
                .collect(),
        )
    });
    Ok(Json(FacetList {
        facets: facets.await??,
    }))
}

/// Returns what the numbers of the selected flows come to, by group.
#[utoipa::path(
    post,
    path = "/api/stats",
    request_body = FiguresQuery,
    responses(
        (status = 200, description = "The groups", body = Figures),
        (status = 400, description = "The question makes no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "ask_stats",
    tag = "figures"
)]
pub(crate) async fn stats(
    State(app): State<App>,
    JsonBody(query): JsonBody<FiguresQuery>,
) -> Result<Json<Figures>, ApiError> {
    let filter = filter::checked_tree(query.filter)?;
    if query.group_by.len() > GROUP_BY_MAX || query.measures.len() > MEASURES_MAX {
        let message = format!(
            "flows are grouped by {GROUP_BY_MAX} things and {MEASURES_MAX} fields are summed up at most"
        );
        return Err(ApiError::new(ErrorCode::BadBody, message));
    }
    let by = query.group_by.iter().map(group_by);
    let by: Vec<GroupBy> = by.collect::<Result<_, _>>()?;
    let measures = query.measures.iter().map(|name| {
        let field = Field::from_name(name).filter(|field| is_of_numbers(*field));
        let message = || unknown("field of numbers", name, is_of_numbers);
        let field = field.ok_or_else(|| ApiError::new(ErrorCode::BadBody, message()))?;
        Ok::<_, ApiError>(Measure {
            field,
            percentiles: !query.without_percentiles,
        })
    });
    let measures: Vec<Measure> = measures.collect::<Result<_, _>>()?;
    let store = app.store.clone();
    let figures = app.blocking.run(move || {
        let groups = store.groups(&filter, &by, &measures)?;
        Ok::<_, ApiError>(Figures::new(groups, &measures))
    });
    Ok(Json(figures.await??))
}

/// Returns how the numbers of a field are spread over the selected flows.
#[utoipa::path(
    get,
    path = "/api/histogram",
    params(HistogramParams),
    responses(
        (status = 200, description = "The buckets", body = HistogramFigures),
        (status = 400, description = "The parameters make no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "show_histogram",
    tag = "figures"
)]
pub(crate) async fn histogram(
    State(app): State<App>,
    Params(params): Params<HistogramParams>,
) -> Result<Json<HistogramFigures>, ApiError> {
    let filter = filter::checked(params.filter.as_deref())?;
    let spreads = |field: Field| is_of_numbers(field) || field.kind() == Kind::Time;
    let field = Field::from_name(&params.field).filter(|field| spreads(*field));
    let message = || unknown("field of numbers", &params.field, spreads);
    let field = field.ok_or_else(|| ApiError::bad_query(message()))?;
    let scale = match params.scale {
        HistogramScale::Linear => Scale::Linear,
        HistogramScale::Log => Scale::Log,
    };
    let buckets = params.buckets.unwrap_or(BUCKETS_DEFAULT);
    let buckets = buckets.clamp(1, BUCKETS_MAX);
    let store = app.store.clone();
    let spread = app
        .blocking
        .run(move || store.histogram(&filter, field, scale, buckets))
        .await??;
    Ok(Json(HistogramFigures::new(field, spread)))
}

fn group_by(name: &GroupName) -> Result<GroupBy, ApiError> {
    match name {
        GroupName::Time(TimeGroup {
            time,
            offset_minutes,
        }) => {
            if offset_minutes.unsigned_abs() > OFFSET_MINUTES_MAX {
                let message =
                    format!("`offset_minutes` is {OFFSET_MINUTES_MAX} at most, either way");
                return Err(ApiError::new(ErrorCode::BadBody, message));
            }
            let minutes = match time {
                TimeSpan::Hour => 60,
                TimeSpan::Day => 24 * 60,
            };
            Ok(GroupBy::Time {
                width_us: minutes * MINUTE_US,
                offset_us: i64::from(*offset_minutes) * MINUTE_US,
            })
        }
        GroupName::Name(name) => {
            let field = Field::from_name(name).filter(|field| is_of_names(*field));
            let field = field.map(GroupBy::Name);
            let found = field.or_else(|| Flag::from_name(name).map(GroupBy::Flag));
            found.ok_or_else(|| {
                let message = unknown("field of names", name, is_of_names);
                let flags = Flag::ALL.map(Flag::name).join(", ");
                let message = format!("{message}; or one of {flags}");
                ApiError::new(ErrorCode::BadBody, message)
            })
        }
    }
}

const fn is_of_names(field: Field) -> bool {
    matches!(field.kind(), Kind::Name | Kind::Names)
}

const fn is_of_numbers(field: Field) -> bool {
    matches!(field.kind(), Kind::Number(_))
}

fn unknown(what: &str, name: &str, known: impl Fn(Field) -> bool) -> String {
    let known = Field::ALL.into_iter().filter(|field| known(*field));
    let known: Vec<&str> = known.map(Field::name).collect();
    let short: String = name.chars().take(64).collect();
    format!(
        "no {what} is called {short:?}; known are {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests;
