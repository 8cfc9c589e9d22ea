//! The figures, as one Markdown table: what is required, what is aimed at, what was seen, and what the plain table
//! beside it does.

use std::fmt;

use crate::measure::Noise;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Stored,
    IngestAgents,
    IngestSmall,
    CpuAgents,
    CpuSmall,
    List,
    Count,
    Groups,
    SearchWord,
    SearchChinese,
    SearchPart,
    Open,
    Memory,
    Start,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    seen: Vec<(Figure, String, String)>,
    peer: Vec<(Figure, String)>,
    pub(crate) noise: Noise,
}

// === impl Figure ===

impl Figure {
    /// Returns the rate and the CPU time of ingest, of agents' turns or of small flows.
    pub(crate) const fn of_ingest(agents: bool) -> (Self, Self) {
        if agents {
            (Self::IngestAgents, Self::CpuAgents)
        } else {
            (Self::IngestSmall, Self::CpuSmall)
        }
    }

    /// Returns what is measured, what it must be, and what it should be. A slash parts 1 and 10 million flows.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Stored => ("stored with text / raw", "≤ 1.8 % (sessions)", "1.0 %"),
            Self::IngestAgents => (
                "ingest at the recorder's input, 220 KB agent turns",
                "1,200/s",
                "4,000/s",
            ),
            Self::IngestSmall => (
                "ingest at the recorder's input, 4 KB unique flows",
                "2,000/s",
                "3,000/s",
            ),
            Self::CpuAgents => ("CPU of an agent turn at ingest", "", ""),
            Self::CpuSmall => ("CPU of a small flow at ingest", "", ""),
            Self::List => ("list of 50, p50 / p99", "10 / 50 ms", "5 / 25 ms"),
            Self::Count => ("exact count, p50 / p99", "50 ms", "25 ms"),
            Self::Groups => ("day × model, p50 / p99", "120 ms", "60 ms"),
            Self::SearchWord => (
                "search a word, first 50, p50 / p99",
                "60 / 300 ms",
                "30 / 150 ms",
            ),
            Self::SearchChinese => (
                "search two Chinese characters, p50 / p99",
                "60 / 300 ms",
                "30 / 150 ms",
            ),
            Self::SearchPart => (
                "search a part of an identifier, p50 / p99",
                "60 / 300 ms",
                "30 / 150 ms",
            ),
            Self::Open => ("open a 400 KB flow, p50 / p99", "5 ms", "2 ms"),
            Self::Memory => ("resident memory, idle", "150 / 300 MB", "80 / 150 MB"),
            Self::Start => ("start after kill -9", "2 s", "0.5 s"),
        }
    }
}

// === impl Report ===

impl Report {
    /// Adds what the store did; `what` tells figures of one kind apart.
    pub(crate) fn add(&mut self, figure: Figure, what: impl Into<String>, seen: impl fmt::Display) {
        self.noise.sample();
        self.seen.push((figure, what.into(), seen.to_string()));
    }

    /// Adds what the plain table did.
    pub(crate) fn add_peer(&mut self, figure: Figure, seen: impl fmt::Display) {
        self.noise.sample();
        self.peer.push((figure, seen.to_string()));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| what | must | goal | seen | plain table |\n| --- | --- | --- | ---: | ---: |"
        )?;
        let beside = |figure: Figure| {
            let mut peers = self.peer.iter().filter(|(of, _)| *of == figure);
            peers.next().map_or("", |(_, seen)| seen.as_str())
        };
        for (figure, what, seen) in &self.seen {
            let (name, must, goal) = figure.words();
            let what = if what.is_empty() {
                String::new()
            } else {
                format!(": {what}")
            };
            writeln!(
                f,
                "| {name}{what} | {must} | {goal} | {seen} | {} |",
                beside(*figure)
            )?;
        }
        let alone = |figure: &Figure| self.seen.iter().all(|(of, ..)| of != figure);
        for (figure, seen) in self.peer.iter().filter(|(figure, _)| alone(figure)) {
            let (name, must, goal) = figure.words();
            writeln!(f, "| {name} | {must} | {goal} | – | {seen} |")?;
        }
        write!(f, "\nThe machine: {}.", self.noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_stands_beside_the_plain_table() {
        let mut report = Report::default();
        report.add(Figure::List, "by cost", "1 ms");
        report.add_peer(Figure::List, "2 ms");
        report.add_peer(Figure::Open, "3 ms");
        let table = report.to_string();
        assert!(
            table.contains("p99: by cost | 10 / 50 ms | 5 / 25 ms | 1 ms | 2 ms |"),
            "{table}"
        );
        assert!(table.contains("| 5 ms | 2 ms | – | 3 ms |"), "{table}");
        assert!(table.contains("over 3 times"), "{table}");
    }
}
