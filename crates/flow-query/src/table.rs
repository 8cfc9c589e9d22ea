//! The table behind everything: names, kinds and help of fields, flags and scopes.
//!
//! The order of its rows is the order of the variants; the compiler checks that.

mod fields;
mod marks;

pub(crate) use fields::FIELDS;
pub(crate) use marks::{FLAGS, SCOPES};

use crate::field::{Field, Kind};
use crate::value::{Flag, Scope};

/// What people are told of a field, flag or scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// Other names that filters may use.
    pub aliases: &'static [&'static str],
    /// What it is, in a sentence.
    pub help: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
}

/// By which word a filter asks for a flag. Both are read; this one is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Has,
    Is,
}

pub(crate) struct FieldRow {
    pub(crate) field: Field,
    pub(crate) kind: Kind,
    pub(crate) about: About,
}

pub(crate) struct FlagRow {
    pub(crate) flag: Flag,
    pub(crate) verb: Verb,
    pub(crate) about: About,
}

pub(crate) struct ScopeRow {
    pub(crate) scope: Scope,
    pub(crate) about: About,
}

// A row's place is its variant's number, so that a look-up by number finds the right one.
const _: () = {
    let mut row = 0;
    while row < FIELDS.len() {
        assert!(
            FIELDS[row].field as usize == row,
            "a field stands out of order"
        );
        row += 1;
    }
    row = 0;
    while row < FLAGS.len() {
        assert!(
            FLAGS[row].flag as usize == row,
            "a flag stands out of order"
        );
        row += 1;
    }
    row = 0;
    while row < SCOPES.len() {
        assert!(
            SCOPES[row].scope as usize == row,
            "a scope stands out of order"
        );
        row += 1;
    }
};

impl Field {
    /// Every field, in the order of their numbers.
    pub const ALL: [Self; 35] = {
        let mut all = [Self::StartedAt; 35];
        let mut row = 0;
        while row < all.len() {
            all[row] = FIELDS[row].field;
            row += 1;
        }
        all
    };

    /// Returns what kind of values the field has.
    pub const fn kind(self) -> Kind {
        FIELDS[self as usize].kind
    }

    /// Returns what people are told of the field.
    pub const fn about(self) -> &'static About {
        &FIELDS[self as usize].about
    }

    /// Returns the name used in JSON, filters and orders.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Returns the field with this name or alias, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        let row = FIELDS.iter().find(|row| row.about.is_named(name));
        row.map(|row| row.field)
    }

    /// Returns whether lists can be sorted by the field. Several names have no order.
    pub const fn is_sortable(self) -> bool {
        !matches!(self.kind(), Kind::Names)
    }
}

impl Flag {
    /// Every flag, in the order of their numbers.
    pub const ALL: [Self; 9] = {
        let mut all = [Self::Streaming; 9];
        let mut row = 0;
        while row < all.len() {
            all[row] = FLAGS[row].flag;
            row += 1;
        }
        all
    };

    /// Returns what people are told of the flag.
    pub const fn about(self) -> &'static About {
        &FLAGS[self as usize].about
    }

    /// Returns the name used in JSON and filters.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Returns the flag with this name or alias, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        let row = FLAGS.iter().find(|row| row.about.is_named(name));
        row.map(|row| row.flag)
    }

    pub(crate) const fn verb(self) -> Verb {
        FLAGS[self as usize].verb
    }
}

impl Scope {
    /// Every scope, in the order of their numbers.
    pub const ALL: [Self; 7] = {
        let mut all = [Self::Content; 7];
        let mut row = 0;
        while row < all.len() {
            all[row] = SCOPES[row].scope;
            row += 1;
        }
        all
    };

    /// Returns what people are told of the scope.
    pub const fn about(self) -> &'static About {
        &SCOPES[self as usize].about
    }

    /// Returns the name used in JSON and filters.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Returns the scope with this name or alias, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        let row = SCOPES.iter().find(|row| row.about.is_named(name));
        row.map(|row| row.scope)
    }
}

impl About {
    fn is_named(&self, name: &str) -> bool {
        let mut names = self.spellings();
        names.any(|(spelling, _)| spelling.eq_ignore_ascii_case(name))
    }

    /// Returns the name and the aliases, each with the name.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
        let name = self.name;
        let all = std::iter::once(name).chain(self.aliases.iter().copied());
        all.map(move |spelling| (spelling, name))
    }
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Has => "has",
            Self::Is => "is",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;

    fn check_names(abouts: &[&About]) {
        let mut seen: Vec<&str> = Vec::new();
        for about in abouts {
            for (spelling, _) in about.spellings() {
                assert!(!seen.contains(&spelling), "{spelling} stands twice");
                assert_eq!(spelling, spelling.to_lowercase());
                seen.push(spelling);
            }
            assert!(about.help.ends_with('.'), "{}", about.help);
            let filter = Filter::from_json(about.example).unwrap();
            assert_eq!(filter.check().err(), None, "{}", about.example);
        }
    }

    #[test]
    fn names_are_unique_and_examples_make_sense() {
        check_names(&Field::ALL.map(Field::about));
        check_names(&Flag::ALL.map(Flag::about));
        check_names(&Scope::ALL.map(Scope::about));
    }

    #[test]
    fn names_are_found() {
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(field));
        }
        for flag in Flag::ALL {
            assert_eq!(Flag::from_name(flag.name()), Some(flag));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(Field::from_name("Latency"), Some(Field::Duration));
        assert_eq!(Field::from_name("cache_read"), Some(Field::Cached));
        assert_eq!(Field::from_name("weather"), None);
    }
}
