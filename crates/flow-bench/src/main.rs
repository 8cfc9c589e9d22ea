//! Makes traffic up and measures the store with it.

fn main() {}
