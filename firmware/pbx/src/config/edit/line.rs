//! A line of a change before it is made: its words, and what stands among them that a console must know.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{further, resolve};
use crate::config::problem::{Problem, Report};
use crate::config::token::{Token, TokenKind, scan};
use crate::config::value::Kind;

/// Whether the words name a leaf that takes the hash of a password: none when they do not, otherwise the index at which the
/// hash stands, or is to stand.
pub fn password_at(words: &[&str]) -> Option<usize> {
    let path = resolve(words).ok()?;
    path.leaf.filter(|(_, row)| row.kind == Kind::Password).map(|_| path.used)
}

/// Whether a leaf is named and its value has yet to follow; that of a password may be typed unseen.
pub fn wants_value(words: &[&str]) -> bool {
    let Ok(path) = resolve(words) else { return false };
    if let Some((next, _)) = further(words, &path) {
        return wants_value(&next);
    }
    path.leaf.is_some_and(|(_, row)| words.len() == path.used && row.kind != Kind::Password)
}

/// Whether a command writes a secret in clear, or cannot be told apart from one that does.
pub fn tells_secret(line: &str) -> bool {
    let Ok(words) = words(line) else { return true };
    let mut words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    while let Ok(path) = resolve(&words) {
        if path.leaf.is_some_and(|(_, row)| row.kind.is_secret()) && words.len() > path.used {
            return true;
        }
        match further(&words, &path) {
            Some((next, _)) => words = next,
            None => return false,
        }
    }
    false
}

/// The words of a line; a quotation is one word, a bracket one of its own, a remark ends the line.
///
/// # Errors
/// What is wrong with the line's characters, such as a quotation that is not closed.
pub fn words(line: &str) -> Result<Vec<String>, Vec<Problem>> {
    let mut report = Report::default();
    let tokens = scan(line, &mut report);
    let problems = report.finish();
    if !problems.is_empty() {
        return Err(problems);
    }
    let text = |token: Token| match token.kind {
        TokenKind::Word { text, .. } | TokenKind::Remark(text) => text,
        TokenKind::Open => "{".to_string(),
        TokenKind::Close => "}".to_string(),
        TokenKind::ListOpen => "[".to_string(),
        TokenKind::ListClose => "]".to_string(),
        TokenKind::Semicolon => ";".to_string(),
    };
    Ok(tokens.into_iter().map(text).collect())
}
