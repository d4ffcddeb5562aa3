//! A draft moved onto a newer commit: three documents in, one out. What only one side changed is as that side has it; where
//! both changed the same to different things the draft's wish stays, and the place is named so that its owner looks.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::document::{Body, Document, Entry, push_head};
use super::schema::Section;

/// A moved draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebased {
    /// The newer commit with the draft's changes.
    pub document: Document,
    /// Where both sides changed the same; the draft's wish stands there.
    pub both: Vec<String>,
}

impl Document {
    /// Moves what was changed from `base` to here onto `newer`.
    pub fn rebase(&self, base: &Document, newer: &Document) -> Rebased {
        let mut both = Vec::new();
        let sides = Sides { base: &base.body, mine: &self.body, theirs: &newer.body };
        let body = sides.merged(None, &mut String::new(), &mut both);
        Rebased { document: Document { body }, both }
    }
}

struct Sides<'d> {
    base: &'d Body,
    mine: &'d Body,
    theirs: &'d Body,
}

/// What one of two sides changed; none when both did, differently.
fn settled<T: PartialEq + Clone>(base: &T, mine: &T, theirs: &T) -> Option<T> {
    if mine == base || mine == theirs {
        Some(theirs.clone())
    } else if theirs == base {
        Some(mine.clone())
    } else {
        None
    }
}

fn keys<K: Ord, V>(maps: [&BTreeMap<K, V>; 3]) -> BTreeSet<&K> {
    maps.into_iter().flat_map(BTreeMap::keys).collect()
}

impl Sides<'_> {
    fn merged(&self, section: Option<Section>, path: &mut String, both: &mut Vec<String>) -> Body {
        let rows = section.map(Section::rows).unwrap_or_default();
        let mut body = Body::default();
        for place in keys([&self.base.leaves, &self.mine.leaves, &self.theirs.leaves]) {
            let [base, mine, theirs] = [self.base, self.mine, self.theirs].map(|side| side.leaves.get(place).cloned());
            let held = settled(&base, &mine, &theirs).unwrap_or_else(|| {
                let name = rows.get(*place).map_or("", |row| row.name);
                both.push([path.as_str(), name].join(" ").trim_start().to_string());
                mine
            });
            body.leaves.extend(held.map(|entry| (*place, entry)));
        }
        let nothing = Entry::bare(Body::default());
        for head in keys([&self.base.sections, &self.mine.sections, &self.theirs.sections]) {
            let [base, mine, theirs] = [self.base, self.mine, self.theirs].map(|side| side.sections.get(head).cloned());
            let length = path.len();
            push_head(path, head.0, &head.1.0);
            let entry = match settled(&base, &mine, &theirs) {
                Some(entry) => entry,
                None => match (mine, theirs) {
                    (Some(mine), Some(theirs)) => {
                        let base = base.as_ref().unwrap_or(&nothing);
                        let sides = Sides { base: &base.held, mine: &mine.held, theirs: &theirs.held };
                        let held = sides.merged(Some(head.0), path, both);
                        let above = settled(&base.above, &mine.above, &theirs.above).unwrap_or(mine.above);
                        let beside = settled(&base.beside, &mine.beside, &theirs.beside).unwrap_or(mine.beside);
                        Some(Entry { above, beside, held })
                    }
                    (mine, _) => {
                        both.push(path.clone());
                        mine
                    }
                },
            };
            body.sections.extend(entry.map(|entry| (head.clone(), entry)));
            path.truncate(length);
        }
        body.tail =
            settled(&self.base.tail, &self.mine.tail, &self.theirs.tail).unwrap_or_else(|| self.mine.tail.clone());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::show::Secrets;

    const BASE: &str = "sip {\n    listen 127.0.0.1:5060;\n}\n\nextension 2001 {\n    name Wang;\n    secret amber-kite;\n}\n\nextension 2002 {\n    secret amber-kite;\n}\n";

    fn read(text: &str) -> Document {
        Document::parse(text).unwrap()
    }

    fn changed(lines: &[&[&str]]) -> Document {
        let mut document = read(BASE);
        for words in lines {
            match words[0] {
                "set" => document.set(&words[1..]).unwrap(),
                _ => document.delete(&words[1..]).unwrap(),
            }
        }
        document
    }

    #[test]
    fn what_either_side_changed_is_there_and_what_both_changed_is_named() {
        let mine = changed(&[
            &["set", "extension", "2001", "name", "Li"],
            &["set", "extension", "2002", "record", "yes"],
            &["delete", "extension", "2002", "secret"],
            &["set", "skill", "billing"],
        ]);
        let theirs = changed(&[
            &["set", "extension", "2001", "name", "Zhao"],
            &["set", "extension", "2001", "record", "yes"],
            &["set", "extension", "2002", "ring-timeout-s", "20"],
            &["set", "skill", "service"],
        ]);
        let Rebased { document, both } = mine.rebase(&read(BASE), &theirs);
        assert_eq!(both, ["extension 2001 name"]);
        let text = document.print(Secrets::Plain);
        for line in ["name Li", "record yes", "ring-timeout-s 20", "skill billing", "skill service"] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert_eq!(text.matches("secret").count(), 1, "{text}");
    }

    #[test]
    fn a_section_that_one_side_deletes_and_the_other_changes_is_named() {
        let mine = changed(&[&["delete", "extension", "2002"]]);
        let theirs = changed(&[&["set", "extension", "2002", "record", "yes"]]);
        let rebased = mine.rebase(&read(BASE), &theirs);
        assert_eq!(rebased.both, ["extension 2002"]);
        assert_eq!(rebased.document, mine);
        assert_eq!(mine.rebase(&read(BASE), &read(BASE)).document, mine);
        assert_eq!(read(BASE).rebase(&read(BASE), &theirs).document, theirs);
    }
}
