//! Recipes: how a client is pointed at the monitor. Data, in `recipes/recipes.toml`.
//!
//! ```toml
//! [[recipe]]
//! name = "acme"                       # what `flow-monitor env` takes
//! label = "Acme"                      # for people
//! programs = ["acme"]                 # names of the program; none is the recipe of all others
//! packages = ["@acme/cli"]            # what a launcher such as npx calls it
//! checked = "1.2"                     # with which version it was seen to work
//! set = [{ names = ["ACME_URL"], value = "{root}/openai/v1" }]
//! args = ["--url", "{root}/openai"]   # arguments put in front of the user's own
//! watch = [{ env = "ACME_DIRECT", says = "…" }]   # what would lead it past the monitor
//! unseen = ["…"]                      # likely causes where no call was seen
//! ```
//!
//! `{root}` is the monitor's address with the run. A variable that the user has set already is not overridden: a
//! key must not go to another provider. Where it leads to an upstream of the monitor, it is led there through the
//! monitor; else it stays, and a warning says so.

mod plan;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

pub(crate) use plan::{Plan, Surroundings};

/// The recipes in the tree.
const FILE: &str = include_str!("recipes/recipes.toml");
/// The form of the file that is read here.
const FORMAT: u32 = 1;
/// The recipe for programs that have none.
const GENERAL: &str = "sdk";
/// Endings of programs' names that say nothing.
const ENDINGS: [&str; 7] = [".exe", ".cmd", ".ps1", ".js", ".mjs", ".cjs", ".py"];

/// All recipes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipes {
    format: u32,
    launchers: Vec<String>,
    #[serde(rename = "recipe")]
    all: Vec<Recipe>,
}

/// How one client is pointed at the monitor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    packages: Vec<String>,
    checked: String,
    #[serde(default)]
    set: Vec<Group>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    watch: Vec<Watch>,
    /// Likely causes where no call was seen.
    pub(crate) unseen: Vec<String>,
}

/// Variables that mean the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    names: Vec<String>,
    value: String,
}

/// Something that would lead a client past the monitor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// A variable that is set.
    env: Option<String>,
    /// A file below the home directory …
    file: Option<String>,
    /// … or at `path` below the directory that this variable names, if it is set.
    variable: Option<String>,
    path: Option<String>,
    /// What the file holds.
    holds: Option<String>,
    /// A variable that makes it not matter.
    unless: Option<String>,
    /// The recipe would break the client and is not applied.
    #[serde(default)]
    blocks: bool,
    /// What to tell.
    says: String,
}

/// A recipe and the place in the command line where its arguments go.
#[derive(Debug)]
pub(crate) struct Chosen<'a> {
    pub(crate) recipe: &'a Recipe,
    args_at: usize,
}

// === impl Recipe ===

impl Recipe {
    /// Returns whether it is the recipe of programs that have none of their own.
    pub(crate) fn is_general(&self) -> bool {
        self.name == GENERAL
    }

    /// Returns what it is for and with which version it was seen to work.
    pub(crate) fn title(&self) -> String {
        format!("{}, as of {}", self.label, self.checked)
    }
}

// === impl Recipes ===

impl Recipes {
    /// Reads the recipes of the tree.
    pub(crate) fn load() -> anyhow::Result<Self> {
        Self::parse(FILE)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let recipes: Self = toml::from_str(text).context("the recipes have another form")?;
        ensure!(
            recipes.format == FORMAT,
            "the recipes have form {}, known is {FORMAT}",
            recipes.format
        );
        Ok(recipes)
    }

    /// Returns the recipe of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Recipe> {
        self.all.iter().find(|recipe| recipe.name == name)
    }

    /// Returns every recipe, the general one first.
    pub(crate) fn all(&self) -> &[Recipe] {
        &self.all
    }

    /// Returns the recipe of programs that have none of their own.
    pub(crate) fn general(&self) -> anyhow::Result<&Recipe> {
        self.named(GENERAL).context("there is no general recipe")
    }

    /// Returns the recipe for a command. Launchers are looked through: `npx @openai/codex exec` is Codex.
    pub(crate) fn choose(&self, command: &[OsString]) -> anyhow::Result<Chosen<'_>> {
        let mut at = 0;
        while let Some(word) = command.get(at) {
            let name = program_name(word);
            if let Some(recipe) = self.of_program(&name, at > 0) {
                let mut args_at = at + 1;
                // `npx -p @openai/codex codex exec` names it twice.
                let again = command.get(args_at).map(|word| program_name(word));
                if at > 0 && again.is_some_and(|name| recipe.programs.contains(&name)) {
                    args_at += 1;
                }
                return Ok(Chosen { recipe, args_at });
            }
            let launches = at > 0 || self.launchers.contains(&name);
            let passed_over = |word: &OsString| {
                let word = word.to_string_lossy();
                word.starts_with('-') || (word.contains('=') && !word.contains('/'))
            };
            if !launches || (at > 0 && !passed_over(word)) {
                break;
            }
            at += 1;
        }
        Ok(Chosen {
            recipe: self.general()?,
            args_at: command.len(),
        })
    }

    fn of_program(&self, name: &str, launched: bool) -> Option<&Recipe> {
        self.all.iter().find(|recipe| {
            recipe.programs.iter().any(|program| program == name)
                || (launched && recipe.packages.iter().any(|package| package == name))
        })
    }
}

/// Returns a program's name without its folder and ending, or a package's without its version.
fn program_name(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    // `@scope/name@1.2`: the scope stays, the version goes.
    if let Some(scoped) = text.strip_prefix('@') {
        let name = scoped.split('@').next().unwrap_or(scoped);
        return format!("@{name}");
    }
    let path = Path::new(word).file_name().unwrap_or(word);
    let name = path.to_string_lossy();
    let name = name.split('@').next().unwrap_or_default();
    let ending = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    ending.unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests;
