//! The text form of the configuration as generic nodes, without knowing what any word means. `name value;`,
//! `name [ a b ];`, `name key { … }`, comments `# …` and `/* … */`, quotations with `\"`, `\\`, `\n`, `\t`.
//!
//! A statement stands on one line, but a list may span several and `{` or `;` may stand on the next. Thanks to that a
//! missing `;` is seen where it is missing, and one mistake does not hide the next.

use alloc::string::String;
use alloc::vec::Vec;

use super::token::{Token, TokenKind, scan};
use crate::config::problem::{Report, shown};
use crate::text::{Text, problem};

/// Longest text in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of blocks.
pub const DEPTH_MAX: usize = 8;
/// One word with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Without quotes and escapes.
    pub text: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// One statement: a leaf (`body` none) or a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The first word.
    pub name: Word,
    /// The words after it.
    pub values: Vec<Word>,
    /// They stood in `[ … ]`.
    pub list: bool,
    /// What stood in `{ … }`.
    pub body: Option<Vec<Node>>,
    /// A problem of its form was reported already.
    pub damage: Damage,
}

impl Node {
    /// Its words: `queue support`.
    pub fn label(&self) -> String {
        let mut label = shown(&self.name.text);
        // A block has one key; more is a mistake, reported elsewhere.
        for value in self.values.iter().take(2) {
            label.push(' ');
            label.push_str(&shown(&value.text));
        }
        label
    }
}

/// How far a node can be believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Damage {
    /// Wholly.
    None,
    /// Its end was guessed, perhaps its block is missing.
    End,
    /// Its values are not what was meant.
    Values,
    /// Its quotations are wrong, so that it may have swallowed what follows on its line.
    Quotation,
}

/// Text to nodes; everything that is wrong with its form goes to `report`. What can be read is there
/// nevertheless; none only when the text is too long to be looked at. Takes time in proportion to the text.
pub(super) fn parse(text: &str, report: &mut Report) -> Option<Vec<Node>> {
    if text.len() > TEXT_BYTES_MAX {
        let reason = Text::new(problem::TOO_LONG).with("bytes", text.len() as u64);
        let remedy = Text::new(problem::TOO_LONG_REMEDY).with("max", TEXT_BYTES_MAX as u64);
        report.error((1, 1), "", reason, remedy);
        return None;
    }
    let tokens = scan(text, report);
    let count = |kind: &TokenKind| tokens.iter().filter(|t| t.kind == *kind).count();
    let by_indent = count(&TokenKind::Open) > count(&TokenKind::Close);
    let mut parser = Parser { tokens: &tokens, at: 0, report, path: Vec::new(), by_indent };
    Some(parser.block(None))
}

/// Where a block began: the first word of its statement.
#[derive(Clone, Copy)]
struct Opening {
    line: u32,
    column: u32,
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    report: &'a mut Report,
    /// Names of the blocks around.
    path: Vec<String>,
    /// More braces are opened than closed: then the indentation tells which was not closed.
    by_indent: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// The blocks around, as a person would name them.
    fn place(&self) -> String {
        let labels: Vec<&str> = self.path.iter().map(String::as_str).filter(|label| !label.is_empty()).collect();
        labels.join(" ")
    }

    fn error(&mut self, at: (u32, u32), reason: impl Into<Text>, remedy: impl Into<Text>) {
        let place = self.place();
        self.report.error(at, &place, reason, remedy);
    }

    fn report_open(&mut self, at: (u32, u32), brace: &str, close: &str) {
        let reason = Text::new(problem::BRACE_OPEN).with("brace", brace);
        self.error(at, reason, Text::new(problem::BRACE_OPEN_REMEDY).with("close", close));
    }

    fn report_stray(&mut self, token: &Token) {
        let name = match token.kind {
            // Comments are not among the tokens of a parser.
            TokenKind::Word { .. } | TokenKind::Remark(_) => "",
            TokenKind::Open => "{",
            TokenKind::Close => "}",
            TokenKind::ListOpen => "[",
            TokenKind::ListClose => "]",
            TokenKind::Semicolon => ";",
        };
        let reason = Text::new(problem::STRAY).with("token", name);
        self.error((token.line, token.column), reason, problem::STRAY_REMEDY);
    }

    /// The statements up to the closing brace, which is taken, or to the end of the text.
    fn block(&mut self, opening: Option<Opening>) -> Vec<Node> {
        let mut nodes = Vec::new();
        // Whether the statements inside stand further right than the block, or on its line.
        let mut indented = None;
        loop {
            let Some(token) = self.peek() else {
                if let Some(o) = opening {
                    self.report_open((o.line, o.column), "{", "}");
                }
                return nodes;
            };
            if let Some(o) = opening
                && indented == Some(true)
                && self.ends_by_indent(token, o)
            {
                self.report_open((o.line, o.column), "{", "}");
                return nodes;
            }
            match &token.kind {
                TokenKind::Word { .. } => {
                    let inside = opening.is_some_and(|o| token.line == o.line || token.column > o.column);
                    indented = indented.or(Some(inside));
                    if let Some(node) = self.statement() {
                        nodes.push(node);
                    }
                }
                TokenKind::Close if opening.is_some() => {
                    self.at += 1;
                    return nodes;
                }
                TokenKind::Open => {
                    self.report_stray(token);
                    self.at += 1;
                    self.inner(String::new(), Opening { line: token.line, column: token.column });
                }
                TokenKind::Close | TokenKind::ListOpen | TokenKind::ListClose | TokenKind::Semicolon => {
                    self.report_stray(token);
                    self.at += 1;
                }
                TokenKind::Remark(_) => self.at += 1,
            }
        }
    }

    /// Whether this token, by its indentation, stands outside the block that began at `o`.
    fn ends_by_indent(&self, token: &Token, o: Opening) -> bool {
        let outside = match token.kind {
            TokenKind::Close => token.column < o.column,
            _ => token.column <= o.column,
        };
        self.by_indent && token.first && token.line > o.line && outside
    }

    /// The body of a block whose brace is taken; one that is too deep is passed over.
    fn inner(&mut self, label: String, opening: Opening) -> Vec<Node> {
        self.path.push(label);
        let body = if self.path.len() <= DEPTH_MAX {
            self.block(Some(opening))
        } else {
            let remedy = Text::new(problem::TOO_DEEP_REMEDY).with("max", DEPTH_MAX as u64);
            self.error((opening.line, opening.column), problem::TOO_DEEP, remedy);
            self.pass_over();
            Vec::new()
        };
        self.path.pop();
        body
    }

    /// Up to the brace that closes an opened one.
    fn pass_over(&mut self) {
        let mut open = 1;
        while let Some(token) = self.peek() {
            self.at += 1;
            match token.kind {
                TokenKind::Open => open += 1,
                TokenKind::Close => open -= 1,
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    /// One statement; the current token is its first word.
    fn statement(&mut self) -> Option<Node> {
        let (name, damaged) = self.word()?;
        let opening = Opening { line: name.line, column: name.column };
        let damage = if damaged { Damage::Quotation } else { Damage::None };
        let mut node = Node { name, values: Vec::new(), list: false, body: None, damage };
        loop {
            let Some(token) = self.peek() else {
                self.missing_semicolon(&mut node);
                return Some(node);
            };
            match &token.kind {
                TokenKind::Word { .. } if token.first => {
                    self.missing_semicolon(&mut node);
                    return Some(node);
                }
                TokenKind::Word { .. } => {
                    let (word, damaged) = self.word()?;
                    node.values.push(word);
                    node.damage = if damaged { Damage::Quotation } else { node.damage };
                }
                TokenKind::Semicolon => {
                    self.at += 1;
                    return Some(node);
                }
                TokenKind::Open => {
                    self.at += 1;
                    node.body = Some(self.inner(node.label(), opening));
                    return Some(node);
                }
                TokenKind::Close => {
                    self.missing_semicolon(&mut node);
                    return Some(node);
                }
                TokenKind::ListOpen => self.list(&mut node, (token.line, token.column)),
                TokenKind::ListClose => {
                    self.report_stray(token);
                    node.damage = node.damage.max(Damage::Values);
                    self.at += 1;
                }
                TokenKind::Remark(_) => self.at += 1,
            }
        }
    }

    /// The words of a list; the current token is its bracket.
    fn list(&mut self, node: &mut Node, at: (u32, u32)) {
        node.list = true;
        self.at += 1;
        let mut next_line = None;
        let before = node.values.len();
        while let Some(token) = self.peek() {
            match &token.kind {
                TokenKind::Word { .. } => {
                    if token.line > at.0 && next_line.is_none() {
                        next_line = Some((self.at, node.values.len()));
                    }
                    if let Some((word, damaged)) = self.word() {
                        node.values.push(word);
                        node.damage = if damaged { Damage::Quotation } else { node.damage };
                    }
                }
                TokenKind::ListClose => {
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        // Not closed: what stands on later lines is not of this list, provided that the list has words on its own line.
        self.report_open(at, "[", "]");
        node.damage = node.damage.max(Damage::Values);
        if let Some((token, values)) = next_line.filter(|(_, values)| *values > before) {
            self.at = token;
            node.values.truncate(values);
        }
    }

    fn word(&mut self) -> Option<(Word, bool)> {
        let token = self.peek()?;
        let TokenKind::Word { text, damaged } = &token.kind else { return None };
        self.at += 1;
        Some((Word { text: text.clone(), line: token.line, column: token.column }, *damaged))
    }

    /// Reported where it is missing: after the last word.
    fn missing_semicolon(&mut self, node: &mut Node) {
        let last = node.values.last().unwrap_or(&node.name);
        let at = (last.line, last.column);
        // After a quotation or a list that was not closed, one report is enough.
        if node.damage < Damage::Values {
            let reason = Text::new(problem::SEMICOLON_MISSING).with("word", shown(&last.text));
            self.path.push(shown(&node.name.text));
            self.error(at, reason, problem::SEMICOLON_MISSING_REMEDY);
            self.path.pop();
            node.damage = Damage::End;
        }
    }
}
