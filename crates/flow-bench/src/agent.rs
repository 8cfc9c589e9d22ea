//! What all sessions of one version of an agent share: its instructions and its tools.

use crate::random::{Domain, Random};
use crate::text::{Author, Language};
use crate::wire::{Answer, Head, Tool, ToolCall};
use crate::words::Words;

/// Versions of an agent that are in use at a time.
pub(crate) const VERSIONS: u64 = 3;
/// Bytes of the instructions that are the same in all sessions, and of those about the session's own folder.
const SHARED_BYTES: u64 = 11_000;
const OWN_BYTES: u64 = 2_500;

/// The first of an agent's tools; the rest come from servers that the user has added.
const TOOLS: [&str; 12] = [
    "Read",
    "Edit",
    "Bash",
    "Grep",
    "Glob",
    "Write",
    "TodoWrite",
    "Task",
    "WebFetch",
    "WebSearch",
    "NotebookEdit",
    "BashOutput",
];
/// Most calls are of the first few.
const CALLED: u64 = 6;
/// The tool that starts an agent below.
pub(crate) const TASK: &str = "Task";

/// Returns the head of a session's requests.
pub(crate) fn head(
    seed: u64,
    agent: u64,
    version: u64,
    model: &str,
    own: &mut Author<'_>,
    words: &Words,
) -> Head {
    let index = agent * VERSIONS + version;
    let mut shared = Author::new(words, Random::keyed(seed, Domain::Agent, index));
    let mut system = String::new();
    shared.text(&mut system, Language::English, SHARED_BYTES);
    let count = shared.random.between(15, 31);
    let tools = (0..count).map(|place| tool(place, &mut shared)).collect();
    let mut about = String::from("Working directory: /workspace/");
    own.identifier(&mut about);
    about.push_str("\nIs a repository: yes\nPlatform: linux\nRecent commits:\n");
    own.output(&mut about, OWN_BYTES / 2);
    about.push('\n');
    let language = Language::of_person(&mut own.random);
    own.text(&mut about, language, OWN_BYTES / 2);
    Head {
        model: model.to_owned(),
        system: vec![system, about],
        tools,
        session: String::new(),
    }
}

/// Returns the shorter head of an agent that another one has started.
pub(crate) fn head_below(above: &Head) -> Head {
    Head {
        system: above.system.iter().skip(1).cloned().collect(),
        tools: above.tools.iter().take(8).cloned().collect(),
        ..above.clone()
    }
}

fn tool(place: u64, author: &mut Author<'_>) -> Tool {
    let known = usize::try_from(place)
        .ok()
        .and_then(|place| TOOLS.get(place));
    let name = known.map_or_else(
        || {
            let mut name = String::from("mcp__");
            author.identifier(&mut name);
            name
        },
        |known| (*known).to_owned(),
    );
    let mut description = String::new();
    let bytes = author.random.around(800);
    author.text(&mut description, Language::English, bytes);
    let parameters = (0..author.random.between(2, 6)).map(|_| {
        let (mut name, mut about) = (String::new(), String::new());
        author.identifier(&mut name);
        author.text(&mut about, Language::English, 60);
        (name, about)
    });
    Tool {
        name,
        parameters: parameters.collect(),
        description,
    }
}

/// Returns a call of a tool, with about so many bytes of arguments where it writes something.
pub(crate) fn call(author: &mut Author<'_>, bytes: u64) -> ToolCall {
    let place = author.random.below(CALLED);
    let name = usize::try_from(place)
        .ok()
        .and_then(|place| TOOLS.get(place));
    let name = name.copied().unwrap_or("Read");
    let (mut path, mut text) = (String::from("/workspace/"), String::new());
    author.path(&mut path);
    let arguments: &[(&str, &str)] = match name {
        "Edit" => {
            author.text(&mut text, Language::Code, bytes * 2);
            let middle = text.len() / 3;
            let (old, new) = text
                .split_at_checked(text.floor_char_boundary(middle))
                .unwrap_or(("", &text));
            &[
                ("file_path", &path),
                ("old_string", old),
                ("new_string", new),
            ]
        }
        "Write" => {
            author.text(&mut text, Language::Code, bytes * 3);
            &[("file_path", &path), ("content", &text)]
        }
        "Bash" => {
            text.push_str("cargo nextest run ");
            author.identifier(&mut text);
            &[
                ("command", &text),
                ("description", "Runs the tests of one module"),
            ]
        }
        "Grep" | "Glob" => {
            author.identifier(&mut text);
            &[("pattern", &text), ("path", &path)]
        }
        _ => &[("file_path", &path)],
    };
    called(author, name, arguments)
}

/// Returns the call that starts an agent below.
pub(crate) fn task(author: &mut Author<'_>, prompt: &str) -> ToolCall {
    called(
        author,
        TASK,
        &[
            ("description", "Looks into one question"),
            ("prompt", prompt),
        ],
    )
}

fn called(author: &mut Author<'_>, name: &str, arguments: &[(&str, &str)]) -> ToolCall {
    let mut id = String::with_capacity(22);
    author.hex(&mut id, 22);
    ToolCall {
        id,
        name: name.to_owned(),
        arguments: crate::wire::object(arguments),
    }
}

/// Lengths of what is said in one step, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) thinking: u64,
    /// Letters of the opaque form of the thinking.
    pub(crate) signature: usize,
    pub(crate) text: u64,
    pub(crate) call: u64,
    pub(crate) result: u64,
}

/// Returns what the model says before and beside its calls.
pub(crate) fn answer(author: &mut Author<'_>, lengths: Lengths) -> Answer {
    let mut answer = Answer::default();
    if author.random.chance(600) && lengths.signature > 0 {
        author.text(&mut answer.thinking, Language::English, lengths.thinking);
        let letters = lengths.signature / 2 + author.random.place(lengths.signature);
        author.base64(&mut answer.signature, letters / 4 * 4);
    }
    let language = Language::of_person(&mut author.random);
    author.text(&mut answer.text, language, lengths.text);
    answer
}
