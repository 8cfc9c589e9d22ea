//! A recipe applied to a command and what surrounds it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::{Chosen, Recipe, Watch};

/// Bytes of another program's file that are looked at.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// Hosts that a client must reach without the proxy which its environment may name.
const LOCAL_HOSTS: &str = "127.0.0.1,localhost";
/// Variables that name a proxy.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What a recipe is applied to.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// The environment of the command.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: Option<PathBuf>,
    /// The monitor's address, with the run: `http://127.0.0.1:8377/run/claude-k3x9`.
    pub(crate) root: String,
    /// Names and URLs of the upstreams that the monitor has a route to.
    pub(crate) upstreams: Vec<(String, String)>,
}

/// What is to be done to have a command recorded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Variables to set.
    pub(crate) set: Vec<(String, String)>,
    /// Arguments to put in front of the client's own.
    pub(crate) args: Vec<String>,
    /// What may keep the client's calls from being seen.
    pub(crate) warnings: Vec<String>,
}

// === impl Plan ===

impl Plan {
    /// Applies a recipe.
    pub(crate) fn new(recipe: &Recipe, around: &Surroundings) -> Self {
        let mut plan = Self::default();
        let met: Vec<_> = recipe
            .watch
            .iter()
            .filter(|watch| watch.is_met(around))
            .collect();
        plan.warnings = met.iter().map(|watch| watch.says.clone()).collect();
        if met.iter().any(|watch| watch.blocks) {
            return plan;
        }
        for group in &recipe.set {
            let target = group.value.replace("{root}", &around.root);
            plan.set_group(&group.names, &target, around);
        }
        let args = recipe.args.iter();
        plan.args = args
            .map(|arg| arg.replace("{root}", &around.root))
            .collect();
        plan.bypass_proxies(around);
        plan
    }

    /// Returns the command with the recipe's arguments at their place.
    pub(crate) fn command(&self, chosen: &Chosen<'_>, command: &[OsString]) -> Vec<OsString> {
        let at = chosen.args_at.min(command.len());
        let (before, behind) = command.split_at(at);
        let args = self.args.iter().map(OsString::from);
        before
            .iter()
            .cloned()
            .chain(args)
            .chain(behind.iter().cloned())
            .collect()
    }

    /// Sets all names of a group or, where the user has set some of them, leads those through the monitor.
    fn set_group(&mut self, names: &[String], target: &str, around: &Surroundings) {
        let given = |name: &String| {
            let value = around.environment.get(name)?;
            Some((name.clone(), value)).filter(|(_, value)| !value.is_empty())
        };
        let given: Vec<_> = names.iter().filter_map(given).collect();
        if given.is_empty() {
            let all = names.iter().map(|name| (name.clone(), target.to_owned()));
            self.set.extend(all);
        }
        for (name, value) in given {
            match through(value, around) {
                Some(led) => self.set.push((name, led)),
                None => self.warnings.push(format!(
                    "{name} is set and leads to no upstream of the monitor: it stays; add one with --upstream NAME=URL"
                )),
            }
        }
    }

    /// Keeps a proxy in the environment from taking what is meant for the monitor.
    fn bypass_proxies(&mut self, around: &Surroundings) {
        let is_set = |name: &&str| {
            around
                .environment
                .get(*name)
                .is_some_and(|value| !value.is_empty())
        };
        if !PROXIES.iter().any(is_set) {
            return;
        }
        for name in ["NO_PROXY", "no_proxy"] {
            let old = around.environment.get(name).map_or("", String::as_str);
            let new = match old {
                "" => LOCAL_HOSTS.to_owned(),
                "*" => continue,
                old => format!("{old},{LOCAL_HOSTS}"),
            };
            self.set.push((name.to_owned(), new));
        }
    }
}

/// Returns a base URL of the user's own, led through the monitor; none where no upstream covers it.
fn through(url: &str, around: &Surroundings) -> Option<String> {
    let behind = |upstream: &str| -> Option<String> {
        let upstream = upstream.trim_end_matches('/');
        let (front, rest) = url.split_at_checked(upstream.len())?;
        let fits =
            front.eq_ignore_ascii_case(upstream) && (rest.is_empty() || rest.starts_with('/'));
        fits.then(|| rest.trim_end_matches('/').to_owned())
    };
    // The longest URL says most.
    around
        .upstreams
        .iter()
        .filter_map(|(name, upstream)| Some((upstream.len(), name, behind(upstream)?)))
        .max_by_key(|(length, ..)| *length)
        .map(|(_, name, rest)| format!("{}/{name}{rest}", around.root))
}

// === impl Watch ===

impl Watch {
    fn is_met(&self, around: &Surroundings) -> bool {
        let variable = |name: &String| {
            let value = around.environment.get(name);
            value.filter(|value| !value.is_empty())
        };
        if self.unless.as_ref().and_then(variable).is_some() {
            return false;
        }
        if let Some(name) = &self.env {
            return variable(name).is_some_and(|value| !matches!(value.as_str(), "0" | "false"));
        }
        let below = self
            .variable
            .as_ref()
            .and_then(variable)
            .zip(self.path.as_ref());
        let path = match (below, &self.file) {
            (Some((dir, path)), _) => PathBuf::from(dir).join(path),
            (None, Some(file)) => {
                let Some(home) = &around.home else {
                    return false;
                };
                home.join(file.trim_start_matches("~/"))
            }
            (None, None) => return false,
        };
        let holds = self.holds.as_deref().unwrap_or_default();
        file_holds(&path, holds)
    }
}

/// Returns whether a file holds a text. Nothing of it is kept or shown.
fn file_holds(path: &std::path::Path, text: &str) -> bool {
    use std::io::Read as _;

    let mut held = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut held));
    read.is_ok() && String::from_utf8_lossy(&held).contains(text)
}
