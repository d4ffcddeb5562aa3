//! How each Rust file must look: its head, its length, its functions, its reachability, and what may not stand in it.

use super::complain;
use super::rust::Source;
use super::tree::Tree;
use std::collections::BTreeSet;

/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file outside `#[cfg(test)]`.
const FILE_LINES_MAX: usize = 600;
/// The functions that may be longer: `FILE FUNCTION: reason`.
const LONG: &str = "tools/xtask/src/tidy/long_functions.txt";

/// Calls that end the program where an answer is owed.
const PANICS: [&str; 6] = [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
/// Endings of type names that say nothing.
const EMPTY_NAMES: [&str; 4] = ["Manager", "Handler", "Service", "Util"];
/// File and module names that say nothing.
const EMPTY_FILES: [&str; 8] =
    ["util.rs", "utils.rs", "common.rs", "types.rs", "manager.rs", "handler.rs", "service.rs", "helpers.rs"];

/// Appends what is wrong with the shape of the sources.
pub fn check(tree: &Tree, out: &mut Vec<String>) {
    let long = allowed_long(tree);
    let mut used = BTreeSet::new();
    for source in &tree.sources {
        head(source, out);
        long_functions(source, &long, &mut used, out);
        long_file(source, out);
        lines(source, out);
        names(source, out);
    }
    for (path, function) in long.difference(&used) {
        let what = format!("`{path} {function}` is not too long any more; remove the line");
        complain(out, LONG, 0, "long-function", &what);
    }
    dead_files(tree, out);
}

fn head(source: &Source, out: &mut Vec<String>) {
    if !source.text.starts_with("//! ") {
        complain(out, &source.path, 1, "head", "begins with `//! ` and one sentence on what it is and is not");
    }
    if source.text.starts_with("//! Not written yet") {
        complain(out, &source.path, 1, "head", "is announced and not written; write it or remove it");
    }
}

fn allowed_long(tree: &Tree) -> BTreeSet<(String, String)> {
    let lines = tree.text(LONG).unwrap_or_default().lines();
    let entries = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    entries.filter_map(|(place, _)| place.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()))).collect()
}

fn long_functions(
    source: &Source,
    allowed: &BTreeSet<(String, String)>,
    used: &mut BTreeSet<(String, String)>,
    out: &mut Vec<String>,
) {
    for function in &source.functions {
        let length = function.lines.len();
        if length <= FUNCTION_LINES_MAX || source.is_test(function.lines.start) {
            continue;
        }
        let entry = (source.path.clone(), function.name.clone());
        if allowed.contains(&entry) {
            used.insert(entry);
            continue;
        }
        let what = format!(
            "`{}` has {length} lines, {FUNCTION_LINES_MAX} are allowed; split it, or when it is one dispatch `match` \
             name it with the reason in {LONG}",
            function.name
        );
        complain(out, &source.path, function.lines.start + 1, "long-function", &what);
    }
}

fn long_file(source: &Source, out: &mut Vec<String>) {
    let length = source.production().count();
    if length > FILE_LINES_MAX {
        let what = format!("{length} lines outside tests, {FILE_LINES_MAX} are allowed; split it by subject");
        complain(out, &source.path, 0, "long-file", &what);
    }
}

/// What may not stand in a line.
fn lines(source: &Source, out: &mut Vec<String>) {
    for (number, line) in source.code.lines().enumerate() {
        let test = source.is_test(number);
        // Never shipped; a failure there is a failing test.
        let harness = source.path.starts_with("tests/");
        if let Some(call) = PANICS.iter().find(|call| !test && !harness && contains_call(line, call)) {
            let what = format!("`{call}` outside tests; return an error, count, or decide");
            complain(out, &source.path, number + 1, "unwrap", &what);
        }
        if line.trim_start().starts_with("#[ignore") {
            complain(out, &source.path, number + 1, "ignored-test", "a test runs, or it is removed");
        }
        if (test || harness) && (contains_call(line, "sleep(") || contains_call(line, "sleep_until(")) {
            let what = "a test waits for an event with a bound, it does not sleep";
            complain(out, &source.path, number + 1, "sleep", what);
        }
    }
}

/// Whether `line` calls `call` as a word of its own: `sleep(` is not in `nanosleep(`.
fn contains_call(line: &str, call: &str) -> bool {
    let whole = |at: usize| !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    let defined = |at: usize| line[..at].ends_with("fn ");
    line.match_indices(call).any(|(at, _)| call.starts_with('.') || whole(at) && !defined(at))
}

fn names(source: &Source, out: &mut Vec<String>) {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    if EMPTY_FILES.contains(&file) {
        complain(out, &source.path, 0, "name", "the name says nothing; name the subject");
    }
    for (number, line) in source.code.lines().enumerate() {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let defined = words.windows(2).find(|pair| ["struct", "enum", "trait", "type"].contains(&pair[0]));
        if let Some(name) = defined.map(|pair| pair[1]).filter(|name| EMPTY_NAMES.iter().any(|e| name.ends_with(e))) {
            complain(out, &source.path, number + 1, "name", &format!("`{name}` says nothing; name what it is"));
        }
    }
}

/// Files that no `mod` reaches from a crate root.
fn dead_files(tree: &Tree, out: &mut Vec<String>) {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&Source> = tree.sources.iter().filter(|source| is_root(tree, &source.path)).collect();
    while let Some(source) = open.pop() {
        if !reached.insert(&source.path) {
            continue;
        }
        let dir = source.module_dir();
        for module in &source.modules {
            let stem = module.stem(&dir);
            let files = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            open.extend(tree.sources.iter().filter(|other| files.contains(&other.path)));
        }
    }
    for source in tree.sources.iter().filter(|source| !reached.contains(source.path.as_str())) {
        complain(out, &source.path, 0, "dead-file", "no `mod` reaches it; declare or remove it");
    }
}

/// Whether cargo compiles the file on its own: by its place, or because a manifest says so.
fn is_root(tree: &Tree, path: &str) -> bool {
    let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
    let alone = |dir: &str| {
        let place = ["/tests", "/benches", "/examples", "/fuzz_targets"].iter().any(|end| dir.ends_with(end));
        place && !dir.contains("/src/") || dir.ends_with("/src/bin")
    };
    let in_src = dir.ends_with("/src") && (file == "lib.rs" || file == "main.rs");
    let in_own_dir = file == "main.rs" && dir.rsplit_once('/').is_some_and(|(parent, _)| alone(parent));
    in_src || in_own_dir || alone(dir) || file == "build.rs" || named_in_a_manifest(tree, path)
}

/// Whether a `Cargo.toml` above has `path = "…"` with this file.
fn named_in_a_manifest(tree: &Tree, path: &str) -> bool {
    let manifests = tree.texts.iter().filter_map(|text| Some((text.path.strip_suffix("Cargo.toml")?, &text.text)));
    manifests
        .into_iter()
        .any(|(dir, text)| path.strip_prefix(dir).is_some_and(|rest| text.contains(&format!("path = \"{rest}\""))))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Text;
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let texts = files.iter().map(|(path, text)| Text { path: (*path).into(), text: (*text).into() }).collect();
        let mut out = Vec::new();
        check(&Tree::of(texts), &mut out);
        out
    }

    #[test]
    fn a_good_file_passes() {
        let good =
            "//! One.\n\n/// Two.\npub fn two() {}\n\n#[cfg(test)]\nmod tests {\n    fn t() { x.unwrap(); }\n}\n";
        assert_eq!(complaints(&[("a/src/lib.rs", good)]), Vec::<String>::new());
    }

    #[test]
    fn each_rule_of_shape_has_a_voice() {
        let long = format!("//! Long.\nfn long() {{\n{}}}\n", "    call();\n".repeat(70));
        let bad = "fn f() { x.unwrap() }\nstruct CallManager;\n#[cfg(test)]\nmod tests {\n    #[ignore]\n    fn t() { sleep(d); nanosleep(d) }\n}\n";
        let all = complaints(&[
            ("a/src/lib.rs", bad),
            ("a/src/util.rs", "//! Nobody.\n"),
            ("b/src/lib.rs", &long),
            ("c/src/lib.rs", &format!("//! Tall.\n{}", "// x\n".repeat(600))),
        ]);
        let rules: Vec<&str> = all.iter().filter_map(|line| line.split(": ").nth(1)).collect();
        let expected =
            ["head", "unwrap", "ignored-test", "sleep", "name", "name", "long-function", "long-file", "dead-file"];
        assert_eq!(rules, expected, "{all:#?}");
    }

    #[test]
    fn an_entry_of_the_list_must_be_needed() {
        let list = "# reasons\na/src/lib.rs gone: one dispatch match\n";
        let all = complaints(&[("a/src/lib.rs", "//! A.\n"), (LONG, list)]);
        assert!(all.len() == 1 && all[0].contains("not too long any more"), "{all:?}");
    }
}
