//! The draft of a configuration that one session changes: seen by nobody else until it is committed, gone with the
//! session. Sans-IO.

use super::grammar::{Act, Said};
use super::pipe::Display;
use pbx::config::Language;
use pbx::config::document::Document;
use pbx::config::edit::Refused;
use pbx::config::rebase::Rebased;
use pbx::config::show::Secrets;
use pbx::text::{Text, console as key};

/// A configuration that is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Number of its commit.
    pub number: u64,
    /// Its text, secrets and all.
    pub text: String,
}

/// The draft.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Commit that it was made from.
    pub number: u64,
    base: Document,
    now: Document,
}

impl Draft {
    /// A draft without changes.
    ///
    /// # Errors
    /// What is wrong with the stored text.
    pub fn of(stored: &Stored, language: Language) -> Result<Draft, String> {
        let document = read(stored, language)?;
        Ok(Draft { number: stored.number, base: document.clone(), now: document })
    }

    /// What is written so far.
    pub fn document(&self) -> &Document {
        &self.now
    }

    /// Something is changed; a remark is a change.
    pub fn is_changed(&self) -> bool {
        self.now != self.base
    }

    /// Makes one of the changes; others are none of its business and change nothing.
    ///
    /// # Errors
    /// Why it is refused, and then nothing is changed.
    pub fn change(&mut self, said: &Said) -> Result<(), Text> {
        let words: Vec<&str> = said.words.iter().map(String::as_str).collect();
        let (last, before) = words.split_last().map_or(("", &words[..]), |(last, before)| (*last, before));
        let done = match said.act {
            Act::Set => self.now.set(&words),
            Act::Delete => self.now.delete(&words),
            Act::Rename => self.now.rename(before, last),
            Act::Copy => self.now.copy(before, last),
            Act::Annotate => self.now.annotate(before, last),
            _ => Ok(()),
        };
        done.map_err(|refused| refusal(*refused))
    }

    /// A draft without changes of a commit that has just been made.
    pub fn from_document(number: u64, document: Document) -> Draft {
        Draft { number, base: document.clone(), now: document }
    }

    /// Takes the place of all that is written.
    pub fn replace(&mut self, document: Document) {
        self.now = document;
    }

    /// Moves the changes onto another commit; the places that both changed.
    ///
    /// # Errors
    /// What is wrong with the stored text.
    pub fn rebase(&mut self, onto: &Stored, language: Language) -> Result<Vec<String>, String> {
        let newer = read(onto, language)?;
        let Rebased { document, both } = self.now.rebase(&self.base, &newer);
        *self = Draft { number: onto.number, base: newer, now: document };
        Ok(both)
    }

    /// What it changes; none when nothing but remarks, or nothing.
    pub fn compare(&self, language: Language) -> Option<String> {
        Some(self.now.compare(&self.base, language)).filter(|text| !text.is_empty())
    }
}

/// A refused change in words.
pub fn refusal(refused: Refused) -> Text {
    Text::new(key::REFUSED).with("reason", refused.reason).with("remedy", refused.remedy)
}

/// A stored text as a document.
///
/// # Errors
/// What is wrong with it.
pub fn read(stored: &Stored, language: Language) -> Result<Document, String> {
    let told = |problems: Vec<pbx::config::Problem>| problems.iter().map(|p| p.render(language)).collect::<Vec<_>>();
    Document::parse(&stored.text).map_err(|problems| told(problems).join("\n"))
}

/// A part of a document in the form that is wanted, secrets masked.
///
/// # Errors
/// When there is no such place, or nothing written there.
pub fn shown(document: &Document, path: &[String], display: Option<Display>) -> Result<String, Text> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let part = document.part(&words).map_err(|refused| refusal(*refused))?;
    let part = part.ok_or(Text::new(key::NOT_WRITTEN))?;
    Ok(match display {
        None => part.print(Secrets::Masked),
        Some(Display::Set) => part.print_set(Secrets::Masked),
        Some(Display::Json) => part.print_json(Secrets::Masked),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "sip {\n    listen 127.0.0.1:5060;\n}\n\nextension 2001 {\n    secret amber-kite;\n}\n";

    fn draft() -> Draft {
        Draft::of(&Stored { number: 3, text: SITE.into() }, Language::En).unwrap()
    }

    fn change(draft: &mut Draft, act: Act, words: &[&str]) -> Result<(), Text> {
        draft.change(&Said { act, words: words.iter().map(|word| (*word).to_string()).collect() })
    }

    #[test]
    fn changes_are_compared_and_checked() {
        let mut draft = draft();
        assert!(!draft.is_changed() && draft.compare(Language::En).is_none());
        change(&mut draft, Act::Set, &["extension", "2001", "name", "Wang"]).unwrap();
        change(&mut draft, Act::Set, &["did", "4001234", "to", "queue", "support"]).unwrap();
        assert!(
            draft.compare(Language::En).unwrap().contains("+        name Wang;"),
            "{:?}",
            draft.compare(Language::En)
        );
        change(&mut draft, Act::Delete, &["did", "4001234"]).unwrap();
        change(&mut draft, Act::Copy, &["extension", "2001", "2002"]).unwrap();
        change(&mut draft, Act::Rename, &["extension", "2002", "2003"]).unwrap();
        change(&mut draft, Act::Annotate, &["extension", "2003", "new phone"]).unwrap();
        let text = shown(draft.document(), &[], None).unwrap();
        let phone = "# new phone\nextension 2003 {\n    name Wang;\n    secret ********;\n}\n";
        assert!(text.ends_with(phone), "{text}");
        let refused = change(&mut draft, Act::Set, &["extension", "2003", "nmae", "x"]).unwrap_err();
        assert!(refused.render(Language::En).contains("name"), "{}", refused.render(Language::En));
    }

    #[test]
    fn forms_hide_secrets() {
        let draft = draft();
        for display in [None, Some(Display::Set), Some(Display::Json)] {
            let text = shown(draft.document(), &[], display).unwrap();
            assert!(!text.contains("amber") && text.contains("********"), "{text}");
        }
        assert_eq!(shown(draft.document(), &["queue".into(), "x".into()], None), Err(Text::new(key::NOT_WRITTEN)));
    }
}
