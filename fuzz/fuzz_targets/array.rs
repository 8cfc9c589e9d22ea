//! Streams that are one JSON array.

#![no_main]

use flow_model::Dialect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    flow_fuzz::check_framing("application/json", Dialect::GeminiGenerate, input);
});
