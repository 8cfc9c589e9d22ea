//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::shell::Shell;

/// Records, explains and controls the traffic between programs and large language models.
#[derive(Debug, Parser)]
#[command(name = "flow-monitor", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Options {
    /// Directory of the record. [default: ~/.flow-monitor]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file. [default: DIR/flow-monitor.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address of the proxy that clients are pointed at. [default: 127.0.0.1:8377]
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) proxy_listen: Option<String>,
    /// Address of the page and the API. [default: 127.0.0.1:8378]
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) ui_listen: Option<String>,
    /// An upstream of your own, or another address for a built-in one; may be given several times.
    #[arg(long = "upstream", global = true, value_name = "NAME=URL")]
    pub(crate) upstreams: Vec<String>,
    /// How much is logged: error, warn, info, debug or trace. [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Form of the log: text or json. [default: text]
    #[arg(long, global = true, value_name = "FORM")]
    pub(crate) log_format: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the monitor: the proxy, the page and the API.
    Serve,
    /// Starts the monitor with a fake provider and plays agents' traffic through it. Needs no key.
    Demo(DemoArgs),
    /// Starts a command whose calls are recorded; needs no running monitor.
    Run(RunArgs),
    /// Prints the lines that point a client at the monitor, for a shell to read.
    Env(EnvArgs),
    /// Lists, shows and follows recorded flows.
    #[command(subcommand)]
    Flows(FlowsCommand),
    /// Reads recorded exchanges, one JSON object a line, and prints one reading a line. Prices are the built-in ones.
    Read {
        /// Files of exchanges; `-` is standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Instant whose prices hold, in seconds since 1970, for exchanges without a time of their own. [default: now]
        #[arg(long, value_name = "SECONDS")]
        at: Option<i64>,
    },
    /// Derives the rows of recorded flows again: tokens, cost, client and the like. What was on the wire stays.
    Reindex(ReindexArgs),
    /// Looks after the files of the record: what they weigh, whether they are sound, copies of them.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the token of the API, or a link that opens the page.
    Token {
        /// Print a link that signs a browser in, once, at the running monitor.
        #[arg(long)]
        link: bool,
    },
    /// Prints the description of the API (OpenAPI).
    #[command(hide = true)]
    Openapi,
}

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many times faster than a person's pace.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub(crate) speed: f64,
    /// Stop playing after this many rounds; the page stays.
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u32>,
    /// Seed of the order in which things happen.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
}

/// Options of `reindex`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ReindexArgs {
    /// Every row, and not only those that another release or another price table made.
    #[arg(long)]
    pub(crate) all: bool,
    /// Change nothing: only count what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Name of the run, instead of one that is made up.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Say nothing beside what the command says.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print what would be set and started, and start nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The command and its arguments, behind `--`.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) command: Vec<OsString>,
}

/// Options of `env`.
#[derive(Clone, Debug, Args)]
pub(crate) struct EnvArgs {
    /// The shell; without it that of $SHELL.
    #[arg(long, value_enum)]
    pub(crate) shell: Option<Shell>,
    /// Name of a run that the calls are to belong to.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The client, such as claude, codex or gemini; without it the variables of all SDKs.
    pub(crate) client: Option<String>,
}

/// Commands about flows.
#[derive(Debug, Subcommand)]
pub(crate) enum FlowsCommand {
    /// Lists flows, the newest first.
    List {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
        limit: usize,
        /// Which flows: a filter as JSON, such as '{"field":"model","is":"gpt-*"}'.
        #[arg(long, value_name = "JSON")]
        filter: Option<String>,
        /// Words that stand in a prompt or an answer, as they are.
        #[arg(long, value_name = "TEXT", conflicts_with = "filter")]
        search: Option<String>,
        /// Order: `started_at`, duration, ttft, tokens, cost, size, model or any other field of one value; `-` in
        /// front for the largest first.
        #[arg(
            long,
            default_value = "-started_at",
            allow_hyphen_values = true,
            value_name = "KEY"
        )]
        sort: String,
        /// Print one JSON object a flow.
        #[arg(long)]
        json: bool,
    },
    /// Counts flows, exactly.
    Count {
        /// Which flows: a filter as JSON.
        #[arg(long, value_name = "JSON")]
        filter: Option<String>,
    },
    /// Prints the names of a field that most flows have, such as the models.
    Facets {
        /// The field: model, provider, client, state, error, tool and so on.
        field: String,
        /// Which flows: a filter as JSON.
        #[arg(long, value_name = "JSON")]
        filter: Option<String>,
        /// How many names.
        #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
        top: usize,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prints what tokens, money and times of flows come to.
    Stats(StatsArgs),
    /// Shows one flow: what was asked, what was answered, tokens and times.
    Show {
        /// Its id, or the beginning or end of it among the newest flows.
        id: String,
        /// Print the whole flow as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Deletes flows for good: from lists at once, then from every file. Running flows are never deleted.
    Delete(DeleteArgs),
    /// Pins flows: retention leaves them alone, and deletion too unless it says otherwise.
    Pin {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Unpins flows.
    Unpin {
        /// Their ids.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Prints flows as they end.
    Tail {
        /// Print one JSON object a flow.
        #[arg(long)]
        json: bool,
    },
}

/// Commands about the files of the record.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Prints what the record holds and weighs, segment by segment.
    Stats {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Checks every file and every flow, and changes nothing. Names what is hurt, and fails where something is.
    Check {
        /// Rebuild every body too, and compare it with the hash of what was on the wire.
        #[arg(long)]
        deep: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Puts right what a check finds, as far as it can be. No monitor may run.
    Repair {
        /// Change nothing: only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Gives room back that files no longer use.
    Compact {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Copies the record, while it goes on, into a directory that can be used as --data-dir.
    Backup {
        /// The directory: new or empty.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Copies old flows into a directory that is only read, and removes them here where that is asked for.
    Archive {
        /// A day (2026-11-21, UTC) or an age (30d); flows that began then or later stay.
        #[arg(long, value_name = "DATE")]
        before: String,
        /// The directory: new or empty.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Remove here what has been archived.
        #[arg(long)]
        remove: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Options of `flows delete`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Ids of flows.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Which flows: a filter as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Flows that began before a day (2026-11-21, UTC), or that are older than an age (30d).
    #[arg(long, value_name = "DATE")]
    pub(crate) before: Option<String>,
    /// Pinned flows too.
    #[arg(long)]
    pub(crate) pinned: bool,
    /// Delete nothing: only say how many flows and bytes it would be.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `flows stats`.
#[derive(Clone, Debug, Args)]
pub(crate) struct StatsArgs {
    /// By what flows are grouped: fields of names, `hour` and `day` (UTC), with commas between them.
    #[arg(long, value_delimiter = ',', value_name = "FIELD")]
    pub(crate) by: Vec<String>,
    /// Fields of numbers, with commas between them.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = ["input", "output", "cost", "duration"].map(str::to_owned),
        value_name = "FIELD"
    )]
    pub(crate) of: Vec<String>,
    /// Which flows: a filter as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Commands about the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Shows every setting, its value and where the value comes from.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

// === impl Options ===

impl Options {
    /// Returns the values of the flags that stand for settings.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let one = |key, value: &Option<String>| value.clone().map(|value| (key, value));
        let mut settings: Vec<_> = [
            one("proxy_listen", &self.proxy_listen),
            one("ui_listen", &self.ui_listen),
            one("log_level", &self.log_level),
            one("log_format", &self.log_format),
        ]
        .into_iter()
        .flatten()
        .collect();
        let upstreams = self
            .upstreams
            .iter()
            .map(|pair| ("upstreams", pair.clone()));
        settings.extend(upstreams);
        settings
    }
}
