//! Embeds the page.
//!
//! `FLOW_MONITOR_WEB_DIST` names a built page (tests build it once and hand it over). Without it a release build
//! runs npm in `web/` where there is Node, and only when a source of the page changed. Anything else embeds
//! nothing; the program then serves a page that says so.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

const DIST: &str = "FLOW_MONITOR_WEB_DIST";
/// What stands in `web/` but is no source of the page.
const NO_SOURCES: [&str; 6] = [
    "coverage",
    "dist",
    "e2e",
    "node_modules",
    "playwright-report",
    "test-results",
];
/// Lines of npm's output that a warning shows.
const WARNED_LINES_MAX: usize = 20;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={DIST}");
    let out = PathBuf::from(variable("OUT_DIR"));
    let release = variable("PROFILE") == "release";
    let dist = env::var_os(DIST).filter(|dist| !dist.is_empty());
    let page = match dist {
        Some(dist) => {
            let dist = PathBuf::from(dist);
            println!("cargo::rerun-if-changed={}", dist.display());
            Some(dist)
        }
        None if release => build_page(&out)?,
        None => None,
    };
    let mut files = Vec::new();
    if let Some(page) = &page {
        walk(page, &mut files)?;
    }
    files.sort();
    write_table(page.as_deref().unwrap_or(&out), &files, &out)
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_default()
}

/// Builds the page into `out` and returns its folder; says why where it cannot.
fn build_page(out: &Path) -> io::Result<Option<PathBuf>> {
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../../web");
    if !web.join("package.json").is_file() {
        println!("cargo::warning=the page is not embedded: there is no folder `web`");
        return Ok(None);
    }
    for entry in fs::read_dir(&web)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if !hidden && !NO_SOURCES.iter().any(|folder| name == *folder) {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
    let page = out.join("web");
    let installed = modified(&web.join("node_modules/.package-lock.json"));
    let fresh = installed.is_some() && installed >= modified(&web.join("package-lock.json"));
    // `npm ci` refuses a lock file without the optional packages of every platform, and npm writes only those
    // that it could see where the file was made.
    if !fresh
        && !npm(
            &web,
            &[
                "install",
                "--no-save",
                "--include=dev",
                "--no-audit",
                "--no-fund",
            ],
            None,
        )
    {
        return Ok(None);
    }
    let built = npm(
        &web,
        &["run", "build", "--", "--emptyOutDir", "--outDir"],
        Some(&page),
    );
    Ok(built.then_some(page))
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|facts| facts.modified()).ok()
}

/// Runs npm and returns whether it went well. Its output is kept from cargo, which would read it.
fn npm(web: &Path, args: &[&str], last: Option<&Path>) -> bool {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(args)
        .args(last)
        .current_dir(web)
        .output();
    let what = args.join(" ");
    match output {
        Ok(output) if output.status.success() => return true,
        Ok(output) => {
            println!("cargo::warning=the page is not embedded: `npm {what}` failed");
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            let skipped = text.lines().count().saturating_sub(WARNED_LINES_MAX);
            for line in text.lines().skip(skipped) {
                println!("cargo::warning={line}");
            }
        }
        Err(error) => {
            println!("cargo::warning=the page is not embedded: npm cannot be run: {error}");
        }
    }
    false
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Writes the table that `page.rs` includes.
fn write_table(root: &Path, files: &[PathBuf], out: &Path) -> io::Result<()> {
    let packed = out.join("packed");
    fs::create_dir_all(&packed)?;
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (number, file) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
        let name = name.replace('\\', "/");
        let gzip = compress(&bytes)?;
        let gzip = if gzip.len() < bytes.len() / 10 * 9 {
            let path = packed.join(format!("{number}.gz"));
            fs::write(&path, gzip)?;
            format!("Some(include_bytes!({:?}))", path.display().to_string())
        } else {
            "None".to_owned()
        };
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let tag = format!("{:016x}", hasher.finish());
        let path = file.display().to_string();
        // Writing to a string does not fail.
        let _written = writeln!(
            table,
            "Asset {{ path: {name:?}, tag: {tag:?}, plain: include_bytes!({path:?}), gzip: {gzip} }},"
        );
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
