//! What is said in configuration mode beyond single changes: comparing, checking, committing, going back, loading and
//! saving. The wire to [`crate::admin`] is [`Sources`]; nothing is decided here.

use pbx::config::TEXT_BYTES_MAX;
use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::text::{Text, admin as admin_key, console as key};

use super::{Answer, Session};
use crate::admin::{Ask, Editing, Refused, check};
use crate::console::draft::{self, Draft};
use crate::console::keys::Key;
use crate::console::sources::Sources;
use crate::story::say::{Say, seconds, utc};
use base::time::Wall;
use pbx::commit::Label;

/// Minutes of `commit confirmed` without a number, as Junos has it.
const CONFIRM_MIN: u32 = 10;
/// Most minutes.
const CONFIRM_MIN_MAX: u32 = 24 * 60;

/// How a text is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Load {
    /// Over what is there.
    Merge,
    /// In place of what is there.
    Override,
    /// As `set` and `delete` lines.
    Set,
}

/// A text that is being pasted.
#[derive(Debug)]
pub(super) struct Paste {
    how: Load,
    text: String,
    /// More was pasted than a configuration can hold.
    over: bool,
}

/// No statement of the text form begins with a brace.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

impl<S: Sources> Session<S> {
    /// Who acts, for the history.
    fn label(&self, comment: &str) -> Label {
        Label { author: self.who().to_string(), origin: self.sources.line().into(), comment: comment.into() }
    }

    fn draft(&mut self) -> Result<&mut Draft, String> {
        let language = self.language();
        self.draft.as_mut().ok_or_else(|| key::NO_CONFIGURATION.raw(language).to_string())
    }

    /// `configure`, `configure exclusive`, `configure private`.
    pub(super) fn configure(&mut self, exclusive: bool) -> Answer {
        let (language, say) = (self.language(), self.say());
        let who = self.who().to_string();
        let entered = self.sources.enter(&who, exclusive);
        let (desk, others) = entered.map_err(|held| {
            let key = if held.exclusive { key::LOCKED_BY } else { key::NOT_ALONE };
            told_of(&held, self.sources.now(), key, say)
        })?;
        let draft = Draft::of(&self.in_force()?, language)?;
        let number = draft.number.to_string();
        let now = self.sources.now();
        let mode = if exclusive { key::CONFIGURING_ALONE } else { key::CONFIGURING };
        let mut told = format!("{}\n", say.text(mode, &[("number", &number)]));
        told.extend(others.iter().map(|other| format!("{}\n", told_of(other, now, key::ALSO_EDITS, say))));
        if let Some((due, back)) = self.sources.commit_now().and_then(|now| now.reverts) {
            let values = [("left", seconds(due.since(now))), ("back", back.to_string())];
            told.push_str(&say.text(key::UNCONFIRMED, &[("left", &values[0].1), ("back", &values[1].1)]));
            told.push('\n');
        }
        (self.draft, self.desk) = (Some(draft), Some(desk));
        Ok(told)
    }

    /// `compare`, `compare N`: text first, then what it does.
    pub(super) fn compare(&mut self, back: Option<&str>) -> Answer {
        let language = self.language();
        if let Some(back) = back {
            let older = self.commit_back(back)?;
            let older = draft::read(&older, language)?;
            let compared = self.draft()?.document().compare(&older, language);
            return Ok(if compared.is_empty() { key::NO_CHANGE.raw(language).to_string() } else { compared });
        }
        let Some(compared) = self.draft()?.compare(language) else {
            return Ok(key::NO_CHANGE.raw(language).to_string());
        };
        let text = self.draft()?.document().print(Secrets::Plain);
        let checked = self.sources.check(&text);
        let effects = checked.effects.iter().map(|effect| format!("  {}\n", effect.render(language)));
        let heading = key::EFFECTS.raw(language);
        let effects: String = effects.collect();
        let effects = if effects.is_empty() { String::new() } else { format!("{heading}\n{effects}") };
        let problems = match checked.site {
            Some(_) => String::new(),
            None => check::listed(&checked.problems, language),
        };
        let stale = self.stale().map(|stale| format!("{stale}\n")).unwrap_or_default();
        Ok(format!("{stale}{compared}{effects}{problems}"))
    }

    /// `commit check`.
    pub(super) fn commit_check(&mut self) -> Answer {
        let language = self.language();
        let text = self.draft()?.document().print(Secrets::Plain);
        let checked = self.sources.check(&text);
        let stale = self.stale().map(|stale| format!("{stale}\n")).unwrap_or_default();
        if checked.problems.is_empty() {
            return Ok(format!("{stale}{}\n", key::NO_PROBLEM.raw(language)));
        }
        Ok(format!("{stale}{}", check::listed(&checked.problems, language)))
    }

    /// That another commit came into force since the draft was begun: this one would be refused.
    fn stale(&mut self) -> Option<String> {
        let current = self.sources.commit_now()?.number;
        let base = self.draft.as_ref()?.number;
        let told = Text::new(admin_key::STALE).with("current", current).with("base", base);
        (current != base).then(|| told.render(self.language()))
    }

    /// `commit`, `commit confirmed MIN`, each with a comment or without.
    pub(super) fn commit(&mut self, confirm_within_min: Option<u32>, comment: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        if let Some(held) = self.desk.as_ref().and_then(|desk| desk.others().into_iter().find(|o| o.exclusive)) {
            return Err(told_of(&held, self.sources.now(), key::LOCKED_BY, say));
        }
        if !self.draft()?.is_changed() {
            return match confirm_within_min {
                // As elsewhere: to commit once more is to confirm.
                None if self.sources.commit_now().is_some_and(|now| now.reverts.is_some()) => self.confirm(),
                _ => Ok(key::NO_CHANGE.raw(language).to_string()),
            };
        }
        let label = self.label(comment);
        let (base, text) = (self.draft()?.number, self.draft()?.document().print(Secrets::Plain));
        let checked = self.sources.check(&text);
        let Some(site) = checked.site else { return Err(check::listed(&checked.problems, language)) };
        let warnings = match checked.problems.is_empty() {
            true => String::new(),
            false => check::listed(&checked.problems, language),
        };
        let ask = Ask { base, text, label, confirm_within_min };
        let done = self.sources.commit(ask, site).map_err(|why| why.render(language))?;
        let document = self.draft()?.document().clone();
        self.draft = Some(Draft::from_document(done.number, document));
        self.site = None;
        let values = [("number", done.number.to_string()), ("time", clock_of(done.reverts_in_s))];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let key = if done.reverts_in_s > 0 { key::COMMITTED_FOR_A_TIME } else { key::COMMITTED };
        Ok(format!("{warnings}{}\n", say.text(key, &values)))
    }

    /// Minutes of `commit confirmed`.
    pub(super) fn minutes(&self, word: Option<&str>) -> Result<u32, String> {
        let Some(word) = word else { return Ok(CONFIRM_MIN) };
        let minutes = word.parse().ok().filter(|minutes| (1..=CONFIRM_MIN_MAX).contains(minutes));
        let max = CONFIRM_MIN_MAX.to_string();
        minutes.ok_or_else(|| self.say().text(key::MINUTES_BAD, &[("word", word), ("max", &max)]))
    }

    /// `confirm`.
    pub(super) fn confirm(&mut self) -> Answer {
        let (language, say) = (self.language(), self.say());
        let actor = self.actor();
        let number = self.sources.confirm(&actor).map_err(|why: Refused| why.render(language))?;
        Ok(say.text(key::CONFIRMED, &[("number", &number.to_string())]))
    }

    /// `rollback N`, `rollback rescue`: into the draft.
    pub(super) fn rollback(&mut self, word: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        let stored = match word {
            "rescue" => self.sources.rescue(language)?,
            word => self.commit_back(word)?,
        };
        let document = draft::read(&stored, language)?;
        // Whatever came into force meanwhile is what this is compared with from now on.
        let mut draft = Draft::of(&self.in_force()?, language)?;
        draft.replace(document);
        *self.draft()? = draft;
        Ok(say.text(key::ROLLED_BACK, &[("number", &stored.number.to_string())]))
    }

    fn commit_back(&mut self, word: &str) -> Result<draft::Stored, String> {
        let language = self.language();
        let steps = word.parse().map_err(|_| self.say().text(key::NUMBER_BAD, &[("word", word)]))?;
        self.sources.back(steps, language)
    }

    /// `update`: the draft onto the commit that is in force now.
    pub(super) fn update(&mut self) -> Answer {
        let (language, say) = (self.language(), self.say());
        let stored = self.in_force()?;
        let both = self.draft()?.rebase(&stored, language)?;
        let number = stored.number.to_string();
        if both.is_empty() {
            return Ok(say.text(key::UPDATED, &[("number", &number)]));
        }
        let lines: String = both.iter().map(|path| format!("  {path}\n")).collect();
        Ok(format!("{}\n{lines}", say.text(key::UPDATED_BOTH, &[("number", &number)])))
    }

    /// `save PLACE`.
    pub(super) fn save(&mut self, place: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        let document = self.draft()?.document();
        let text = match place.rsplit_once('.') {
            Some((_, "json")) => document.print_json(Secrets::Plain),
            Some((_, "set")) => document.print_set(Secrets::Plain),
            Some(_) | None => document.print(Secrets::Plain),
        };
        let path = self.sources.save(place, &text, language)?;
        Ok(say.text(key::SAVED, &[("path", &path)]))
    }

    /// `load merge|override|set PLACE`: the text form, or JSON; or `terminal`: what is pasted until Ctrl-D.
    pub(super) fn load(&mut self, how: Load, place: &str) -> Answer {
        let language = self.language();
        if place == "terminal" {
            self.paste = Some(Paste { how, text: String::new(), over: false });
            return Ok(key::PASTE.raw(language).to_string());
        }
        let text = self.sources.load(place, language)?;
        self.take_in(how, &text)
    }

    /// A key while a text is pasted; true when it was taken.
    pub(super) fn pasted(&mut self, key: Key) -> bool {
        let Some(paste) = &mut self.paste else { return false };
        let add = match key {
            Key::Char(c) => c,
            Key::Enter => '\n',
            Key::Tab => '\t',
            Key::Backspace => {
                if !paste.text.ends_with('\n') && paste.text.pop().is_some() {
                    self.out.push_str("\x08 \x08");
                }
                return true;
            }
            Key::Ctrl('d') => {
                let Some(Paste { how, text, over }) = self.paste.take() else { return true };
                let told = match over {
                    true => Err(self.say().text(key::PASTE_LONG, &[("max", &TEXT_BYTES_MAX.to_string())])),
                    false => self.take_in(how, &text),
                };
                self.out.push_str("\r\n");
                let told = told.unwrap_or_else(|why| why);
                self.print(&told);
                self.draw(true);
                return true;
            }
            Key::Ctrl('c') => {
                self.paste = None;
                self.out.push_str("\r\n");
                self.draw(true);
                return true;
            }
            _ => return true,
        };
        if paste.text.len() + add.len_utf8() > TEXT_BYTES_MAX {
            paste.over = true;
            return true;
        }
        paste.text.push(add);
        match add {
            '\n' => self.out.push_str("\r\n"),
            add => self.out.push(add),
        }
        true
    }

    fn take_in(&mut self, how: Load, text: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        let lines = |problems: Vec<pbx::config::Problem>| check::listed(&problems, language);
        let draft = self.draft()?;
        let mut now = draft.document().clone();
        match how {
            Load::Set => now.apply_lines(text).map_err(lines)?,
            Load::Merge | Load::Override => {
                let read = if is_json(text) { Document::parse_json(text) } else { Document::parse(text) };
                let mut other = read.map_err(lines)?;
                let missing = other.unmask(&now);
                if !missing.is_empty() {
                    return Err(say.text(key::SECRETS_MISSING, &[("paths", &missing.join(", "))]));
                }
                match how {
                    Load::Merge => now.merge(other),
                    _ => now = other,
                }
            }
        }
        self.draft()?.replace(now);
        Ok(key::LOADED.raw(language).to_string())
    }

    /// `show system commit`.
    pub(super) fn show_commits(&mut self) -> Answer {
        let (language, say) = (self.language(), self.say());
        let history = self.sources.history(language)?;
        let current = self.sources.commit_now().unwrap_or_default();
        let mut rows = Vec::new();
        for (back, commit) in history.iter().enumerate() {
            let state = match () {
                () if commit.number == current.number && current.reverts.is_some() => key::STATE_UNCONFIRMED,
                () if commit.number == current.number => key::STATE_IN_FORCE,
                () => key::STATE_EARLIER,
            };
            rows.push(vec![
                back.to_string(),
                commit.number.to_string(),
                utc(Wall::from_millis(commit.wall_ms)),
                commit.label.author.clone(),
                commit.label.origin.clone(),
                say.plain(state).to_string(),
                commit.label.comment.clone(),
            ]);
        }
        let head = [key::BACK, key::NUMBER, key::TIME, key::AUTHOR, key::ORIGIN, key::STATE, key::COMMENT];
        let head = head.map(|key| say.plain(key));
        Ok(crate::story::layout::table(&head, &rows))
    }

    /// `request system configuration rescue save|delete`.
    pub(super) fn set_rescue(&mut self, keep: bool) -> Answer {
        let (language, say) = (self.language(), self.say());
        let number = if keep { Some(self.in_force()?.number) } else { None };
        let actor = self.actor();
        self.sources.set_rescue(number, &actor).map_err(|why| why.render(language))?;
        Ok(match number {
            Some(number) => say.text(key::RESCUE_SAVED, &[("number", &number.to_string())]),
            None => key::RESCUE_DELETED.raw(language).to_string(),
        })
    }

    /// `edit PATH`: where the words of changes begin.
    pub(super) fn edit_at(&mut self, path: Vec<String>) -> Answer {
        let language = self.language();
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let opens = self.draft()?.document().opens(&words);
        opens.map_err(|why| draft::refusal(*why).render(language))?;
        self.at = path;
        Ok(String::new())
    }

    /// One section up; a section may have one word or two.
    pub(super) fn up(&mut self) {
        while self.at.pop().is_some() {
            let words: Vec<&str> = self.at.iter().map(String::as_str).collect();
            if self.draft.as_ref().is_none_or(|draft| draft.document().opens(&words).is_ok()) {
                return;
            }
        }
    }

    /// Words of a change, from the top.
    pub(super) fn whole_path(&self, words: &[String]) -> Vec<String> {
        self.at.iter().chain(words).cloned().collect()
    }
}

fn told_of(other: &Editing, now: base::time::Instant, key: pbx::text::Key, say: Say) -> String {
    let idle = seconds(now.since(other.touched));
    say.text(key, &[("who", &other.who), ("line", &other.line), ("idle", &idle)])
}

/// `5:00`
fn clock_of(seconds: u32) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
