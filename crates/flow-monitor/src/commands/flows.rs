//! `flow-monitor flows`: recorded flows in a terminal.

mod delete;
mod figures;

use std::io::{self, Write};

use anyhow::Context as _;
use flow_model::{Money, Part, Reading, Role, Row, State};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Exit;
use crate::args::FlowsCommand;
use crate::config::Config;
use crate::instance::{Instance, Refused};
use crate::text;

/// Flows that are asked for at once.
const PAGE_FLOWS: usize = 1000;
/// Newest flows among which a shortened id is looked for.
const SHORT_ID_FLOWS: usize = 1000;

pub(crate) fn run(config: &Config, command: FlowsCommand) -> anyhow::Result<Exit> {
    match command {
        FlowsCommand::List {
            limit,
            filter,
            search,
            sort,
            json,
        } => {
            let search =
                search.map(|text| json!({"text": "content", "contains": text}).to_string());
            let filter = filter.or(search);
            let query = figures::query(&[("sort", Some(&sort)), ("filter", filter.as_deref())]);
            list(&Instance::open(config)?, limit, &query, json)
        }
        FlowsCommand::Count { filter } => {
            figures::count(&Instance::open(config)?, filter.as_deref())
        }
        FlowsCommand::Facets {
            field,
            filter,
            top,
            json,
        } => figures::facets(
            &Instance::open(config)?,
            &field,
            filter.as_deref(),
            top,
            json,
        ),
        FlowsCommand::Stats(args) => figures::stats(&Instance::open(config)?, &args),
        FlowsCommand::Show { id, json } => show(&Instance::open(config)?, &id, json),
        FlowsCommand::Delete(args) => delete::delete(config, &args),
        FlowsCommand::Pin { ids } => delete::pin(config, &ids, true),
        FlowsCommand::Unpin { ids } => delete::pin(config, &ids, false),
        FlowsCommand::Tail { json } => tail(&Instance::open(config)?, json),
    }
}

fn list(instance: &Instance, limit: usize, query: &str, json: bool) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    let (mut left, mut cursor) = (limit, None::<String>);
    while left > 0 {
        let mut path = format!("/api/flows?{query}&limit={}", left.min(PAGE_FLOWS));
        if let Some(cursor) = &cursor {
            path.push_str("&cursor=");
            path.push_str(cursor);
        }
        let page = instance.get(&path)?;
        let flows = page
            .get("flows")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for flow in &flows {
            print_row(&mut out, flow, json)?;
        }
        left -= flows.len().min(left);
        cursor = page
            .get("next_cursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        figures::warn_if_partial(&page);
        if cursor.is_none() || flows.is_empty() {
            break;
        }
    }
    Ok(Exit::Success)
}

fn tail(instance: &Instance, json: bool) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    let mut first = true;
    instance.follow("/api/feed?topics=flows", |data| {
        let message: Value = serde_json::from_str(data).unwrap_or_default();
        // The snapshot holds flows that had ended before.
        if std::mem::take(&mut first)
            && message.get("kind").and_then(Value::as_str) == Some("snapshot")
        {
            return Ok(());
        }
        let flows = message.pointer("/data/flows").and_then(Value::as_array);
        for flow in flows.into_iter().flatten() {
            let ended = flow.get("end").is_some_and(|end| !end.is_null());
            if ended {
                print_row(&mut out, flow, json)?;
            }
        }
        out.flush()?;
        Ok(())
    })?;
    Ok(Exit::Success)
}

fn print_row(out: &mut impl Write, flow: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{flow}")?;
        return Ok(());
    }
    let row: Row =
        serde_json::from_value(flow.clone()).context("the API gave a row of another form")?;
    writeln!(out, "{}", row_line(&row))?;
    Ok(())
}

fn row_line(row: &Row) -> String {
    let tools = row.tools.join(",");
    let said = row
        .answer
        .as_deref()
        .or(row.preview.as_deref())
        .unwrap_or_default();
    let estimated = if row.estimated { "~" } else { "" };
    format!(
        "{}  {}  {:9}  {:3}  {:28}  {:>7} in {:>7} out  {:>10}  ttft {:>7}  {:>8}  {:20}  {}{}",
        row.id,
        text::instant(row.started_at),
        state(row.state),
        row.status
            .map_or_else(|| "-".to_owned(), |status| status.to_string()),
        text::line(row.model.as_deref().unwrap_or(&row.path), 28),
        format!("{estimated}{}", text::count(row.tokens.input)),
        format!("{estimated}{}", text::count(row.tokens.output)),
        money(row),
        text::duration(row.ttft_us),
        text::duration(row.duration_us),
        text::line(row.client.as_deref().unwrap_or("-"), 20),
        if tools.is_empty() {
            String::new()
        } else {
            format!("[{}] ", text::line(&tools, 40))
        },
        text::line(said, 60),
    )
}

/// Returns what a flow cost, as far as it is known: dollars or credits, with a mark where they are an estimate.
fn money(row: &Row) -> String {
    let estimated = if row.estimated { "~" } else { "" };
    match (&row.cost, &row.credits) {
        (Some(cost), _) => {
            let dollars = cost.parse::<Money>().unwrap_or_default().dollars();
            format!("{estimated}${dollars:.6}")
        }
        (None, Some(credits)) => format!("{credits} cr"),
        (None, None) => "-".to_owned(),
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Streaming => "streaming",
        State::Intercepted => "held",
        State::Completed => "completed",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    }
}

fn show(instance: &Instance, id: &str, json: bool) -> anyhow::Result<Exit> {
    let Some(detail) = find(instance, id)? else {
        crate::complain(&format!("there is no flow `{id}`"));
        return Ok(Exit::NotFound);
    };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&detail)?)?;
        return Ok(Exit::Success);
    }
    let part = |name| detail.get(name).cloned().unwrap_or_default();
    let row: Row =
        serde_json::from_value(part("flow")).context("the API gave a flow of another form")?;
    let reading: Reading = serde_json::from_value(part("reading"))
        .context("the API gave a reading of another form")?;
    writeln!(out, "{}", row_line(&row))?;
    print_reading(&mut out, &reading)?;
    let failure = detail
        .pointer("/exchange/failure/message")
        .and_then(Value::as_str);
    if let Some(failure) = failure {
        writeln!(out, "\n# failure\n{}", text::block(failure))?;
    }
    Ok(Exit::Success)
}

/// Returns a flow by its id, or by the beginning or end of it among the newest flows.
fn find(instance: &Instance, id: &str) -> anyhow::Result<Option<Value>> {
    let word = |text: &str| {
        text.chars()
            .all(|character| character.is_ascii_hexdigit() || character == '-')
    };
    if !word(id) {
        return Ok(None);
    }
    let mut whole = id.to_owned();
    if id.parse::<flow_model::FlowId>().is_err() {
        let page = instance.get(&format!("/api/flows?limit={SHORT_ID_FLOWS}"))?;
        let flows = page
            .get("flows")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let ids = flows.filter_map(|flow| flow.get("id").and_then(Value::as_str));
        let found: Vec<_> = ids
            .filter(|whole| whole.starts_with(id) || whole.ends_with(id))
            .collect();
        match found.as_slice() {
            [] => return Ok(None),
            [one] => (*one).clone_into(&mut whole),
            [newest, ..] => anyhow::bail!(
                "{} of the newest flows begin or end with `{id}`, the newest is {newest}: give more of the id, its end tells flows apart best",
                found.len()
            ),
        }
    }
    match instance.get(&format!("/api/flows/{whole}")) {
        Ok(detail) => Ok(Some(detail)),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == StatusCode::NOT_FOUND => Ok(None),
            _ => Err(error),
        },
    }
}

fn print_reading(out: &mut impl Write, reading: &Reading) -> anyhow::Result<()> {
    if reading.dialect.is_none() {
        writeln!(
            out,
            "\nThis dialect is not read yet; `--json` shows what was recorded."
        )?;
        return Ok(());
    }
    if !reading.request.system.is_empty() {
        writeln!(out, "\n# system")?;
        print_parts(out, &reading.request.system)?;
    }
    if !reading.request.tools.is_empty() {
        let names: Vec<_> = reading
            .request
            .tools
            .iter()
            .map(|tool| tool.name.as_str())
            .collect();
        writeln!(
            out,
            "\n# {} tools\n{}",
            names.len(),
            text::line(&names.join(", "), 400)
        )?;
    }
    for message in &reading.request.messages {
        writeln!(out, "\n# {}", role(message.role))?;
        print_parts(out, &message.parts)?;
    }
    for choice in &reading.response.choices {
        let stop = choice.stop_reason.as_deref().unwrap_or("no stop reason");
        writeln!(
            out,
            "\n# answer {} ({})",
            choice.index,
            text::line(stop, 40)
        )?;
        print_parts(out, &choice.message.parts)?;
    }
    print_error(out, reading)?;
    let tokens = reading.tokens;
    writeln!(
        out,
        "\n# tokens\ninput {}, of it cache read {} and write {}; output {}, of it reasoning {}",
        text::count(tokens.input),
        text::count(tokens.cache_read),
        text::count(tokens.cache_write),
        text::count(tokens.output),
        text::count(tokens.reasoning)
    )?;
    let counted = reading.response.usage.filter(|_| tokens.input.is_none());
    if let Some(count) = counted.and_then(|usage| usage.input.or(usage.total)) {
        writeln!(out, "the provider counted {count}; nothing was generated")?;
    }
    if reading.estimated {
        writeln!(out, "what the wire did not count is an estimate")?;
    }
    print_cost(out, reading)?;
    for diagnostic in reading
        .request
        .diagnostics
        .iter()
        .chain(&reading.response.diagnostics)
    {
        writeln!(out, "note: {}", text::line(&diagnostic.message, 200))?;
    }
    Ok(())
}

fn print_error(out: &mut impl Write, reading: &Reading) -> io::Result<()> {
    let Some(error) = &reading.response.error else {
        return Ok(());
    };
    let message = error
        .message
        .as_deref()
        .or(error.kind.as_deref())
        .unwrap_or("without a message");
    writeln!(out, "\n# error\n{}", text::block(message))?;
    let class = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let kind = class(error.class.map(|class| json!(class))).unwrap_or_default();
    let fault = class(error.fault.map(|fault| json!(fault))).unwrap_or_default();
    let again = match error.retryable {
        Some(true) => "trying again may help",
        Some(false) => "trying again does not help",
        None => "",
    };
    let wait = error.retry_after_us.map_or_else(String::new, |wait| {
        format!("; wait {}", text::duration(Some(wait)))
    });
    writeln!(out, "kind {kind}, fault {fault}; {again}{wait}")?;
    Ok(())
}

fn print_cost(out: &mut impl Write, reading: &Reading) -> io::Result<()> {
    if let Some(credits) = &reading.units.credits {
        writeln!(out, "credits {credits}")?;
    }
    let Some(cost) = &reading.cost else {
        return Ok(());
    };
    writeln!(
        out,
        "\n# cost\n${} by {} ({})",
        cost.total,
        text::line(&cost.price, 80),
        text::line(&cost.version, 80)
    )?;
    for line in &cost.lines {
        writeln!(
            out,
            "{:16} {:>10} × ${} / {} = ${}",
            text::line(&line.what, 16),
            line.count,
            line.price,
            line.per,
            line.amount
        )?;
    }
    for note in cost.conditions.iter().chain(&cost.disputed) {
        writeln!(out, "note: {}", text::line(note, 200))?;
    }
    for what in &cost.unpriced {
        writeln!(out, "note: no price for {}", text::line(what, 200))?;
    }
    Ok(())
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
        Role::Other => "other",
    }
}

fn print_parts(out: &mut impl Write, parts: &[Part]) -> io::Result<()> {
    for part in parts {
        match part {
            Part::Text { text, .. } => writeln!(out, "{}", text::block(text))?,
            Part::Thinking { text, redacted, .. } => {
                let text = if *redacted { "(withheld)" } else { text };
                writeln!(out, "[thinking] {}", text::block(text))?;
            }
            Part::Refusal { text } => writeln!(out, "[refusal] {}", text::block(text))?,
            Part::Image { media } => writeln!(
                out,
                "[image {}]",
                text::line(media.mime.as_deref().unwrap_or("?"), 60)
            )?,
            Part::Audio { .. } => writeln!(out, "[audio]")?,
            Part::File { name, .. } => writeln!(
                out,
                "[file {}]",
                text::line(name.as_deref().unwrap_or("?"), 60)
            )?,
            Part::ToolCall {
                name, arguments, ..
            } => {
                writeln!(
                    out,
                    "[call {}] {}",
                    text::line(name, 80),
                    text::block(arguments)
                )?;
            }
            Part::ToolResult {
                content, is_error, ..
            } => {
                writeln!(out, "[result{}]", if *is_error { ", failed" } else { "" })?;
                print_parts(out, content)?;
            }
            Part::Other { name, .. } => writeln!(out, "[{}]", text::line(name, 80))?,
        }
    }
    Ok(())
}
