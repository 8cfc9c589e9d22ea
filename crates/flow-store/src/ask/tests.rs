use flow_query::{Scope, Test};

use super::*;

#[test]
fn buckets_cover_their_values() {
    let check = |range: (i64, i64), scale, wanted, expect| {
        assert_eq!(buckets_of(range, scale, wanted), expect, "{range:?}");
    };
    let linear = |min, width, count| Buckets::Linear { min, width, count };
    check((0, 99), Scale::Linear, 10, linear(0, 10, 10));
    check((5, 5), Scale::Linear, 10, linear(5, 1, 1));
    check((-3, 3), Scale::Linear, 4, linear(-3, 2, 4));
    check((0, 100), Scale::Linear, 0, linear(0, 101, 1));
    check(
        (0, i64::MAX),
        Scale::Linear,
        1 << 20,
        linear(0, 1 << 53, 1024),
    );
    check(
        (i64::MIN, i64::MAX),
        Scale::Linear,
        2,
        linear(i64::MIN, i64::MAX, 2),
    );
    check((1, 1000), Scale::Log, 10, Buckets::Log { bits: 0 });
    check((1, 1000), Scale::Log, 40, Buckets::Log { bits: 2 });
    check((0, i64::MAX), Scale::Log, 1, Buckets::Log { bits: 0 });
    check((7, 7), Scale::Log, 5000, Buckets::Log { bits: 7 });
}

#[test]
fn tests_of_text_are_counted() {
    let text = || Checked::Test(Test::Text(Scope::Content, "word".to_owned()));
    let known = || Checked::Test(Test::Known(Field::Cost));
    let check = |filter: Checked, expect: usize| {
        let mut tests = Vec::new();
        text_tests(&filter, &mut tests);
        assert_eq!(tests.len(), expect);
    };
    check(Checked::everything(), 0);
    check(known(), 0);
    check(
        Checked::All(vec![text(), Checked::Not(Box::new(text())), known()]),
        2,
    );
}
