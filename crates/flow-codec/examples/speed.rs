use std::time::Instant;
use flow_model::Dialect;
fn time(name: &str, bytes: usize, mut f: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..30 { let t = Instant::now(); for _ in 0..20 { f(); } best = best.min(t.elapsed().as_secs_f64() / 20.0); }
    println!("{name:28} {:8.1} us {:8.0} MB/s", best * 1e6, bytes as f64 / best / 1e6);
    best
}
fn main() {
    for f in std::env::args().skip(1) {
        let body = std::fs::read(&f).unwrap();
        println!("{f} {} bytes", body.len());
        let (d, req) = if f.contains("chat_") {(Dialect::OpenaiChat, f.contains("req"))} else if f.contains("messages_") {(Dialect::AnthropicMessages, f.contains("req"))} else {(Dialect::GeminiGenerate, f.contains("req"))};
        let a = time("serde_json::Value", body.len(), || { std::hint::black_box(serde_json::from_slice::<serde_json::Value>(&body).unwrap()); });
        let b = if req { time("read_request", body.len(), || { std::hint::black_box(flow_codec::read_request(d, "/x", &body)); }) }
        else { time("decoder", body.len(), || { let mut x = flow_codec::ResponseDecoder::new(d, 200, &[]); x.push(&body, 1); std::hint::black_box(x.finish(true)); }) };
        println!("   ratio {:.2}", a / b);
    }
}
