//! Words that may not stand in any file: notes to oneself, and places that exist on one machine only.

use super::complain;
use super::tree::Tree;

/// Each word in two halves, so that this list does not find itself.
const WORDS: [(&str, &str, &str); 10] = [
    ("TO", "DO", "do it, or write down in the open where it belongs"),
    ("FIX", "ME", "fix it"),
    ("XX", "X:", "say what is wrong, or mend it"),
    ("/wo", "rk/", "a path of one machine; find it from the repository's root"),
    ("/tmp/tar", "get", "a path of one machine; use the target directory of cargo"),
    ("/ro", "ot/", "a path of one machine"),
    ("/home", "/", "a path of one machine"),
    ("replace", "-with", "the choice of a package host belongs to the machine, not to the repository"),
    ("sparse", "+http", "the choice of a package host belongs to the machine, not to the repository"),
    ("trusted", "-host", "the choice of a package host belongs to the machine, not to the repository"),
];

/// Appends each place of each word.
pub fn check(tree: &Tree, out: &mut Vec<String>) {
    for text in tree.texts.iter().filter(|text| !text.path.ends_with("Cargo.lock")) {
        for (number, line) in text.text.lines().enumerate() {
            for (left, right, remedy) in WORDS {
                if let Some(at) = line.find(&[left, right].concat()).filter(|at| own_word(line, *at)) {
                    let what = format!("`{left}{right}` at column {}; {remedy}", at + 1);
                    complain(out, &text.path, number + 1, "words", &what);
                }
            }
        }
    }
}

/// Whether a new word begins at `at`: `MANTODOS` has no note in it, and `$HOME/root/` is no path from the root.
fn own_word(line: &str, at: usize) -> bool {
    !line[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Text;
    use super::*;

    #[test]
    fn a_note_to_oneself_is_found_in_any_file_and_inside_words_it_is_not() {
        let word = ["TO", "DO"].concat();
        let text = format!("fine\n# {word}: later\nMAN{word}S\n");
        let mut out = Vec::new();
        check(&Tree::of(vec![Text { path: "tools/run".into(), text }]), &mut out);
        assert!(out.len() == 1 && out[0].starts_with("tools/run:2: words"), "{out:?}");
    }
}
