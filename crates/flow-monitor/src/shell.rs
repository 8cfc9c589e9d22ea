//! Lines for shells: the one place where text is quoted for them.
//!
//! | shell | set | quoted |
//! |---|---|---|
//! | sh | `export NAME='value'` | single quotes; one within as `'\''` |
//! | fish | `set -gx NAME 'value'` | single quotes; one within, and a backslash, with a backslash in front |
//! | PowerShell | `$env:NAME = 'value'` | single quotes; one within doubled, typographic ones too |

use clap::ValueEnum;

/// A shell whose lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// sh, bash, zsh and their like.
    #[value(aliases = ["bash", "zsh", "dash", "ksh"])]
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    #[value(alias = "pwsh")]
    Powershell,
}

// === impl Shell ===

impl Shell {
    /// Returns the shell of this name or path; sh where it is another one. Without a name it is the system's own.
    pub(crate) fn named(name: Option<&str>) -> Self {
        let Some(name) = name else {
            return if cfg!(windows) {
                Self::Powershell
            } else {
                Self::Sh
            };
        };
        match name.rsplit(['/', '\\']).next().unwrap_or(name) {
            "fish" => Self::Fish,
            "pwsh" | "powershell" => Self::Powershell,
            _ => Self::Sh,
        }
    }

    /// Returns the line that sets a variable for what is started later.
    pub(crate) fn export(self, name: &str, value: &str) -> String {
        let value = self.quote(value);
        match self {
            Self::Sh => format!("export {name}={value}"),
            Self::Fish => format!("set -gx {name} {value}"),
            Self::Powershell => format!("$env:{name} = {value}"),
        }
    }

    /// Returns a command with its arguments. Words that mean the same unquoted stay bare.
    pub(crate) fn command(self, words: &[String]) -> String {
        let bare = |word: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
            !word.is_empty() && word.bytes().all(is_plain)
        };
        let words = words.iter().map(|word| {
            if bare(word) {
                word.clone()
            } else {
                self.quote(word)
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn quote(self, text: &str) -> String {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('\'');
        for character in text.chars() {
            match (self, character) {
                (Self::Sh, '\'') => quoted.push_str("'\\''"),
                (Self::Fish, '\'' | '\\') => quoted.extend(['\\', character]),
                // PowerShell takes typographic quotes for plain ones.
                (Self::Powershell, '\'' | '\u{2018}'..='\u{201b}') => {
                    quoted.extend([character, character]);
                }
                _ => quoted.push(character),
            }
        }
        quoted.push('\'');
        quoted
    }
}

/// Returns a line that does nothing; all shells have the same mark for it.
pub(crate) fn comment(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    format!("# {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_each_shell() {
        let check = |shell: Shell, value: &str, expect: &str| {
            assert_eq!(shell.export("A", value), expect);
        };
        check(Shell::Sh, "http://h/v1", "export A='http://h/v1'");
        check(Shell::Sh, "it's $x `y` \\", "export A='it'\\''s $x `y` \\'");
        check(Shell::Fish, "it's \\n", "set -gx A 'it\\'s \\\\n'");
        check(Shell::Powershell, "it's $x", "$env:A = 'it''s $x'");
        check(
            Shell::Powershell,
            "a\u{2019}b",
            "$env:A = 'a\u{2019}\u{2019}b'",
        );
        check(
            Shell::Sh,
            "{\"a\":\"b c\"}\n",
            "export A='{\"a\":\"b c\"}\n'",
        );
    }

    #[test]
    fn commands_are_quoted_where_they_must_be() {
        let words = ["codex", "-c", "a=\"b\"", "", "it's"].map(str::to_owned);
        assert_eq!(
            Shell::Sh.command(&words),
            "codex -c 'a=\"b\"' '' 'it'\\''s'"
        );
        assert_eq!(comment("a\nb"), "# a b");
    }

    #[test]
    fn shells_are_known_by_their_path() {
        let check = |name: Option<&str>, expect: Shell| assert_eq!(Shell::named(name), expect);
        check(Some("/usr/bin/fish"), Shell::Fish);
        check(Some("pwsh"), Shell::Powershell);
        check(Some("/bin/zsh"), Shell::Sh);
    }

    /// What a real shell reads is what was written.
    #[cfg(unix)]
    #[test]
    fn sh_reads_back_what_was_quoted() {
        for value in [
            "plain",
            "it's",
            "a\nb",
            "$HOME `id` \\ \"x\" !",
            "流量 '' \\'",
        ] {
            let script = format!("{}\nprintf %s \"$A\"", Shell::Sh.export("A", value));
            let out = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), value);
        }
    }
}
