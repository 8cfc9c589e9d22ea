//! `flow-monitor env`: the lines that point a client at the monitor, for a shell to read.

use std::io::Write as _;

use anyhow::Context as _;

use crate::args::EnvArgs;
use crate::config::Config;
use crate::instance::Instance;
use crate::recipes::{Plan, Recipes};
use crate::shell::{self, Shell};
use crate::{Exit, commands::run};

pub(crate) fn show(config: &Config, args: &EnvArgs) -> anyhow::Result<Exit> {
    let recipes = Recipes::load()?;
    let recipe = match &args.client {
        Some(name) => recipes.named(name).with_context(|| {
            let known = recipes.all().iter().map(|recipe| recipe.name.as_str());
            let known = known.collect::<Vec<_>>().join(", ");
            format!("there is no recipe for `{name}`, only for {known}")
        })?,
        None => recipes.general()?,
    };
    let user_shell = std::env::var("SHELL").ok();
    let shell = args
        .shell
        .unwrap_or_else(|| Shell::named(user_shell.as_deref()));
    let instance = Instance::running(config)?;
    let at = match &instance {
        Some(instance) => instance.place()?,
        None => run::configured_place(config),
    };
    let around = run::surroundings(&at, args.name.as_deref())?;
    let plan = Plan::new(recipe, &around);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", shell::comment(&recipe.title()))?;
    for (name, value) in &plan.set {
        writeln!(out, "{}", shell.export(name, value))?;
    }
    if !plan.args.is_empty() {
        let words = [vec![recipe.name.clone()], plan.args.clone()].concat();
        let text = format!(
            "it takes the base URL as an argument: {}",
            shell.command(&words)
        );
        writeln!(out, "{}", shell::comment(&text))?;
    }
    if plan.set.is_empty() && plan.args.is_empty() {
        for cause in &recipe.unseen {
            writeln!(out, "{}", shell::comment(cause))?;
        }
    }
    for warning in &plan.warnings {
        crate::complain(warning);
    }
    if instance.is_none() {
        crate::complain("no monitor is running: start one with `flow-monitor`");
    }
    Ok(Exit::Success)
}
