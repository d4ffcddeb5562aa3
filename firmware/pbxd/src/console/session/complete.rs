//! What can follow at the cursor, from the table of commands and the schema: Tab, `?`, and the help.

use super::{BELL, Session, words, wrong_words};
use crate::console::draft;
use crate::console::grammar::{self, Argument, Mode, Next};
use crate::console::pager::Pager;
use crate::console::pipe;
use crate::console::sources::Sources;
use crate::story::layout::{left, width};
use crate::story::say::Say;
use pbx::config::document::Document;
use pbx::config::edit;
use pbx::config::{Language, Role};
use pbx::text::{console as key, text};

impl<S: Sources> Session<S> {
    pub(super) fn help(&mut self) -> String {
        let (say, role) = (self.say(), self.role().unwrap_or(Role::Viewer));
        let words: Vec<(String, String)> = grammar::first_words(self.mode(), role)
            .into_iter()
            .map(|(word, about)| (word.to_string(), say.plain(about).to_string()))
            .collect();
        let more = match self.mode() {
            Mode::Operational => vec![key::HELP_SHORT, key::HELP_PIPES, key::HELP_KEYS, key::HELP_NUMBERS],
            Mode::Configuration => vec![key::HELP_COMMIT, key::HELP_PIPES, key::HELP_KEYS],
        };
        let more: String = more.into_iter().map(|line| format!("{}\n", say.plain(line))).collect();
        format!("{}\n{more}", two_columns(&words))
    }

    /// What can stand at the cursor, each with what it means; the beginning of the word that is being typed.
    fn choices(&mut self) -> Result<(String, Vec<Choice>), String> {
        let (language, before) = (self.language(), self.line.before());
        if self.takes_pipes(&before) {
            let parts = pipe::split(&before);
            if let (Some(last), true) = (parts.last(), parts.len() > 1) {
                return Ok(pipe_choices(last.trim_start(), language));
            }
        }
        let beginning = before.rsplit(char::is_whitespace).next().unwrap_or_default().to_string();
        let whole = before.get(..before.len() - beginning.len()).unwrap_or_default();
        let words = words(whole, language)?;
        let next = grammar::follow(self.mode(), self.role().unwrap_or(Role::Viewer), &words)
            .map_err(|wrong| wrong_words(wrong, Say(language)))?;
        let mut choices = Vec::new();
        for one in next {
            match one {
                Next::Word(word, about) => choices.push(Choice::word(word, about.raw(language))),
                Next::Enter => {
                    choices.push(Choice {
                        word: None,
                        shown: "<Enter>".into(),
                        about: key::ENTER.raw(language).into(),
                    });
                    if self.takes_pipes(whole) {
                        let about = key::P_PIPE.raw(language).into();
                        choices.push(Choice { word: None, shown: "|".into(), about });
                    }
                }
                Next::Argument(argument, path) => choices.extend(self.values(argument, &path, language)?),
            }
        }
        let said: Vec<&str> = words.iter().map(String::as_str).collect();
        if let (Mode::Configuration, ["set", rest @ ..]) = (self.mode(), said.as_slice()) {
            let path = self.whole_path(&rest.iter().map(ToString::to_string).collect::<Vec<_>>());
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let wants_value = edit::wants_value(&path);
            choices.retain(|choice| !wants_value || choice.word.is_some() || choice.shown == "<…>");
        }
        choices.retain(|choice| match &choice.word {
            Some(word) => word.starts_with(&beginning),
            None => choice.shown.starts_with('<') && choice.shown != "<Enter>" || beginning.is_empty(),
        });
        Ok((beginning, choices))
    }

    fn values(&mut self, argument: Argument, path: &[String], language: Language) -> Result<Vec<Choice>, String> {
        let expected = || Choice { word: None, shown: "<…>".into(), about: argument.expected().raw(language).into() };
        let of_schema = |document: &Document, path: &[&str]| -> Result<Vec<Choice>, String> {
            let choices = document.choices(path).map_err(|why| {
                let values = [("reason", why.reason.render(language)), ("remedy", why.remedy.render(language))];
                text(key::REFUSED, language, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
            })?;
            let choice = |choice: pbx::config::edit::Choice| {
                let shown = choice.word.clone().unwrap_or_else(|| "<…>".into());
                Choice { word: choice.word, shown, about: choice.about.render(language) }
            };
            Ok(choices.into_iter().map(choice).collect())
        };
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        match argument {
            Argument::Path => {
                let path = self.whole_path(path);
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                self.draft.as_ref().map_or(Ok(Vec::new()), |draft| of_schema(draft.document(), &path))
            }
            Argument::PathInForce | Argument::Queue | Argument::Agent => {
                let path: &[&str] = match argument {
                    Argument::Queue => &["queue"],
                    Argument::Agent => &["agent"],
                    _ => &borrowed,
                };
                let mut choices = of_schema(&draft::read(&self.in_force()?, language)?, path)?;
                if argument != Argument::PathInForce {
                    // One that is not there cannot be shown.
                    choices.retain(|choice| choice.word.is_some());
                }
                Ok(choices)
            }
            Argument::Call => {
                let live = self.glance().map(|glance| glance.standing.calls.into_keys().collect::<Vec<_>>());
                let about = key::C_SHOW_CALL.raw(language);
                let live = live.unwrap_or_default().into_iter().map(|uid| Choice::word(&uid.to_string(), about));
                Ok([Choice::word("last", about)].into_iter().chain(live).chain([expected()]).collect())
            }
            Argument::Mode | Argument::Switch => {
                let words: &[&str] =
                    if argument == Argument::Mode { &["auto", "day", "night"] } else { &["on", "off"] };
                Ok(words.iter().map(|word| Choice::word(word, argument.expected().raw(language))).collect())
            }
            Argument::Alarm => {
                let about = argument.expected().raw(language);
                let up = self.glance().map(|glance| glance.alarms).unwrap_or_default();
                Ok(up.iter().map(|alarm| Choice::word(&alarm.name, about)).collect())
            }
            Argument::Language => {
                Ok(["zh", "en"].map(|word| Choice::word(word, argument.expected().raw(language))).into())
            }
            Argument::Time
            | Argument::Name
            | Argument::Number
            | Argument::Text
            | Argument::Minutes
            | Argument::Back
            | Argument::Place
            | Argument::BundlePlace
            | Argument::Command
            | Argument::Subject
            | Argument::Clock
            | Argument::Address => Ok(vec![expected()]),
        }
    }

    /// `?`
    pub(super) fn help_here(&mut self) {
        let told = match self.choices() {
            Ok((_, choices)) if choices.is_empty() => self.say().plain(key::NOTHING_FOLLOWS).to_string(),
            Ok((_, choices)) => {
                let rows: Vec<_> = choices.into_iter().map(|choice| (choice.shown, choice.about)).collect();
                two_columns(&rows)
            }
            Err(why) => why,
        };
        self.out.push_str("\r\n");
        self.pager = Some(Pager::of(&self.screen.shown(&told)));
        self.page(self.screen.page());
        if self.pager.is_none() {
            self.draw(true);
        }
    }

    /// Tab.
    pub(super) fn complete(&mut self) {
        let Ok((beginning, choices)) = self.choices() else {
            self.out.push_str(BELL);
            return;
        };
        let words: Vec<&str> = choices.iter().filter_map(|choice| choice.word.as_deref()).collect();
        let common = common(&words);
        let mut more: Vec<char> = common.strip_prefix(beginning.as_str()).unwrap_or_default().chars().collect();
        if words.len() == 1 {
            more.push(' ');
        }
        match (more.is_empty(), words.len()) {
            (false, _) if self.line.insert(&more) => self.draw(false),
            (true, 2..) => self.help_here(),
            _ => self.out.push_str(BELL),
        }
    }
}

/// One thing that can follow.
struct Choice {
    word: Option<String>,
    shown: String,
    about: String,
}

impl Choice {
    fn word(word: &str, about: &str) -> Choice {
        Choice { word: Some(word.into()), shown: word.into(), about: about.into() }
    }
}

fn pipe_choices(part: &str, language: Language) -> (String, Vec<Choice>) {
    let expects_text =
        ["match ", "except ", "begin ", "include ", "exclude "].iter().any(|word| part.starts_with(word));
    if let Some(rest) = part.strip_prefix("display ") {
        let about = key::P_DISPLAY.raw(language);
        let forms = ["set", "json"].into_iter().filter(|form| form.starts_with(rest));
        return (rest.to_string(), forms.map(|form| Choice::word(form, about)).collect());
    }
    if expects_text {
        let about = key::P_TEXT.raw(language).into();
        return (String::new(), vec![Choice { word: None, shown: "<…>".into(), about }]);
    }
    let words = pipe::words().filter(|(word, _)| word.starts_with(part));
    (part.to_string(), words.map(|(word, about)| Choice::word(word, about.raw(language))).collect())
}

fn common(words: &[&str]) -> String {
    let Some((first, rest)) = words.split_first() else { return String::new() };
    let shared = |other: &str| first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let length = rest.iter().map(|other| shared(other)).min().unwrap_or(first.chars().count());
    first.chars().take(length).collect()
}

fn two_columns(rows: &[(String, String)]) -> String {
    let wide = rows.iter().map(|(word, _)| width(word)).max().unwrap_or(0);
    rows.iter().map(|(word, about)| format!("  {}  {about}\n", left(word, wide, ' '))).collect()
}
