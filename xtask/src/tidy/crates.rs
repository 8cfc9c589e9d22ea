//! Which crate may depend on which.
//!
//! Dependencies point downwards only. Crates that work on their own threads know no async runtime; pure crates
//! know neither files nor the network. Tests may use the fake provider everywhere.

use serde_json::Value;

use super::Finding;

/// What one crate may depend on.
struct Layer {
    name: &'static str,
    /// Crates of the project.
    uses: &'static [&'static str],
    /// Whether an async runtime and HTTP are allowed.
    io: Io,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Io {
    /// Runtime, sockets, HTTP.
    Async,
    /// Threads and files, but no runtime.
    Blocking,
    /// Neither clock nor input and output: any new outside crate is a decision.
    Pure(&'static [&'static str]),
}

/// Crates that bring an async runtime or HTTP with them.
const ASYNC_CRATES: &[&str] = &[
    "axum",
    "hyper",
    "hyper-util",
    "tokio",
    "tokio-rustls",
    "tower",
];

/// The crate that tests of every layer may use.
const TESTKIT: &str = "flow-testkit";

/// Every crate, from the top down.
const LAYERS: &[Layer] = &[
    Layer {
        name: "flow-monitor",
        uses: &[
            "flow-api",
            "flow-proxy",
            "flow-recorder",
            "flow-store",
            "flow-query",
            "flow-capture",
            "flow-redact",
            "flow-codec",
            "flow-meter",
            "flow-model",
            "flow-testkit",
        ],
        io: Io::Async,
    },
    Layer {
        name: "flow-api",
        uses: &[
            "flow-store",
            "flow-query",
            "flow-capture",
            "flow-codec",
            "flow-meter",
            "flow-model",
        ],
        io: Io::Async,
    },
    Layer {
        name: "flow-proxy",
        uses: &["flow-capture", "flow-redact", "flow-model"],
        io: Io::Async,
    },
    Layer {
        name: "flow-bench",
        uses: &[
            "flow-recorder",
            "flow-store",
            "flow-query",
            "flow-capture",
            "flow-meter",
            "flow-codec",
            "flow-model",
        ],
        io: Io::Blocking,
    },
    Layer {
        name: "flow-recorder",
        uses: &[
            "flow-store",
            "flow-capture",
            "flow-redact",
            "flow-codec",
            "flow-meter",
            "flow-meter",
            "flow-model",
        ],
        io: Io::Blocking,
    },
    Layer {
        name: "flow-store",
        uses: &["flow-query", "flow-codec", "flow-model"],
        io: Io::Blocking,
    },
    Layer {
        name: "flow-capture",
        uses: &["flow-model"],
        io: Io::Blocking,
    },
    Layer {
        name: "flow-redact",
        uses: &["flow-model"],
        io: Io::Blocking,
    },
    Layer {
        name: "flow-testkit",
        uses: &["flow-codec", "flow-model"],
        io: Io::Async,
    },
    Layer {
        name: "flow-codec",
        uses: &["flow-model"],
        io: Io::Pure(&["memchr", "serde", "serde_json", "thiserror", "toml"]),
    },
    Layer {
        name: "flow-meter",
        uses: &["flow-model"],
        io: Io::Pure(&["serde", "serde_json", "thiserror", "tiktoken"]),
    },
    Layer {
        name: "flow-query",
        uses: &["flow-model"],
        io: Io::Pure(&["memchr", "serde", "serde_json", "thiserror", "toml"]),
    },
    Layer {
        name: "flow-model",
        uses: &[],
        io: Io::Pure(&["serde", "serde_json", "utoipa", "uuid"]),
    },
    Layer {
        name: "xtask",
        uses: &[],
        io: Io::Async,
    },
];

/// Checks the crates that `cargo metadata` lists.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
            findings.push(Finding::file(
                name,
                "the crate has no place in the layers of xtask/src/tidy/crates.rs",
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            if let Some(message) = layer.objection(target, for_tests) {
                findings.push(Finding::file(name, message));
            }
        }
    }
    findings
}

// === impl Layer ===

impl Layer {
    fn objection(&self, target: &str, for_tests: bool) -> Option<String> {
        if LAYERS.iter().any(|layer| layer.name == target) {
            let allowed = self.uses.contains(&target) || (for_tests && target == TESTKIT);
            return (!allowed)
                .then(|| format!("may not depend on {target}: layers point downwards"));
        }
        if for_tests {
            return None;
        }
        match self.io {
            Io::Async => None,
            Io::Blocking => ASYNC_CRATES
                .contains(&target)
                .then(|| format!("may not depend on {target}: it runs on threads of its own")),
            Io::Pure(allowed) => (!allowed.contains(&target))
                .then(|| format!("may not depend on {target}: the crate is pure")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(name: &str, target: &str, kind: Option<&str>, expect: &[&str]) {
        let metadata = json!({"packages": [{
            "name": name,
            "dependencies": [{"name": target, "kind": kind}],
        }]});
        let findings = super::check(&metadata);
        let messages: Vec<&str> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, expect);
    }

    #[test]
    fn downwards_is_allowed() {
        check("flow-api", "flow-store", None, &[]);
        check("flow-proxy", "tokio", None, &[]);
        check("flow-codec", "serde_json", None, &[]);
    }

    #[test]
    fn upwards_and_sideways_are_not() {
        let expect = "may not depend on flow-store: layers point downwards";
        check("flow-proxy", "flow-store", None, &[expect]);
        check("flow-codec", "flow-store", None, &[expect]);
        check("xtask", "flow-store", None, &[expect]);
    }

    #[test]
    fn tests_may_use_the_fake_provider_and_outside_crates() {
        check("flow-proxy", TESTKIT, Some("dev"), &[]);
        check("flow-store", "tokio", Some("dev"), &[]);
        let expect = "may not depend on flow-store: layers point downwards";
        check("flow-proxy", "flow-store", Some("dev"), &[expect]);
    }

    #[test]
    fn threads_know_no_runtime_and_pure_crates_nothing_new() {
        let expect = "may not depend on tokio: it runs on threads of its own";
        check("flow-store", "tokio", None, &[expect]);
        let expect = "may not depend on chrono: the crate is pure";
        check("flow-model", "chrono", None, &[expect]);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let expect = "the crate has no place in the layers of xtask/src/tidy/crates.rs";
        check("flow-new", "serde", None, &[expect]);
    }

    #[test]
    fn the_layers_themselves_point_downwards() {
        let place = |name| LAYERS.iter().position(|layer| layer.name == name);
        for layer in LAYERS {
            for target in layer.uses {
                assert!(place(layer.name) < place(target));
            }
        }
    }
}
