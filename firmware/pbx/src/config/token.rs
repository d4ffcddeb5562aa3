//! Characters to tokens of the text form: words, quotations, braces, brackets, semicolons. Comments end here. Every
//! character has a place, no input stops the scan.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::problem::Report;
use crate::text::{Text, problem};

/// A token with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// Nothing but white space stands before it on its line.
    pub first: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum TokenKind {
    /// A bare or quoted word; `damaged` when its quotation was wrong, so that its value means nothing.
    Word { text: String, damaged: bool },
    /// `{`
    Open,
    /// `}`
    Close,
    /// `[`
    ListOpen,
    /// `]`
    ListClose,
    /// `;`
    Semicolon,
    /// `# …` or `/* … */`, without its marks; only from [`scan_with_remarks`].
    Remark(String),
}

struct Scanner<'a> {
    rest: core::iter::Peekable<core::str::Chars<'a>>,
    line: u32,
    column: u32,
    first: bool,
    /// The last line with a broken quotation; a second one on it ends with the line, so that the scan stays linear.
    broken_line: u32,
    tokens: Vec<Token>,
    remarks: bool,
    report: &'a mut Report,
}

/// All tokens of `text` but its comments; what is wrong with its characters goes to `report`.
pub(super) fn scan(text: &str, report: &mut Report) -> Vec<Token> {
    scan_all(text, false, report)
}

/// All tokens of `text`, comments too. Nothing is reported: the text was read before.
pub(super) fn scan_with_remarks(text: &str) -> Vec<Token> {
    scan_all(text, true, &mut Report::default())
}

fn scan_all(text: &str, remarks: bool, report: &mut Report) -> Vec<Token> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scanner = Scanner {
        rest: text.chars().peekable(),
        line: 1,
        column: 1,
        first: true,
        broken_line: 0,
        tokens: Vec::new(),
        remarks,
        report,
    };
    while scanner.step() {}
    scanner.tokens
}

/// Whether a character may stand in a bare word.
pub(super) fn bare(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '{' | '}' | '[' | ']' | ';' | '"' | '#')
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
            self.first = true;
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let there = self.rest.peek() == Some(&wanted);
        if there {
            self.next();
        }
        there
    }

    fn error(&mut self, at: (u32, u32), reason: impl Into<Text>, remedy: impl Into<Text>) {
        self.report.error(at, "", reason, remedy);
    }

    fn push(&mut self, kind: TokenKind, at: (u32, u32)) {
        self.tokens.push(Token { kind, line: at.0, column: at.1, first: self.first });
        self.first = false;
    }

    /// One token, comment or blank; false at the end.
    fn step(&mut self) -> bool {
        let at = (self.line, self.column);
        let Some(c) = self.next() else { return false };
        match c {
            '{' => self.push(TokenKind::Open, at),
            '}' => self.push(TokenKind::Close, at),
            '[' => self.push(TokenKind::ListOpen, at),
            ']' => self.push(TokenKind::ListClose, at),
            ';' => self.push(TokenKind::Semicolon, at),
            '"' => self.quotation(at),
            '#' => self.line_remark(at),
            '/' if self.rest.peek() == Some(&'*') => self.block_remark(at),
            c if c.is_whitespace() => {}
            c if c.is_control() => {
                let reason = Text::new(problem::CONTROL_CHARACTER).with("code", format!("U+{:04X}", c as u32));
                self.error(at, reason, problem::CONTROL_CHARACTER_REMEDY);
            }
            c => self.word(c, at),
        }
        true
    }

    fn remark(&mut self, text: &str, at: (u32, u32), first: bool) {
        if self.remarks {
            let kind = TokenKind::Remark(text.trim().into());
            self.tokens.push(Token { kind, line: at.0, column: at.1, first });
        }
    }

    fn line_remark(&mut self, at: (u32, u32)) {
        let first = self.first;
        let mut text = String::new();
        while let Some(c) = self.rest.peek().copied().filter(|c| *c != '\n') {
            text.push(c);
            self.next();
        }
        self.remark(&text, at, first);
    }

    /// After `/`, before `*`.
    fn block_remark(&mut self, at: (u32, u32)) {
        let first = self.first;
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c == '*' && self.next_if('/') {
                for line in text.trim().lines() {
                    self.remark(line.trim_start().trim_start_matches('*'), at, first);
                }
                return;
            }
            text.push(c);
        }
        self.error(at, problem::COMMENT_OPEN, problem::COMMENT_OPEN_REMEDY);
    }

    fn word(&mut self, first: char, at: (u32, u32)) {
        let mut text = String::from(first);
        while let Some(c) = self.rest.peek().copied().filter(|c| bare(*c)) {
            // A comment may follow a word without a blank.
            if c == '/' && self.comment_follows() {
                break;
            }
            text.push(c);
            self.next();
        }
        self.push(TokenKind::Word { text, damaged: false }, at);
    }

    fn comment_follows(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some('/') && ahead.next() == Some('*')
    }

    /// After the opening quote. A quotation ends on its line; where it does not, it is believed to end before the first
    /// `;`, `{` or `}`, and what follows is read as usual.
    fn quotation(&mut self, at: (u32, u32)) {
        let mut text = String::new();
        let mut damaged = false;
        let mut end = None;
        loop {
            let here = (self.rest.clone(), self.line, self.column);
            match self.rest.peek().copied() {
                None | Some('\n') => {
                    self.error(at, problem::QUOTE_OPEN, problem::QUOTE_OPEN_REMEDY);
                    let again = core::mem::replace(&mut self.broken_line, at.0) == at.0;
                    if let Some((length, (rest, line, column))) = end.filter(|_| !again) {
                        text.truncate(length);
                        (self.rest, self.line, self.column) = (rest, line, column);
                    }
                    return self.push(TokenKind::Word { text, damaged: true }, at);
                }
                Some('"') => {
                    self.next();
                    return self.push(TokenKind::Word { text, damaged }, at);
                }
                Some('\\') => {
                    self.next();
                    match self.escape((here.1, here.2)) {
                        Some(c) => text.push(c),
                        None => damaged = true,
                    }
                }
                Some(c) => {
                    if end.is_none() && matches!(c, ';' | '{' | '}') {
                        end = Some((text.len(), here));
                    }
                    self.next();
                    text.push(c);
                }
            }
        }
    }

    /// After a backslash.
    fn escape(&mut self, at: (u32, u32)) -> Option<char> {
        let known = match self.rest.peek().copied() {
            Some('"') => Some('"'),
            Some('\\') => Some('\\'),
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            // The end of the line ends the quotation, which is then reported.
            None | Some('\n') => return None,
            Some(_) => None,
        };
        let written = self.next();
        if known.is_none() {
            let escape = written.map_or(String::new(), |c| format!("\\{}", c.escape_default()));
            let reason = Text::new(problem::ESCAPE_UNKNOWN).with("escape", escape);
            self.error(at, reason, problem::ESCAPE_UNKNOWN_REMEDY);
        }
        known
    }
}
