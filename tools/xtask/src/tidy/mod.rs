//! The house rules that the compiler does not know, as one pure question about a tree of files: what is wrong here? Each
//! complaint is `FILE:LINE: RULE: what, and the remedy`. The test `tests/tests/tidy.rs` demands that there are none.

mod map;
mod rust;
mod shape;
mod tree;
mod walls;
mod words;

use std::path::Path;
use tree::Tree;

/// Names of the rules, as complaints show them and as `firmware/ARCHITECTURE.md` may cite them (`tidy::RULE`).
pub const RULES: [&str; 13] = [
    "head",
    "long-function",
    "long-file",
    "dead-file",
    "unwrap",
    "ignored-test",
    "sleep",
    "name",
    "wall",
    "no-std",
    "unsafe",
    "words",
    "invariant",
];

/// Every complaint about the repository at `root`, in order of files. Empty is good.
pub fn run(root: &Path) -> Vec<String> {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(why) => return vec![why],
    };
    let mut complaints = Vec::new();
    shape::check(&tree, &mut complaints);
    walls::check(&tree, &mut complaints);
    words::check(&tree, &mut complaints);
    map::check(&tree, &mut complaints);
    complaints.sort();
    complaints
}

/// Appends one complaint; `line` counts from 1, 0 is the whole file.
fn complain(out: &mut Vec<String>, path: &str, line: usize, rule: &str, what: &str) {
    debug_assert!(RULES.contains(&rule), "{rule}");
    out.push(if line == 0 { format!("{path}: {rule}: {what}") } else { format!("{path}:{line}: {rule}: {what}") });
}
