//! The map `firmware/ARCHITECTURE.md` must be true where it can be checked: each invariant names a test, a lint or a rule
//! that exists, and each file or directory it names is there.

use super::tree::Tree;
use super::{RULES, complain};

/// The map.
const MAP: &str = "firmware/ARCHITECTURE.md";

/// Appends what the map claims and the house does not have.
pub fn check(tree: &Tree, out: &mut Vec<String>) {
    let Some(text) = tree.text(MAP) else {
        complain(out, MAP, 0, "invariant", "the map of the house is missing");
        return;
    };
    let items = invariants(text);
    if items.is_empty() {
        complain(out, MAP, 0, "invariant", "no section `Invariants` with a list or a table");
    }
    for (line, item) in items {
        if !names(&item).any(|name| exists(tree, name)) {
            let what = format!("names no test, lint or rule that exists: {}", item.trim());
            complain(out, MAP, line + 1, "invariant", &what);
        }
    }
}

/// The list items and table rows of sections whose heading speaks of invariants, with their line from 0.
fn invariants(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let (mut inside, mut header) = (false, true);
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            inside = line.to_lowercase().contains("invariant");
            header = true;
            continue;
        }
        let row = line.starts_with('|');
        let rule = row && line.chars().all(|c| "|-: ".contains(c));
        if !inside || line.trim().is_empty() || rule {
            header &= !rule;
            continue;
        }
        let numbered = line.split_once(". ").is_some_and(|(n, _)| n.chars().all(|c| c.is_ascii_digit()));
        let bullet = line.starts_with("- ") || line.starts_with("* ") || (numbered && !line.starts_with(". "));
        if bullet || (row && !header) {
            items.push((number, line.to_owned()));
        } else if let Some((_, item)) = items.last_mut().filter(|_| line.starts_with(' ')) {
            item.push_str(line);
        }
    }
    items
}

/// The names in backticks.
fn names(item: &str) -> impl Iterator<Item = &str> {
    item.split('`').skip(1).step_by(2)
}

/// Whether a test, a lint or a rule of that name exists.
fn exists(tree: &Tree, name: &str) -> bool {
    if let Some(rule) = name.strip_prefix("tidy::") {
        return RULES.contains(&rule);
    }
    if let Some(lint) = name.strip_prefix("clippy::") {
        let set = format!("{lint} =");
        return tree.text("Cargo.toml").is_some_and(|manifest| manifest.contains(&set));
    }
    let last = name.rsplit("::").next().unwrap_or(name);
    let lint = format!("\n{last} =");
    tree.text("Cargo.toml").is_some_and(|manifest| manifest.contains(&lint))
        || tree.sources.iter().any(|source| {
            source.functions.iter().any(|function| function.name == last && source.is_test(function.lines.start))
        })
}

#[cfg(test)]
mod tests {
    use super::super::tree::Text;
    use super::*;

    #[test]
    fn an_invariant_without_a_witness_is_told() {
        let map = "# Map\n\n## Invariants\n\n| what | held by |\n|---|---|\n| One. | `it_holds` |\n| Two. | hope |\n\n- Three\n  by `tidy::wall`\n- Four by `a::gone`\n\n## Else\n- Five\n";
        let code = "//! A.\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn it_holds() {}\n}\n";
        let text = |path: &str, text: &str| Text { path: path.into(), text: text.into() };
        let mut out = Vec::new();
        check(&Tree::of(vec![text(MAP, map), text("a/src/lib.rs", code)]), &mut out);
        assert_eq!(out.len(), 2, "{out:#?}");
        assert!(out[0].contains("Two") && out[1].contains("Four"));
    }
}
