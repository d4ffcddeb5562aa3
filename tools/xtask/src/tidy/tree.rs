//! The files of the repository, read once: those that belong to it (not `target`, not what git ignores by habit), with
//! Rust files already taken apart.

use super::rust::Source;
use std::fs;
use std::path::Path;

/// One text file.
pub struct Text {
    /// Path from the root, with `/`.
    pub path: String,
    /// Content; empty for files that are not UTF-8.
    pub text: String,
}

/// Everything the rules look at.
pub struct Tree {
    /// All text files.
    pub texts: Vec<Text>,
    /// The Rust files among them.
    pub sources: Vec<Source>,
}

impl Tree {
    /// Reads all files below `root`.
    pub fn read(root: &Path) -> Result<Tree, String> {
        let mut texts = Vec::new();
        walk(root, "", &mut texts).map_err(|why| format!("{}: cannot be read: {why}", root.display()))?;
        texts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Tree::of(texts))
    }

    /// From texts in memory.
    pub fn of(texts: Vec<Text>) -> Tree {
        let rust = texts.iter().filter(|text| text.path.ends_with(".rs"));
        let mut sources: Vec<Source> = rust.map(|text| Source::read(&text.path, &text.text)).collect();
        let tests: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut sources {
            source.test_only |= tests.iter().any(|test| inside(&source.path, test));
        }
        Tree { texts, sources }
    }

    /// One file by its path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.iter().find(|text| text.path == path).map(|text| text.text.as_str())
    }
}

/// Whether `path` is the file of the module `module` (a path without `.rs`) or below it.
fn inside(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn walk(dir: &Path, prefix: &str, texts: &mut Vec<Text>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let skipped = ["target", ".git", "data", "node_modules"].contains(&name.as_str());
            if !skipped {
                walk(&entry.path(), &format!("{path}/"), texts)?;
            }
        } else if kind.is_file() {
            let bytes = fs::read(entry.path())?;
            texts.push(Text { path, text: String::from_utf8(bytes).unwrap_or_default() });
        }
    }
    Ok(())
}
