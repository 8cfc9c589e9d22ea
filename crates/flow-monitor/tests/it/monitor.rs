//! Starts the real program and asks its API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flow_testkit::{FakeProvider, ProviderOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longest wait for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running monitor.
pub(crate) struct Monitor {
    child: Child,
    pub(crate) proxy: String,
    pub(crate) ui: String,
    pub(crate) token: String,
}

/// A running fake provider.
pub(crate) struct Provider {
    runtime: Runtime,
    provider: Option<FakeProvider>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// Returns a new private directory.
pub(crate) fn data_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("flow-monitor-test-")
        .tempdir()
        .unwrap()
}

/// Calls `look` until it gives something.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

// === impl Provider ===

impl Provider {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let provider = runtime
            .block_on(FakeProvider::start(ProviderOptions::default()))
            .unwrap();
        Self {
            runtime,
            provider: Some(provider),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.provider.as_ref().unwrap().url()
    }

    /// Returns the flags that lead every dialect to this provider.
    pub(crate) fn flags(&self) -> Vec<String> {
        let names = ["openai", "anthropic", "gemini"];
        let pairs = names.map(|name| ["--upstream".to_owned(), format!("{name}={}", self.url())]);
        pairs.concat()
    }

    pub(crate) fn log(&self) -> Vec<flow_testkit::Exchange> {
        self.provider.as_ref().unwrap().log()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            self.runtime.block_on(provider.shutdown());
        }
    }
}

// === impl Monitor ===

impl Monitor {
    /// Starts the program on a data directory and waits until it is ready.
    pub(crate) fn start(dir: &Path, flags: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow-monitor"));
        command.arg("serve");
        Self::start_command(command, dir, flags)
    }

    /// Starts it by a command of the test's own, to which the usual arguments are added.
    pub(crate) fn start_command(mut command: Command, dir: &Path, flags: &[String]) -> Self {
        command
            .arg("--data-dir")
            .arg(dir)
            .args(["--proxy-listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if !flags.iter().any(|flag| flag == "--ui-listen") {
            command.args(["--ui-listen", "127.0.0.1:0"]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self {
            proxy: text("proxy"),
            ui: text("ui"),
            token: std::fs::read_to_string(dir.join("token")).unwrap(),
            child,
        }
    }

    /// Returns the answer of the API.
    pub(crate) fn api(&self, path: &str) -> Value {
        let answer = self.api_raw(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    pub(crate) fn api_raw(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", self.token);
        request(&self.ui, "GET", path, &[("Authorization", &token)], b"")
    }

    /// Changes settings.
    pub(crate) fn patch(&self, settings: &Value) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", token.as_str()),
            ("Content-Type", "application/json"),
        ];
        request(
            &self.ui,
            "PATCH",
            "/api/config",
            &headers,
            settings.to_string().as_bytes(),
        )
    }

    /// Sends a request through the proxy.
    pub(crate) fn call(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(&self.proxy, "POST", path, headers, body)
    }

    /// Returns the flow that the test marked with this value of `x-call-id`, once it has ended.
    pub(crate) fn ended(&self, call: &str) -> Value {
        wait_for(&format!("the end of {call}"), || {
            self.find(call)
                .filter(|detail| !detail["flow"]["end"].is_null())
        })
    }

    /// Returns the flow that the test marked with this value of `x-call-id`, if it is there.
    pub(crate) fn find(&self, call: &str) -> Option<Value> {
        let page = self.api("/api/flows?limit=200");
        let ids = page["flows"]
            .as_array()?
            .iter()
            .filter_map(|flow| flow["id"].as_str());
        let mut details = ids.map(|id| self.api(&format!("/api/flows/{id}")));
        details.find(|detail| {
            let headers = detail["exchange"]["request"]["headers"].as_array().unwrap();
            let mark = |header: &&Value| header["name"] == "x-call-id" && header["value"] == call;
            headers.iter().any(|header| mark(&header))
        })
    }

    /// Tells the program to end and returns its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let signal = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(signal.unwrap().success());
        wait_for("the end of the program", || self.child.try_wait().unwrap()).code()
    }

    /// Kills the program without a warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _killed = self.child.kill().is_ok();
            let _waited = self.child.wait().is_ok();
        }
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{}:", name.to_ascii_lowercase());
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(&prefix))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

/// Sends one request on a connection of its own and reads the answer to its end.
pub(crate) fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = open(address, method, path, headers, body);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    parse(&bytes)
}

/// Sends one request on a connection of its own.
pub(crate) fn open(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for &(name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.extend(["Content-Length: ", &body.len().to_string(), "\r\n\r\n"]);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
    let (head, rest) = bytes.split_at(end);
    let head = String::from_utf8_lossy(head).into_owned();
    let mut answer = Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: rest[4..].to_vec(),
        head,
    };
    if answer.header("transfer-encoding").is_some() {
        answer.body = unchunk(&answer.body);
    }
    answer
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
        let from = end + 2;
        if size == 0 || from + size > bytes.len() {
            break;
        }
        body.extend_from_slice(&bytes[from..from + size]);
        bytes = &bytes[(from + size + 2).min(bytes.len())..];
    }
    body
}
