//! What stands behind `|`: work on the lines that a command prints. Sans-IO.

use pbx::text::{Key, Text, console as key};
use std::collections::VecDeque;

/// Lines that `last` gives when it is not told how many.
const LAST: usize = 10;
/// Most lines that `last` can be told.
const LAST_MAX: usize = 100_000;
/// Stages of a line at most.
const STAGES_MAX: usize = 8;

/// One stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Lines with a text.
    Match(String),
    /// Lines without a text.
    Except(String),
    /// From the first line with a text.
    Begin(String),
    /// How many lines.
    Count,
    /// The last lines.
    Last(usize),
    /// Without pages.
    NoMore,
    /// Another form of a configuration.
    Display(Display),
}

/// A form of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Display {
    /// `set` lines.
    Set,
    /// JSON.
    Json,
}

/// The words, what they mean, and whether they are shown as such or as another way to say it.
const WORDS: [(&str, Key, bool); 9] = [
    ("match", key::P_MATCH, true),
    ("except", key::P_EXCEPT, true),
    ("begin", key::P_BEGIN, true),
    ("count", key::P_COUNT, true),
    ("last", key::P_LAST, true),
    ("no-more", key::P_NO_MORE, true),
    ("display", key::P_DISPLAY, true),
    ("include", key::P_MATCH, false),
    ("exclude", key::P_EXCEPT, false),
];

/// What can stand behind `|`.
pub fn words() -> impl Iterator<Item = (&'static str, Key)> {
    WORDS.iter().filter(|(.., shown)| *shown).map(|(word, about, _)| (*word, *about))
}

/// Cuts a line at each `|` outside of quotations.
pub fn split(line: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '|' if !quoted => {
                parts.extend(line.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(line.get(from..));
    parts
}

/// The stages that stand behind a command, each as cut from the line.
///
/// # Errors
/// What is wrong with the first that is none.
pub fn stages(parts: &[&str]) -> Result<Vec<Stage>, Text> {
    parts.iter().take(STAGES_MAX).map(|part| stage(part.trim())).collect()
}

fn stage(part: &str) -> Result<Stage, Text> {
    let (word, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
    let rest = rest.trim();
    let known = || WORDS.map(|(name, ..)| name).join(", ");
    let unknown = || Text::new(key::PIPE_UNKNOWN).with("word", word).with("words", known());
    let exact = WORDS.iter().find(|(name, ..)| *name == word);
    let mut fitting = WORDS.iter().filter(|(name, ..)| !word.is_empty() && name.starts_with(word));
    let (name, ..) = match (exact, fitting.next(), fitting.next()) {
        (Some(exact), ..) => exact,
        (None, Some(one), None) => one,
        (None, ..) => return Err(unknown()),
    };
    let text = || {
        let text = rest.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(rest);
        let none = || Text::new(key::PIPE_NEEDS_TEXT).with("word", *name);
        Some(text.to_lowercase()).filter(|text| !text.is_empty()).ok_or_else(none)
    };
    let number = || {
        let count = if rest.is_empty() { Some(LAST) } else { rest.parse().ok() };
        let wrong = || Text::new(key::PIPE_NUMBER).with("word", rest);
        count.filter(|count| (1..=LAST_MAX).contains(count)).ok_or_else(wrong)
    };
    Ok(match *name {
        "match" | "include" => Stage::Match(text()?),
        "except" | "exclude" => Stage::Except(text()?),
        "begin" => Stage::Begin(text()?),
        "last" => Stage::Last(number()?),
        "display" => Stage::Display(match rest {
            "set" => Display::Set,
            "json" => Display::Json,
            other => return Err(Text::new(key::PIPE_DISPLAY).with("word", other)),
        }),
        "count" => Stage::Count,
        "no-more" => Stage::NoMore,
        _ => return Err(unknown()),
    })
}

/// What becomes of a text; `counted` words the number of its lines.
pub fn apply(stages: &[Stage], text: String, counted: impl Fn(usize) -> String) -> String {
    let filtering = stages.iter().any(|stage| !matches!(stage, Stage::NoMore | Stage::Display(_)));
    if !filtering {
        return text;
    }
    let mut lines: VecDeque<String> = text.lines().map(str::to_string).collect();
    for stage in stages {
        let has = |line: &String, wanted: &String| line.to_lowercase().contains(wanted);
        match stage {
            Stage::Match(wanted) => lines.retain(|line| has(line, wanted)),
            Stage::Except(wanted) => lines.retain(|line| !has(line, wanted)),
            Stage::Begin(wanted) => {
                let at = lines.iter().position(|line| has(line, wanted)).unwrap_or(lines.len());
                lines.drain(..at);
            }
            Stage::Last(count) => {
                let from = lines.len().saturating_sub(*count);
                lines.drain(..from);
            }
            Stage::Count => lines = [counted(lines.len())].into(),
            Stage::NoMore | Stage::Display(_) => {}
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "queue support\n  1001 ready\n  1002 Talking\nqueue sales\n";

    fn done(line: &str) -> Result<String, Text> {
        let stages = stages(&split(line).split_off(1))?;
        Ok(apply(&stages, TEXT.into(), |count| format!("{count} lines")))
    }

    #[test]
    fn lines_are_chosen_counted_and_cut() {
        for (line, wanted) in [
            ("| match queue", "queue support\nqueue sales\n"),
            ("| include TALKING", "  1002 Talking\n"),
            ("| except 100", "queue support\nqueue sales\n"),
            ("| exclude \"queue s\"", "  1001 ready\n  1002 Talking\n"),
            ("| begin talking | last 1", "queue sales\n"),
            ("| match 100 | count", "2 lines\n"),
            ("| last 2", "  1002 Talking\nqueue sales\n"),
            ("| no-more", TEXT),
            ("| begin nothing", ""),
        ] {
            assert_eq!(done(line).as_deref(), Ok(wanted), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, key) in [
            ("| frob", key::PIPE_UNKNOWN),
            ("| exc x", key::PIPE_UNKNOWN),
            ("|", key::PIPE_UNKNOWN),
            ("| match", key::PIPE_NEEDS_TEXT),
            ("| last 0", key::PIPE_NUMBER),
            ("| last many", key::PIPE_NUMBER),
            ("| display xml", key::PIPE_DISPLAY),
        ] {
            assert_eq!(done(line).map_err(|text| text.key()), Err(key), "{line}");
        }
    }

    #[test]
    fn a_bar_in_quotes_is_no_pipe() {
        assert_eq!(split("a \"x | y\" | b"), ["a \"x | y\" ", " b"]);
        assert_eq!(split("a \"x \\\" | y\" | b").len(), 2);
        assert_eq!(split(""), [""]);
    }
}
