//! What filters mean: every case of `spec.toml` through the evaluator in memory, and properties of all filters.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

#[path = "spec/flows.rs"]
mod flows;
#[path = "spec/properties.rs"]
mod properties;

use flow_query::Checked;
use flows::Spec;

fn selected(spec: &Spec, filter: &Checked) -> Vec<String> {
    let flows = spec.flows.iter().enumerate();
    flows
        .filter(|(number, flow)| flow.is_selected(*number, filter))
        .map(|(_, flow)| flow.name.clone())
        .collect()
}

#[test]
fn every_filter_selects_its_flows() {
    let spec = Spec::read();
    let wrong: Vec<String> = spec
        .cases
        .iter()
        .map(|case| (case, selected(&spec, &case.checked())))
        .filter(|(case, found)| *found != case.selects)
        .map(|(case, found)| {
            format!(
                "{}\n  selects {found:?}, not {:?}",
                case.filter, case.selects
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_negation_selects_all_others() {
    let spec = Spec::read();
    for case in &spec.cases {
        let negated = Checked::Not(Box::new(case.checked()));
        let count = selected(&spec, &negated).len() + case.selects.len();
        assert_eq!(count, spec.flows.len(), "{}", case.filter);
    }
}

#[test]
fn what_is_printed_is_the_same_filter() {
    for case in &Spec::read().cases {
        let checked = case.checked();
        assert_eq!(checked.to_filter().check(), Ok(checked), "{}", case.filter);
    }
}
