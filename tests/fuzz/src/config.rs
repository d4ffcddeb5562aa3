//! What must hold for any bytes that claim to be a configuration, as functions that panic when it does not. Used by the
//! fuzz targets `config_text` and `config_json` and, with changed sites, by the ordinary tests of `pbx`.

use base::time::Wall;
use pbx::calendar::Date;
use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::config::{self, Language, Problem};

/// Longer ones only take longer: printed with its indentation a text may be too long to be read again.
const BYTES_MAX: usize = 1 << 16;

fn text_of(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok().filter(|text| text.len() <= BYTES_MAX)
}

/// Problems that a person can find and read.
fn are_told(problems: &[Problem], text: &str) {
    let lines = text.matches('\n').count() + 1;
    for problem in problems {
        assert!((1..=lines).contains(&(problem.line as usize)) && problem.column >= 1, "{problem:?}");
        for language in [Language::Zh, Language::En] {
            assert!(!problem.render(language).is_empty());
        }
    }
}

fn again<T>(read: Result<T, Vec<Problem>>, text: &str) -> T {
    read.unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(|p| p.render(Language::En)).collect();
        panic!("what was printed cannot be read: {}\n{text}", told.join("\n"))
    })
}

/// What differs but for remarks.
fn alike(one: &Document, other: &Document) {
    assert_eq!((one.compare(other, Language::En), other.compare(one, Language::En)), (String::new(), String::new()));
}

/// Reading never panics; what can be read is printed in each form and reads back the same.
pub fn config_text(bytes: &[u8]) {
    let Some(text) = text_of(bytes) else { return };
    let examination = config::examine(text);
    are_told(&examination.problems, text);
    // The proof is asked of what has errors, too.
    let proven = config::examine_and_prove(text, |_| Date::of(Wall::from_millis(0), 0), Some(&[]));
    are_told(&proven.problems, text);
    assert!(proven.problems.len() >= examination.problems.len());
    if let Some(values) = examination.config {
        let printed = config::print(&values);
        assert_eq!(again(config::parse(&printed), &printed), values);
    }
    match Document::parse(text) {
        Err(problems) => are_told(&problems, text),
        Ok(document) => {
            let printed = document.print(Secrets::Plain);
            assert_eq!(again(Document::parse(&printed), &printed), document);
            let json = document.print_json(Secrets::Plain);
            alike(&again(Document::parse_json(&json), &json), &document);
            let lines = document.print_set(Secrets::Plain);
            let mut by_lines = Document::default();
            again(by_lines.apply_lines(&lines), &lines);
            alike(&by_lines, &document);
        }
    }
}

/// Reading never panics; what can be read is printed as JSON, and as text, and reads back the same.
pub fn config_json(bytes: &[u8]) {
    let Some(text) = text_of(bytes) else { return };
    match Document::parse_json(text) {
        Err(problems) => {
            assert!(!problems.is_empty());
            are_told(&problems, text);
        }
        Ok(document) => {
            let json = document.print_json(Secrets::Plain);
            assert_eq!(again(Document::parse_json(&json), &json), document);
            let printed = document.print(Secrets::Plain);
            assert_eq!(again(Document::parse(&printed), &printed), document);
        }
    }
}
