//! One session at a terminal: bytes in, text out, answers from [`Sources`]. Sans-IO: it owns neither the line nor a
//! clock. What it keeps is bounded: a line, a history, a draft, and the pages of one answer.

use self::commits::{Load, Paste};
use self::login::{Door, NewPassword};
use self::watch::Watch;
use super::draft::{self, Draft, Stored};
use super::grammar::{self, Act, Mode, Said, Wrong};
use super::keys::{Key, Keys};
use super::line::{Edit, Line};
use super::pager::{MORE, Pager};
use super::pipe::{self, Display, Stage};
use super::screen::Screen;
use super::show;
use super::sources::Sources;
use crate::admin::Desk;
use crate::story::say::Say;
use base::time::Instant;
use pbx::config::{Language, Role, edit};
use pbx::text::{Text, console as key, text};

mod commits;
mod complete;
mod login;
mod operate;
mod support;
mod tables;
mod watch;

/// Name at the prompt until the site's is known, or when it cannot be written there.
const HOST: &str = "pbx";
/// Recordings that are listed.
const RECORDINGS: u32 = 100;
/// Calls that have ended and are listed.
const ENDED: u32 = 50;
/// Characters of a name at the prompt.
const HOST_MAX: usize = 24;
/// Rings the terminal's bell.
const BELL: &str = "\x07";

/// The session.
pub struct Session<S> {
    sources: S,
    keys: Keys,
    line: Line,
    screen: Screen,
    pager: Option<Pager>,
    draft: Option<Draft>,
    /// One's place among those who edit, while there is a draft.
    desk: Option<Desk>,
    /// The section that words of changes begin in.
    at: Vec<String>,
    paste: Option<Paste>,
    new_password: Option<NewPassword>,
    /// What a person must say yes to.
    asked: Option<Act>,
    watch: Option<Watch>,
    door: Door,
    /// The last key.
    touched: Instant,
    /// Name and language of the site, once known.
    site: Option<(String, Language)>,
    /// The language that was asked for.
    language: Option<Language>,
    greeted: bool,
    over: bool,
    out: String,
}

/// An answer that is not the wanted one, in words.
type Answer = Result<String, String>;

impl<S: Sources> Session<S> {
    /// A session that has not been spoken to.
    pub fn new(sources: S) -> Session<S> {
        Session {
            sources,
            keys: Keys::default(),
            line: Line::default(),
            screen: Screen::default(),
            pager: None,
            draft: None,
            desk: None,
            at: Vec::new(),
            paste: None,
            new_password: None,
            asked: None,
            watch: None,
            door: Door::Name(String::new()),
            touched: Instant::BOOT,
            site: None,
            language: None,
            greeted: false,
            over: false,
            out: String::new(),
        }
    }

    /// Takes what was typed; what is sent back.
    pub fn take(&mut self, bytes: &[u8]) -> String {
        for byte in bytes {
            if self.over {
                break;
            }
            if let Some(key) = self.keys.take(*byte) {
                self.key(key);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// The person has left: the terminal may hang up.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The sources, for whoever checks what was asked of them.
    pub fn sources(&self) -> &S {
        &self.sources
    }

    /// The sources, to be changed while somebody sits here.
    pub fn sources_mut(&mut self) -> &mut S {
        &mut self.sources
    }

    /// Takes the sources back, for the session after this.
    pub fn into_sources(self) -> S {
        self.sources
    }

    fn mode(&self) -> Mode {
        if self.draft.is_some() { Mode::Configuration } else { Mode::Operational }
    }

    /// A terminal that knows only ASCII is spoken to in English.
    fn language(&self) -> Language {
        if !self.screen.answers() {
            return Language::En;
        }
        self.language.or(self.site.as_ref().map(|(_, language)| *language)).unwrap_or_default()
    }

    fn say(&self) -> Say {
        Say(self.language())
    }

    fn key(&mut self, key: Key) {
        if let Key::Position { row, column } = key {
            self.screen.answered(row, column);
            return;
        }
        self.touched = self.sources.now();
        if !self.greeted {
            self.greet();
            if matches!(key, Key::Enter | Key::Ctrl('c' | 'l')) {
                // It was pressed to see whether somebody is there.
                return;
            }
        }
        if self.knocked(key) || self.password_key(key) {
            return;
        }
        if self.pager.is_some() {
            self.turn(key);
            return;
        }
        if self.pasted(key) || self.watched(key) {
            return;
        }
        match key {
            Key::Enter => self.enter(),
            Key::Tab => self.complete(),
            Key::Char('?') if !in_quotes(&self.line.before()) => self.help_here(),
            Key::Char(c) => self.edit(Edit::Insert(c)),
            Key::Backspace => self.edit(Edit::Backspace),
            Key::Delete => self.edit(Edit::Delete),
            Key::Left | Key::Ctrl('b') => self.edit(Edit::Left),
            Key::Right | Key::Ctrl('f') => self.edit(Edit::Right),
            Key::Up | Key::Ctrl('p') => self.edit(Edit::Older),
            Key::Down | Key::Ctrl('n') => self.edit(Edit::Newer),
            Key::Home | Key::Ctrl('a') => self.edit(Edit::Home),
            Key::End | Key::Ctrl('e') => self.edit(Edit::End),
            Key::Ctrl('k') => self.edit(Edit::CutToEnd),
            Key::Ctrl('u') => self.edit(Edit::CutToBeginning),
            Key::Ctrl('w') => self.edit(Edit::CutWord),
            Key::Ctrl('y') => self.edit(Edit::Paste),
            Key::Ctrl('c') => {
                self.line.abandon();
                self.out.push_str("\r\n");
                if self.asked.take().is_some() {
                    let told = self.say().plain(key::NOT_DONE).to_string();
                    self.print(&told);
                }
                self.draw(true);
            }
            Key::Ctrl('l') => {
                self.out.push_str(self.screen.ask());
                self.out.push_str("\r\n");
                self.draw(true);
            }
            Key::Ctrl('d') if !self.line.is_empty() => self.edit(Edit::Delete),
            Key::Ctrl(_) | Key::PageDown | Key::Position { .. } => {}
        }
    }

    fn greet(&mut self) {
        self.greeted = true;
        self.out.push_str(self.screen.ask());
        self.learn_site();
        let name = self.host();
        let values = [("version", env!("CARGO_PKG_VERSION")), ("name", name.as_str())];
        // Whether more than ASCII can be shown is not known yet.
        let greeting = text(key::GREETING, Language::En, &values);
        self.out.push_str("\r\n");
        self.print(&greeting);
        self.knock();
    }

    fn edit(&mut self, edit: Edit) {
        if self.line.edit(edit) { self.draw(false) } else { self.out.push_str(BELL) }
    }

    fn draw(&mut self, anew: bool) {
        if anew {
            // Never for a key that is only to be echoed: a core that does not answer takes its time.
            self.learn_site();
        }
        let mark = match self.mode() {
            Mode::Operational => '>',
            Mode::Configuration => '#',
        };
        let place = if self.at.is_empty() { String::new() } else { format!("[{}]", self.at.join(" ")) };
        let prompt = format!("{}{place}{mark} ", self.host());
        let drawn = self.line.draw(&prompt, self.screen.columns(), anew);
        self.out.push_str(&drawn);
    }

    /// Name and language of the site, asked for until they are known.
    fn learn_site(&mut self) {
        if self.site.is_none() {
            let config = self.sources.config();
            self.site = config.map(|config| (config.system.name.clone(), config.system.language));
        }
    }

    /// The site's name as one word.
    fn host(&self) -> String {
        let name = self.site.as_ref().map_or(HOST, |(name, _)| name.as_str()).replace(' ', "-");
        let fits = |name: &String| {
            name.len() <= HOST_MAX
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.')
        };
        Some(name).filter(fits).filter(|name| !name.is_empty()).unwrap_or_else(|| HOST.to_string())
    }

    /// Whole lines, as the terminal can show them.
    fn print(&mut self, text: &str) {
        let shown = self.screen.shown(text);
        for line in shown.lines() {
            self.out.push_str(line);
            self.out.push_str("\r\n");
        }
    }

    fn enter(&mut self) {
        let unasked = self.line.is_empty() && self.screen.answers();
        self.screen.settle();
        let line = self.line.finish(edit::tells_secret);
        self.out.push_str("\r\n");
        if unasked {
            // Whoever plays with Enter may have another window size by now.
            self.out.push_str(self.screen.ask());
        }
        if let Some(act) = self.asked.take() {
            self.answered(act, &line);
        } else if !line.trim().is_empty() {
            self.perform(&line);
        }
        if let Some(desk) = &self.desk {
            desk.touch(self.sources.now());
        }
        if !self.over
            && self.pager.is_none()
            && self.paste.is_none()
            && self.new_password.is_none()
            && self.watch.is_none()
        {
            self.draw(true);
        }
    }

    fn perform(&mut self, line: &str) {
        let parts = if self.takes_pipes(line) { pipe::split(line) } else { vec![line] };
        let (command, rest) = parts.split_first().map_or(("", &parts[..]), |(first, rest)| (*first, rest));
        let (text, no_more) = match self.answer(command, rest) {
            Ok((text, stages)) => {
                let counted = |count: usize| self.say().text(key::P_COUNTED, &[("count", &count.to_string())]);
                let no_more = stages.contains(&Stage::NoMore);
                // The word for nothing is no line of an answer.
                let nothing = stages.contains(&Stage::Count) && text.trim() == self.say().plain(key::NOTHING);
                let text = if nothing { String::new() } else { text };
                (pipe::apply(&stages, text, counted), no_more)
            }
            Err(why) => (why, false),
        };
        let shown = self.screen.shown(&text);
        let page = self.screen.page().filter(|_| !no_more);
        self.pager = Some(Pager::of(&shown));
        self.page(page);
    }

    /// Values of the configuration may have a bar in them; its changes print nothing.
    fn takes_pipes(&self, line: &str) -> bool {
        let changes = ["set", "delete", "rename", "copy", "annotate"];
        self.mode() == Mode::Operational || !line.split_whitespace().next().is_some_and(|word| changes.contains(&word))
    }

    fn answer(&mut self, command: &str, rest: &[&str]) -> Result<(String, Vec<Stage>), String> {
        let language = self.language();
        let words = words(command, language)?;
        let said = grammar::understand(self.mode(), &words).map_err(|wrong| wrong_words(wrong, self.say()))?;
        self.allowed(said.act)?;
        if said.act.is_live() && !rest.is_empty() {
            return Err(self.say().plain(key::PIPE_LIVE).to_string());
        }
        let stages = pipe::stages(rest).map_err(|why| why.render(language))?;
        let display = stages.iter().find_map(|stage| match stage {
            Stage::Display(display) => Some(*display),
            _ => None,
        });
        if let Some(display) = display.filter(|_| !matches!(said.act, Act::ShowConfiguration | Act::ShowDraft)) {
            let word = match display {
                Display::Set => "set",
                Display::Json => "json",
            };
            return Err(self.say().text(key::PIPE_DISPLAY, &[("word", word)]));
        }
        let mut told = self.act(&said, display)?;
        if matches!(said.act, Act::ShowConfiguration | Act::ShowDraft) && self.screen.mutilates(&told) {
            told.push_str(&format!("# {}\n", self.say().plain(key::MUTILATED)));
        }
        Ok((told, stages))
    }

    fn act(&mut self, said: &Said, display: Option<Display>) -> Answer {
        let (language, say) = (self.language(), self.say());
        let one = || said.words.first().cloned();
        match said.act {
            Act::ShowSystem => {
                let (glance, machine) = (self.glance()?, self.sources.machine());
                let commit = self.sources.in_force(language)?.map(|stored| stored.number);
                Ok(show::system(&glance, &machine, commit, say))
            }
            Act::ShowCalls => {
                let told = show::calls(&self.glance()?, say);
                Ok(self.numbers(told, "show calls", &[]))
            }
            Act::ShowEnded => {
                let told = self.sources.ended(ENDED, language)?;
                Ok(self.numbers(told, "show calls ended", &[]))
            }
            Act::ShowCall | Act::ShowCallWhole => {
                // The record says which call it was, not `last`.
                let call = self.sources.find_call(&said.words.concat(), language)?;
                let told = self.sources.story(&call, language)?;
                if said.act == Act::ShowCallWhole {
                    let recorded = self.audit("numbers-shown", &format!("show call {call}"));
                    return if recorded { Ok(told) } else { Err(say.plain(key::NO_ANSWER).to_string()) };
                }
                Ok(self.numbers(told, "show call", &[call]))
            }
            act if act.is_table() => self.table(said),
            Act::ShowConfiguration => {
                let document = draft::read(&self.in_force()?, language)?;
                let told = draft::shown(&document, &said.words, display).map_err(|why| why.render(language))?;
                // Whoever may change it must see what stands there.
                if self.role() == Some(Role::Admin) {
                    return Ok(told);
                }
                Ok(self.numbers(told, "show configuration", &said.words))
            }
            Act::ShowState => {
                let told = self.sources.state_at(&said.words.join(" "), language)?;
                Ok(self.numbers(told, "show state at", &said.words))
            }
            Act::Explain => {
                let told = self.sources.explain(&said.words.concat(), language)?;
                Ok(self.numbers(told, "explain call", &said.words))
            }
            Act::ShowCommits => self.show_commits(),
            Act::Configure => self.configure(false),
            Act::ConfigureExclusive => self.configure(true),
            Act::Confirm => self.confirm(),
            Act::RescueSave => self.set_rescue(true),
            Act::RescueDelete => self.set_rescue(false),
            Act::SetLength => self.set_length(one().unwrap_or_default()),
            Act::SetLanguage => self.set_language(one().unwrap_or_default()),
            Act::Help => Ok(self.help()),
            Act::Exit => {
                self.leave(None);
                Ok(say.plain(key::BYE).to_string())
            }
            act if act.is_operation() => self.operate(said),
            _ => self.act_on_draft(said, display),
        }
    }

    /// What is said in configuration mode alone.
    fn act_on_draft(&mut self, said: &Said, display: Option<Display>) -> Answer {
        let (language, say) = (self.language(), self.say());
        let one = || said.words.first().cloned();
        match said.act {
            Act::Set | Act::Delete | Act::Rename | Act::Copy | Act::Annotate => {
                let said = Said { act: said.act, words: self.whole_path(&said.words) };
                if said.act == Act::Set
                    && let Some(done) = self.set_password(&said.words)
                {
                    return done;
                }
                let changed = self.draft.as_mut().map_or(Ok(()), |draft| draft.change(&said));
                changed.map(|()| String::new()).map_err(|why| why.render(language))
            }
            Act::ShowDraft => {
                let path = self.whole_path(&said.words);
                self.draft.as_ref().map_or(Ok(String::new()), |draft| {
                    draft::shown(draft.document(), &path, display).map_err(|why| why.render(language))
                })
            }
            Act::Compare => self.compare(one().as_deref()),
            Act::CommitCheck => self.commit_check(),
            Act::Commit => self.commit(None, &one().unwrap_or_default()),
            Act::CommitConfirmed => {
                let minutes = self.minutes(one().as_deref())?;
                self.commit(Some(minutes), &said.words.get(1).cloned().unwrap_or_default())
            }
            Act::Rollback => self.rollback(&one().unwrap_or_default()),
            Act::Update => self.update(),
            Act::Save => self.save(&one().unwrap_or_default()),
            Act::LoadMerge => self.load(Load::Merge, &one().unwrap_or_default()),
            Act::LoadOverride => self.load(Load::Override, &one().unwrap_or_default()),
            Act::LoadSet => self.load(Load::Set, &one().unwrap_or_default()),
            Act::Edit => {
                let path = self.whole_path(&said.words);
                self.edit_at(path)
            }
            Act::Up => {
                self.up();
                Ok(String::new())
            }
            Act::Top => {
                self.at.clear();
                Ok(String::new())
            }
            Act::Run => {
                let said = grammar::understand(Mode::Operational, &said.words);
                let said = said.map_err(|wrong| wrong_words(wrong, say))?;
                if said.act == Act::Exit || matches!(said.act, Act::Configure | Act::ConfigureExclusive) {
                    return Err(wrong_words(Wrong::Unknown(said.words.concat()), say));
                }
                self.allowed(said.act)?;
                self.act(&said, display)
            }
            Act::Leave if self.draft.as_ref().is_some_and(Draft::is_changed) => {
                Err(say.plain(key::CHANGED).to_string())
            }
            Act::Leave | Act::Discard => {
                self.forget_draft();
                Ok(String::new())
            }
            _ => Ok(String::new()),
        }
    }

    /// Numbers as whoever sits here may see them.
    fn numbers(&mut self, told: String, command: &str, words: &[String]) -> String {
        let what = format!("{command} {}", words.join(" "));
        if self.sees_numbers(what.trim_end()) { told } else { show::hidden(&told) }
    }

    fn glance(&mut self) -> Result<show::Glance, String> {
        let glance = self.sources.glance().ok_or_else(|| self.say().plain(key::NO_ANSWER).to_string())?;
        self.site = Some((glance.config.system.name.clone(), glance.config.system.language));
        Ok(glance)
    }

    fn in_force(&mut self) -> Result<Stored, String> {
        let language = self.language();
        self.sources.in_force(language)?.ok_or_else(|| key::NO_CONFIGURATION.raw(language).to_string())
    }

    fn set_length(&mut self, word: String) -> Answer {
        let rows = word.parse().ok().filter(|rows: &u16| *rows < 1_000);
        let rows = rows.ok_or_else(|| self.say().text(key::NUMBER_BAD, &[("word", &word)]))?;
        self.screen.set_length(Some(rows));
        Ok(String::new())
    }

    fn set_language(&mut self, word: String) -> Answer {
        self.language = Some(match word.as_str() {
            "zh" => Language::Zh,
            "en" => Language::En,
            _ => return Err(wrong_words(Wrong::Unknown(word), self.say())),
        });
        Ok(String::new())
    }

    /// Shows the next page, with the question for more when there is more.
    fn page(&mut self, rows: Option<usize>) {
        let columns = self.screen.columns();
        let Some(pager) = &mut self.pager else { return };
        for line in pager.next(rows, columns) {
            self.out.push_str(&line);
            self.out.push_str("\r\n");
        }
        if pager.is_done() { self.pager = None } else { self.out.push_str(MORE) }
    }

    /// A key under a page.
    fn turn(&mut self, key: Key) {
        let rows = match key {
            Key::Char(' ' | 'f') | Key::PageDown => self.screen.page(),
            Key::Enter | Key::Down | Key::Char('j') => Some(1),
            Key::Char('G' | 'a') | Key::End => None,
            Key::Char('q' | 'Q') | Key::Ctrl('c' | 'd') => {
                self.wipe_more();
                self.pager = None;
                self.draw(true);
                return;
            }
            Key::Ctrl('l') => {
                self.out.push_str(self.screen.ask());
                self.wipe_more();
                self.out.push_str(MORE);
                return;
            }
            _ => return,
        };
        self.wipe_more();
        self.page(rows);
        if self.pager.is_none() {
            self.draw(true);
        }
    }

    fn wipe_more(&mut self) {
        self.out.push('\r');
        self.out.push_str(&" ".repeat(MORE.len()));
        self.out.push('\r');
    }
}

fn in_quotes(before: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for c in before.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

fn words(line: &str, language: Language) -> Result<Vec<String>, String> {
    pbx::config::edit::words(line).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(|problem| problem.render(language)).collect();
        told.join("\n")
    })
}

fn wrong_words(wrong: Wrong, say: Say) -> String {
    let told = match wrong {
        Wrong::Unknown(word) => Text::new(key::UNKNOWN).with("word", word),
        Wrong::Ambiguous(word, words) => Text::new(key::AMBIGUOUS).with("word", word).with("words", words.join(", ")),
        Wrong::Incomplete => Text::new(key::INCOMPLETE),
    };
    told.render(say.0)
}

#[cfg(test)]
pub(super) mod tests;
