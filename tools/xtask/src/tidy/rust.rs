//! A Rust file taken apart as far as the rules need it: code without comments and strings, functions with their lengths,
//! test code, and `mod` declarations. Not a parser: it trusts that the file compiles and is formatted.

use std::ops::Range;

/// One Rust file.
pub struct Source {
    /// Path from the root.
    pub path: String,
    /// As written.
    pub text: String,
    /// Same length in lines; comments and the contents of strings are blanks.
    pub code: String,
    /// The whole file is test code.
    pub test_only: bool,
    /// Lines (from 0) of items under `#[cfg(test)]`.
    pub tests: Vec<Range<usize>>,
    /// Functions outside and inside tests.
    pub functions: Vec<Function>,
    /// `mod NAME;` declarations: line, name, explicit path, under `#[cfg(test)]`.
    pub modules: Vec<Module>,
}

/// One function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Lines (from 0), from `fn` to the closing brace.
    pub lines: Range<usize>,
}

/// One `mod NAME;`.
pub struct Module {
    /// Its name.
    pub name: String,
    /// From `#[path = "…"]`.
    pub path: Option<String>,
    /// Under `#[cfg(test)]`.
    pub test: bool,
}

impl Source {
    /// Takes a file apart.
    pub fn read(path: &str, text: &str) -> Source {
        let code = without_comments_and_strings(text);
        let tests = test_items(&code);
        // `tests/` at the root is a crate with a library of its own; `tests/` below a crate is cargo's.
        let in_tests_dir = path.split('/').skip(1).any(|part| ["tests", "benches", "examples"].contains(&part));
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            functions: functions(&code),
            modules: modules(&code, text, &tests),
            tests,
            code,
            test_only: in_tests_dir,
        }
    }

    /// Whether a line (from 0) is test code.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_only || self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// Lines of code outside tests, with their numbers from 0.
    pub fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().filter(|(line, _)| !self.is_test(*line))
    }

    /// Where the modules of this file live: `a/b/lib.rs` and `a/b/mod.rs` have them in `a/b`, `a/b/c.rs` in `a/b/c`.
    pub fn module_dir(&self) -> String {
        let (dir, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let alone = ["/bin", "/tests", "/benches", "/examples"].iter().any(|end| dir.ends_with(end));
        match file {
            "lib.rs" | "main.rs" | "mod.rs" | "build.rs" => dir.to_owned(),
            _ if alone && !dir.contains("/src/") || dir.ends_with("/src/bin") => dir.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        }
    }

    /// Paths without ending of the modules that are declared under `#[cfg(test)]`.
    pub fn test_modules(&self) -> Vec<String> {
        let dir = self.module_dir();
        self.modules.iter().filter(|module| module.test).map(|module| module.stem(&dir)).collect()
    }
}

impl Module {
    /// Path of the module's file without `.rs` (or of its directory).
    pub fn stem(&self, dir: &str) -> String {
        match &self.path {
            Some(path) => format!("{dir}/{}", path.trim_end_matches(".rs")),
            None => format!("{dir}/{}", self.name),
        }
    }
}

/// Where the scan is.
enum Place {
    Code,
    LineComment,
    BlockComment(u32),
    Text,
    RawText(usize),
}

/// The text with comments and the contents of strings and characters blanked; line ends stay.
fn without_comments_and_strings(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut place, mut at) = (String::with_capacity(text.len()), Place::Code, 0);
    let ahead = |at: usize, word: &str| word.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    while let Some(&c) = chars.get(at) {
        let (shown, step) = match &mut place {
            Place::Code if ahead(at, "//") => {
                place = Place::LineComment;
                (false, 2)
            }
            Place::Code if ahead(at, "/*") => {
                place = Place::BlockComment(1);
                (false, 2)
            }
            Place::Code => code_step(&chars, at, &mut place),
            Place::LineComment => {
                if c == '\n' {
                    place = Place::Code;
                }
                (false, 1)
            }
            Place::BlockComment(depth) => {
                let step = if ahead(at, "/*") || ahead(at, "*/") { 2 } else { 1 };
                *depth = if ahead(at, "/*") { *depth + 1 } else { *depth - u32::from(ahead(at, "*/")) };
                if *depth == 0 {
                    place = Place::Code;
                }
                (false, step)
            }
            Place::Text => {
                if c == '"' {
                    place = Place::Code;
                }
                (c == '"', if c == '\\' { 2 } else { 1 })
            }
            Place::RawText(hashes) => {
                let end = format!("\"{}", "#".repeat(*hashes));
                let step = if ahead(at, &end) { end.len() } else { 1 };
                if step > 1 || ahead(at, &end) {
                    place = Place::Code;
                }
                (false, step)
            }
        };
        for c in chars.iter().skip(at).take(step) {
            out.push(if shown || *c == '\n' { *c } else { ' ' });
        }
        at += step;
    }
    out
}

/// One step in code: whether it is shown, and how many characters it takes.
fn code_step(chars: &[char], at: usize, place: &mut Place) -> (bool, usize) {
    let c = chars[at];
    let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
    let starts_word = !(before.is_alphanumeric() || before == '_');
    if c == '"' {
        *place = Place::Text;
        return (true, 1);
    }
    if c == 'r' && (starts_word || before == 'b') {
        let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
        if chars.get(at + 1 + hashes) == Some(&'"') {
            *place = Place::RawText(hashes);
            return (false, hashes + 2);
        }
    }
    if c == '\'' {
        // A character literal closes; a lifetime does not.
        let escaped = chars.get(at + 1) == Some(&'\\');
        let close = if escaped { chars[at + 3..].iter().position(|c| *c == '\'').map(|n| n + 3) } else { Some(2) };
        if let Some(close) = close.filter(|close| chars.get(at + close) == Some(&'\'')) {
            return (false, close + 1);
        }
    }
    (true, 1)
}

/// Lines of each item that follows a `#[cfg(test)]` (or another `cfg` that asks for `test`).
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    for (at, _) in code.match_indices("#[cfg(") {
        let condition = code[at..].split_once(']').map_or("", |(condition, _)| condition);
        let asks = condition.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "test");
        if !asks || condition.contains("not(") {
            continue;
        }
        let rest = &code[at + condition.len()..];
        let end = match (rest.find('{'), rest.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => closing(rest, open),
            (_, semicolon) => semicolon.unwrap_or(rest.len()),
        };
        items.push(line_of(code, at)..line_of(code, at + condition.len() + end) + 1);
    }
    items
}

/// Place of the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}

fn line_of(code: &str, at: usize) -> usize {
    code.get(..at).unwrap_or(code).matches('\n').count()
}

fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let rest = &code[at + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() || before.is_alphanumeric() || before == '_' {
            continue;
        }
        if let Some(open) = body(rest) {
            let end = closing(rest, open);
            found.push(Function { name, lines: line_of(code, at)..line_of(code, at + 3 + end) + 1 });
        }
    }
    found
}

/// Where the body of a function begins: the first brace outside brackets, before any semicolon there.
fn body(rest: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn modules(code: &str, text: &str, tests: &[Range<usize>]) -> Vec<Module> {
    let lines: Vec<&str> = text.lines().collect();
    let declared = code.lines().enumerate().filter_map(|(number, line)| {
        let name = line.trim().strip_suffix(';')?.rsplit_once("mod ").filter(|(before, _)| visibility(before))?.1;
        let attribute = number.checked_sub(1).and_then(|above| lines.get(above)).copied().unwrap_or("");
        let path = attribute.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
        let test = tests.iter().any(|lines| lines.contains(&number));
        Some(Module { name: name.to_owned(), path: path.map(str::to_owned), test })
    });
    declared.collect()
}

/// Whether what stands before `mod` is a visibility (with attributes on the same line) or nothing.
fn visibility(before: &str) -> bool {
    let before = before.trim();
    before.is_empty() || before == "pub" || before.starts_with("pub(") || before.starts_with("#[")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r##"//! Head.
/* block /* nested */ fn ghost() {} */
pub mod door;
#[cfg(test)]
mod far;
fn first<'a>(x: &'a str) -> [u8; 2] {
    let _ = ('{', '\'', '\\', "fn no() {", r#"} "quoted" {"#, b'}');
    [0, 1]
}
trait T {
    fn declared(&self);
}
#[cfg(test)]
mod tests {
    fn helper() {
        x.unwrap();
    }
}
fn last() {}
"##;

    #[test]
    fn comments_strings_and_characters_hide_their_braces() {
        let source = Source::read("a/src/lib.rs", SAMPLE);
        let functions: Vec<(&str, Range<usize>)> =
            source.functions.iter().map(|f| (f.name.as_str(), f.lines.clone())).collect();
        assert_eq!(functions, [("first", 5..9), ("helper", 14..17), ("last", 18..19)]);
        assert_eq!(source.code.lines().count(), SAMPLE.lines().count());
    }

    #[test]
    fn test_items_and_test_modules_are_known() {
        let source = Source::read("a/src/lib.rs", SAMPLE);
        assert!(source.is_test(15) && !source.is_test(6) && !source.is_test(18));
        assert_eq!(source.test_modules(), ["a/src/far"]);
        assert_eq!(source.modules.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["door", "far"]);
    }
}
