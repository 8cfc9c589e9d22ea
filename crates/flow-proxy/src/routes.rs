//! Routes: from a request's target and headers to the upstream and the path there.
//!
//! ```text
//! [/run/{id}] /NAME[/{parameter}][/rest]     a named upstream
//! [/run/{id}] /v1/…  /v1beta/…  /resource…   a bare path: the upstream is told by path, method suffix and headers
//! ```
//!
//! Everything here is pure. A path's bytes are passed as received, neither decoded nor normalised; only the
//! route's prefix is taken off and the version segment settled. Where the upstream has a base path, a path with
//! dot segments is refused, since the upstream might resolve it to something outside of that base.

mod family;

use std::collections::HashMap;
use std::sync::Arc;

use flow_model::Api;
use http::HeaderMap;

use crate::upstreams::{
    Origin, Upstream, UpstreamInfo, VersionRule, built_in, is_version, split_segment,
};

pub(crate) use family::{bare_family, told_family};

/// Longest id of a run.
const RUN_ID_BYTES_MAX: usize = 128;

/// The upstreams by name.
#[derive(Clone, Debug)]
pub struct Routes {
    by_name: HashMap<String, Arc<Upstream>>,
    in_order: Vec<Arc<Upstream>>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The upstream.
    pub upstream: Arc<Upstream>,
    /// Its scheme, host and port.
    pub origin: Arc<Origin>,
    /// Path and query there.
    pub path_and_query: String,
    /// Family in whose shape errors are answered.
    pub api: Api,
    /// The run that the path named.
    pub run: Option<String>,
}

/// A target that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoute {
    /// What is wrong with it.
    pub reason: NoRouteReason,
    /// Family in whose shape the error is answered.
    pub api: Api,
    /// The run that the path named.
    pub run: Option<String>,
}

/// Why a target leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRouteReason {
    /// No upstream has this name, and it is no bare path.
    Unknown,
    /// The upstream's parameter is missing or cannot stand in a host name.
    Parameter {
        /// The upstream's path as lists show it.
        path: String,
    },
    /// The path has dot segments that might leave the upstream's base path.
    Escape,
}

impl Routes {
    /// Returns the built-in upstreams with the user's, which take the place of built-in ones of the same name.
    pub fn new(defined: Vec<Upstream>) -> Self {
        let mut in_order: Vec<Arc<Upstream>> = Vec::new();
        let mut by_name = HashMap::new();
        for upstream in built_in().chain(defined) {
            let upstream = Arc::new(upstream);
            let old = by_name.insert(upstream.name().to_owned(), Arc::clone(&upstream));
            in_order.retain(|other| old.as_ref().is_none_or(|old| !Arc::ptr_eq(old, other)));
            in_order.push(upstream);
        }
        Self { by_name, in_order }
    }

    /// Returns the upstreams as lists show them: built-in ones first.
    pub fn list(&self) -> Vec<UpstreamInfo> {
        self.in_order
            .iter()
            .map(|upstream| upstream.info())
            .collect()
    }

    /// Returns where a request with this origin-form target and these headers goes.
    pub fn route(&self, path_and_query: &str, headers: &HeaderMap) -> Result<Target, NoRoute> {
        let (path, query) = split_query(path_and_query);
        let (run, path) = split_run(path);
        let run = run.map(str::to_owned);
        let (name, rest) = split_segment(path);
        let found = match self.by_name.get(name) {
            Some(upstream) => named(upstream, rest, headers),
            None => self.bare(path, headers),
        };
        let Found {
            upstream,
            origin,
            rest,
            api,
        } = found.map_err(|(reason, api)| NoRoute {
            reason,
            api,
            run: run.clone(),
        })?;
        let path = upstream.version().apply(rest);
        if !upstream.base_path().is_empty() && has_dot_segment(&path) {
            let reason = NoRouteReason::Escape;
            return Err(NoRoute { reason, api, run });
        }
        let path_and_query = [upstream.base_path(), &path, query].concat();
        Ok(Target {
            upstream,
            origin,
            path_and_query,
            api,
            run,
        })
    }

    fn bare<'p>(
        &self,
        path: &'p str,
        headers: &HeaderMap,
    ) -> Result<Found<'p>, (NoRouteReason, Api)> {
        let family = bare_family(path, headers);
        let unknown = (NoRouteReason::Unknown, family.api());
        let (first, _) = split_segment(path);
        let upstream = self
            .by_name
            .get(family.upstream())
            .ok_or_else(|| unknown.clone())?;
        let known = match upstream.version() {
            VersionRule::Versioned { resources, .. } => resources.contains(&first),
            VersionRule::AsReceived | VersionRule::Always(_) => false,
        };
        if !is_version(first) && !known {
            return Err(unknown);
        }
        let origin = upstream.origin(None).ok_or(unknown)?;
        Ok(Found {
            upstream: Arc::clone(upstream),
            origin,
            rest: path,
            api: family.api(),
        })
    }
}

/// An upstream with what is left of the path.
struct Found<'p> {
    upstream: Arc<Upstream>,
    origin: Arc<Origin>,
    rest: &'p str,
    api: Api,
}

fn named<'p>(
    upstream: &Arc<Upstream>,
    rest: &'p str,
    headers: &HeaderMap,
) -> Result<Found<'p>, (NoRouteReason, Api)> {
    let (parameter, rest) = if upstream.is_template() {
        let (parameter, rest) = split_segment(rest);
        (Some(parameter), rest)
    } else {
        (None, rest)
    };
    let api = told_family(rest, headers)
        .or(upstream.api())
        .unwrap_or(Api::Openai);
    let origin = upstream.origin(parameter).ok_or_else(|| {
        let path = upstream.info().path;
        (NoRouteReason::Parameter { path }, api)
    })?;
    Ok(Found {
        upstream: Arc::clone(upstream),
        origin,
        rest,
        api,
    })
}

/// Returns the path, and the query with its question mark.
pub(crate) fn split_query(path_and_query: &str) -> (&str, &str) {
    let end = memchr::memchr(b'?', path_and_query.as_bytes()).unwrap_or(path_and_query.len());
    path_and_query
        .split_at_checked(end)
        .unwrap_or((path_and_query, ""))
}

/// Returns the run that the path names in front, and the path without it.
fn split_run(path: &str) -> (Option<&str>, &str) {
    let (first, rest) = split_segment(path);
    let (id, after) = split_segment(rest);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_id = (1..=RUN_ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(plain)
        && id != "."
        && id != "..";
    if first == "run" && is_id {
        (Some(id), after)
    } else {
        (None, path)
    }
}

/// Returns whether some server might read a segment of the path as `.` or `..`.
fn has_dot_segment(path: &str) -> bool {
    let read = path
        .to_ascii_lowercase()
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "\\");
    read.split(['/', '\\'])
        .any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests;
