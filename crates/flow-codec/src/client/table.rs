//! The table of recognisers: its form in the file, and as it is used.
//!
//! ```toml
//! [[client]]
//! name = "acme"                       # stable, shown in lists
//! kind = "agent"                      # agent, framework, sdk, http
//! when = [                            # one of these …
//!   { user-agent = "acme/{version}*", x-app = "cli" },   # … with all its headers
//! ]
//! session = [{ header = "x-acme-session" }, { body = "/metadata/id", json = "/session" }]
//! ```
//!
//! An id stands in a header, in a string of the body at a path of members, or (`json`) in the JSON which that
//! header or string holds; `value` is the pattern that takes it out, `{id}` where nothing is said.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::pattern::{Pattern, PatternError};

/// The recognisers in the tree.
const FILE: &str = include_str!("recognisers.toml");
/// The form of the file that is read here.
const FORMAT: u32 = 1;

/// The table, read at the first request.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(FILE).expect("a test reads the recognisers of the tree"));

/// Why a file is no table of recognisers.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    /// It does not have the form.
    #[error("the recognisers have another form")]
    Form {
        /// What the reader of TOML says.
        #[from]
        source: toml::de::Error,
    },
    /// A later form.
    #[error("the recognisers have form {format}, known is {FORMAT}")]
    Format {
        /// The form.
        format: u32,
    },
    /// A pattern makes no sense.
    #[error("a recogniser's pattern")]
    Pattern {
        /// What is wrong with it.
        #[from]
        source: PatternError,
    },
    /// An id stands in a header and in the body, or in neither.
    #[error("an id of {name} has no place or two")]
    Place {
        /// The recogniser.
        name: String,
    },
}

/// The recognisers, ready for use.
#[derive(Debug)]
pub(super) struct Table {
    /// Names of the headers that are asked for, in lower case and in order.
    pub(super) headers: Vec<String>,
    /// Number of `user-agent` among them.
    pub(super) user_agent: usize,
    pub(super) clients: Vec<Recogniser>,
    /// Ids that stand at the same place whoever sends them.
    pub(super) any: Ids,
    pub(super) attempt: Vec<Count>,
    /// Names that say nothing in front of a user agent.
    pub(super) engines: Vec<String>,
}

/// How one program is told.
#[derive(Debug)]
pub(super) struct Recogniser {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Marks, one of which is enough: patterns by the number of the header.
    pub(super) when: Vec<Vec<(usize, Pattern)>>,
    pub(super) ids: Ids,
}

/// What a program is. The order is that of what says most of who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Works for a person: Claude Code.
    Agent,
    /// Stands between a program and an SDK: pydantic-ai.
    Framework,
    /// Speaks to one provider: openai-python.
    Sdk,
    /// Speaks HTTP: curl.
    Http,
}

/// Where a program's ids stand; the first place that holds one counts.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) session: Vec<Source>,
    pub(super) thread: Vec<Source>,
    pub(super) request: Vec<Source>,
}

/// A place and what to take out of it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) place: Place,
    /// Members in the JSON that the place holds.
    pub(super) inside: Option<Vec<String>>,
    pub(super) value: Pattern,
}

/// Where something stands.
#[derive(Debug)]
pub(super) enum Place {
    /// Number of the header.
    Header(usize),
    /// Names of members, from the top.
    Body(Vec<String>),
}

/// Where the number of the try stands.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) source: Source,
    /// 1 where the first try is 0.
    pub(super) add: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    format: u32,
    engines: Vec<String>,
    any: IdsForm,
    attempt: Vec<CountForm>,
    client: Vec<ClientForm>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct IdsForm {
    session: Vec<SourceForm>,
    thread: Vec<SourceForm>,
    request: Vec<SourceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientForm {
    name: String,
    kind: Kind,
    when: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    session: Vec<SourceForm>,
    #[serde(default)]
    thread: Vec<SourceForm>,
    #[serde(default)]
    request: Vec<SourceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    header: Option<String>,
    body: Option<String>,
    json: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountForm {
    header: String,
    value: String,
    add: u64,
}

// === impl Table ===

impl Table {
    /// Reads a table.
    pub(super) fn parse(text: &str) -> Result<Self, TableError> {
        let form: FileForm = toml::from_str(text)?;
        if form.format != FORMAT {
            let format = form.format;
            return Err(TableError::Format { format });
        }
        let mut table = Self {
            headers: header_names(&form),
            user_agent: usize::MAX,
            clients: Vec::new(),
            any: Ids::default(),
            attempt: Vec::new(),
            engines: form.engines,
        };
        table.user_agent = table.number("user-agent");
        table.any = table.ids("any", form.any)?;
        for count in form.attempt {
            let source = Source {
                place: Place::Header(table.number(&count.header)),
                inside: None,
                value: Pattern::parse(&count.value)?,
            };
            let add = count.add;
            table.attempt.push(Count { source, add });
        }
        for client in form.client {
            let recogniser = table.recogniser(client)?;
            table.clients.push(recogniser);
        }
        Ok(table)
    }

    /// Returns the number of a header that the table asks for.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.headers
            .binary_search_by(|known| known.bytes().cmp(name.bytes().map(lower)))
            .ok()
    }

    fn number(&self, name: &str) -> usize {
        self.slot(name).unwrap_or(usize::MAX)
    }

    fn recogniser(&self, client: ClientForm) -> Result<Recogniser, TableError> {
        let mark = |mark: &BTreeMap<String, String>| -> Result<Vec<_>, PatternError> {
            mark.iter()
                .map(|(name, pattern)| Ok((self.number(name), Pattern::parse(pattern)?)))
                .collect()
        };
        let ids = IdsForm {
            session: client.session,
            thread: client.thread,
            request: client.request,
        };
        Ok(Recogniser {
            when: client.when.iter().map(mark).collect::<Result<_, _>>()?,
            ids: self.ids(&client.name, ids)?,
            name: client.name,
            kind: client.kind,
        })
    }

    fn ids(&self, name: &str, form: IdsForm) -> Result<Ids, TableError> {
        let sources = |forms: Vec<SourceForm>| {
            let sources = forms.into_iter().map(|form| self.source(name, form));
            sources.collect::<Result<Vec<_>, _>>()
        };
        Ok(Ids {
            session: sources(form.session)?,
            thread: sources(form.thread)?,
            request: sources(form.request)?,
        })
    }

    fn source(&self, name: &str, form: SourceForm) -> Result<Source, TableError> {
        let place = match (form.header, form.body) {
            (Some(header), None) => Place::Header(self.number(&header)),
            (None, Some(path)) => Place::Body(members(&path)),
            _ => {
                let name = name.to_owned();
                return Err(TableError::Place { name });
            }
        };
        Ok(Source {
            place,
            inside: form.json.as_deref().map(members),
            value: Pattern::parse(form.value.as_deref().unwrap_or("{id}"))?,
        })
    }
}

/// Returns every header that a table names, in order.
fn header_names(form: &FileForm) -> Vec<String> {
    let marks = form.client.iter().flat_map(|client| &client.when);
    let marks = marks.flat_map(BTreeMap::keys);
    let of_client = |client: &'_ ClientForm| {
        let sources = client.session.iter().chain(&client.thread);
        let names = sources
            .chain(&client.request)
            .filter_map(|source| source.header.clone());
        names.collect::<Vec<_>>()
    };
    let any = &form.any;
    let any = any.session.iter().chain(&any.thread).chain(&any.request);
    let mut names: Vec<String> = marks
        .cloned()
        .chain(form.client.iter().flat_map(of_client))
        .chain(any.filter_map(|source| source.header.clone()))
        .chain(form.attempt.iter().map(|count| count.header.clone()))
        .chain(["user-agent".to_owned()])
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the names of a path such as `/metadata/user_id`.
fn members(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(str::to_owned).collect()
}
