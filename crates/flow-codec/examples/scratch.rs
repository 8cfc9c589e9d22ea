#[path = "../../flow-monitor/src/read.rs"]
mod read;
fn main() {
    use std::io::{BufRead, Write};
    let out = std::io::stdout();
    let mut out = std::io::BufWriter::new(out.lock());
    for f in std::env::args().skip(1) {
        for line in std::io::BufReader::new(std::fs::File::open(f).unwrap()).lines() {
            writeln!(out, "{}", read::read_row(&line.unwrap())).unwrap();
        }
    }
}
