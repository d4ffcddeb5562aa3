//! Who sits at the terminal: name and password against the users of the configuration in force, the lock after failures,
//! the end after a long time without a key. What a role may do is in the table of commands.

use super::{Answer, BELL, Session};
use crate::admin::Failures;
use crate::console::grammar::{Act, Said};
use crate::console::keys::Key;
use crate::console::sources::Sources;
use crate::story::say::seconds;
use base::time::Instant;
use pbx::config::{Language, NumbersSeen, Role, User, edit};
use pbx::door;
use pbx::text::console as key;
use std::time::Duration;

/// Longest name and password, in bytes; more is not taken.
const TYPED_MAX: usize = 128;
/// Shortest password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Tried when there is no such user, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Before the name of a line, where failures are counted.
const LINE: &str = "line ";
/// Stands for a name that no user has; no user's, for the brackets.
const UNKNOWN_USER: &str = "(unknown user)";
/// Stands for whoever is at a box without users; no user's, for the brackets.
pub(super) const ANYBODY: &str = "(anybody)";

/// How far somebody is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Door {
    /// Nobody has said a name; it is being typed.
    Name(String),
    /// Of this user, the password is being typed.
    Password {
        /// Who.
        user: String,
        /// Not shown.
        typed: String,
    },
    /// In.
    Open(Who),
}

/// Who is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// The box has no users: whoever is here.
    Anybody,
    /// This one.
    User(String),
}

/// A password for a leaf of the draft, typed twice unseen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NewPassword {
    words: Vec<String>,
    first: Option<String>,
    typed: String,
}

impl<S: Sources> Session<S> {
    /// Who sits here, for others to see.
    pub(super) fn who(&self) -> &str {
        match &self.door {
            Door::Open(Who::User(name)) => name,
            Door::Open(Who::Anybody) | Door::Name(_) | Door::Password { .. } => ANYBODY,
        }
    }

    /// Names under which failures are counted: of this user here, so that whoever logs in between gains no more tries, and
    /// of everybody here. Never of a user everywhere: who stands at one line could keep an admin out of the box. No user
    /// has such a name, for the blank in it.
    fn counted(&self, name: &str) -> [String; 2] {
        let line = self.sources.line();
        [format!("{name} at {line}"), format!("{LINE}{line}")]
    }

    pub(super) fn actor(&self) -> String {
        format!("console {}", self.who())
    }

    fn user(&mut self) -> Option<User> {
        let Door::Open(Who::User(name)) = &self.door else { return None };
        let name = name.clone();
        self.sources.config()?.users.get(&name).cloned()
    }

    /// What may be done here now; none when nobody is in any more, or nobody knows.
    pub(super) fn role(&mut self) -> Option<Role> {
        match &self.door {
            // Users that came meanwhile bind whoever logs in next.
            Door::Open(Who::Anybody) => Some(Role::Admin),
            Door::Open(Who::User(_)) => self.user().map(|user| user.role),
            Door::Name(_) | Door::Password { .. } => None,
        }
    }

    /// Whether the role of whoever sits here, at this moment, is enough.
    pub(super) fn allowed(&mut self, act: Act) -> Result<(), String> {
        let Some(role) = self.role() else {
            if self.sources.config().is_none() {
                return Err(self.say().plain(key::NO_ANSWER).to_string());
            }
            self.leave(Some(key::NO_LONGER));
            return Err(String::new());
        };
        if act.role() <= role {
            return Ok(());
        }
        self.forget_draft();
        Err(self.say().text(key::ROLE_NEEDED, &[("role", act.role().word())]))
    }

    /// Whether whoever sits here may see whole numbers.
    pub(super) fn may_see_numbers(&mut self) -> bool {
        self.user().is_some_and(|user| user.numbers == NumbersSeen::Shown)
    }

    /// Whether whole numbers are shown: only when it is on record that they are.
    pub(super) fn sees_numbers(&mut self, what: &str) -> bool {
        self.may_see_numbers() && self.audit("numbers-shown", what)
    }

    /// Puts something on record; false when there is no room for it.
    pub(super) fn audit(&mut self, what: &str, about: &str) -> bool {
        let actor = self.actor();
        self.sources.operate(&actor, door::Act::Audit { what: what.into(), about: about.into() })
    }

    /// The first words: somebody must say who he is, unless the box has no users.
    pub(super) fn knock(&mut self) {
        let users = self.sources.config().map(|config| config.users.is_empty());
        match users {
            Some(true) => {
                self.door = Door::Open(Who::Anybody);
                self.print(key::UNSET.raw(Language::En));
                self.draw(true);
            }
            Some(false) | None => {
                self.door = Door::Name(String::new());
                self.out.push_str(key::LOGIN.raw(Language::En));
            }
        }
    }

    /// A key while nobody is in.
    pub(super) fn knocked(&mut self, pressed: Key) -> bool {
        let shown = matches!(self.door, Door::Name(_));
        let typed = match &mut self.door {
            Door::Name(typed) | Door::Password { typed, .. } => typed,
            Door::Open(_) => return false,
        };
        match pressed {
            Key::Char(c) if typed.len() + c.len_utf8() <= TYPED_MAX => {
                typed.push(c);
                if shown {
                    let shown = self.screen.shown(&c.to_string());
                    self.out.push_str(&shown);
                }
            }
            Key::Char(_) => self.out.push_str(BELL),
            Key::Backspace => {
                let wiped = typed.pop().filter(|_| shown).map_or("", |_| "\x08 \x08");
                self.out.push_str(wiped);
            }
            Key::Enter => {
                self.out.push_str("\r\n");
                self.said();
            }
            Key::Ctrl('c' | 'd' | 'u' | 'l') => {
                self.out.push_str("\r\n");
                self.knock();
            }
            _ => {}
        }
        true
    }

    fn said(&mut self) {
        match std::mem::replace(&mut self.door, Door::Name(String::new())) {
            Door::Name(name) if name.trim().is_empty() => self.knock(),
            Door::Name(name) => {
                self.door = Door::Password { user: name.trim().to_string(), typed: String::new() };
                self.out.push_str(key::PASSWORD.raw(Language::En));
            }
            Door::Password { user, typed } => self.try_to_enter(&user, &typed),
            Door::Open(who) => self.door = Door::Open(who),
        }
    }

    fn try_to_enter(&mut self, name: &str, password: &str) {
        let now = self.sources.now();
        let Some(config) = self.sources.config() else {
            self.print(key::NO_ANSWER.raw(Language::En));
            return self.knock();
        };
        let counted = self.counted(name);
        let until = counted.iter().filter_map(|of| self.sources.failures(of).until).max();
        if let Some(until) = until.filter(|until| *until > now) {
            let left = seconds(until.since(now));
            let told = self.say().text(key::LOGIN_LOCKED, &[("seconds", &left)]);
            self.print(&told);
            return self.knock();
        }
        let known = config.users.get(name);
        let fits = self.sources.is_password(password, known.map_or(NOBODY, |user| &user.password));
        let Some(user) = known.filter(|_| fits) else {
            // What is no user's name may be a password that was typed one question too early.
            let about = known.map_or(UNKNOWN_USER, |_| name).to_string();
            let failed = door::Act::Audit { what: "login-failed".into(), about };
            self.sources.operate(self.sources.line(), failed);
            let of_user = known.is_some();
            for of in counted.iter().filter(|of| of_user || of.starts_with(LINE)) {
                self.failed(of, config.system.login_failures, config.system.lock_out_s, now);
            }
            self.print(key::LOGIN_WRONG.raw(Language::En));
            return self.knock();
        };
        for of in &counted {
            self.sources.set_failures(of, Failures::default());
        }
        self.door = Door::Open(Who::User(name.to_string()));
        self.language = user.language;
        self.touched = now;
        self.audit("login", "");
        let values = [("user", name), ("role", user.role.word())];
        let told = self.say().text(key::LOGGED_IN_AS, &values);
        self.print(&told);
        self.draw(true);
    }

    fn failed(&mut self, of: &str, most: u32, lock_out_s: u32, now: Instant) {
        let before = self.sources.failures(of);
        // Who was locked out and tries again begins anew.
        let count = if before.until.is_some() { 1 } else { before.count + 1 };
        let mut until = None;
        if count >= most {
            until = Some(now + Duration::from_secs(lock_out_s.into()));
            let act = door::Act::Audit { what: "lock-out".into(), about: of.into() };
            self.sources.operate(self.sources.line(), act);
        }
        self.sources.set_failures(of, Failures { count, until });
    }

    /// Time passes: a session that nobody touches ends, so does that of a user who is none any more. What is sent.
    pub fn tick(&mut self) -> String {
        if !self.over {
            self.look_who_is_in();
        }
        if !self.over && self.watch.is_some() {
            self.look_again();
            if self.watch.is_none() {
                // It has come to its own end.
                self.draw(true);
            }
        }
        std::mem::take(&mut self.out)
    }

    fn look_who_is_in(&mut self) {
        let Door::Open(who) = self.door.clone() else { return };
        let Some(config) = self.sources.config() else { return };
        let role = match &who {
            // Whoever set up the first users and went away leaves no door open.
            Who::Anybody if config.users.is_empty() => return,
            Who::Anybody => Some(Role::Admin),
            Who::User(name) => config.users.get(name).map(|user| user.role),
        };
        let Some(role) = role else {
            self.out.push_str("\r\n");
            return self.leave(Some(key::NO_LONGER));
        };
        let idle = self.sources.now().since(self.touched);
        if idle >= Duration::from_secs(u64::from(config.system.idle_logout_min) * 60) {
            self.out.push_str("\r\n");
            return self.leave(Some(key::IDLE));
        }
        if role < Role::Admin && self.draft.is_some() {
            self.forget_draft();
            let told = self.say().text(key::ROLE_NEEDED, &[("role", Role::Admin.word())]);
            self.out.push_str("\r\n");
            self.print(&told);
            self.draw(true);
        }
    }

    /// Back to `>`; nobody is kept out by a draft that is gone.
    pub(super) fn forget_draft(&mut self) {
        (self.draft, self.desk, self.paste, self.new_password) = (None, None, None, None);
        self.at.clear();
    }

    /// The session ends: for a reason of the box, or because the person said so.
    pub(super) fn leave(&mut self, why: Option<pbx::text::Key>) {
        if let Some(why) = why {
            let told = self.say().plain(why).to_string();
            self.print(&told);
            if self.draft.as_ref().is_some_and(|draft| draft.is_changed()) {
                let told = self.say().plain(key::DRAFT_LOST).to_string();
                self.print(&told);
            }
        }
        if matches!(self.door, Door::Open(Who::User(_))) {
            self.audit("logout", "");
        }
        self.forget_draft();
        (self.pager, self.watch, self.asked) = (None, None, None);
        self.over = true;
    }

    /// The line is gone: so is whoever sat at it.
    pub fn hang_up(&mut self) {
        if !self.over {
            self.leave(None);
        }
    }

    /// Passwords go into the draft as their hashes. None: the words are no password's.
    pub(super) fn set_password(&mut self, words: &[String]) -> Option<Answer> {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        let at = edit::password_at(&borrowed)?;
        match borrowed.get(at) {
            // Typed on the line, and seen by whoever looks.
            Some(word) if !word.starts_with("$argon2id$") && *word != pbx::config::document::MASK => {
                let word = (*word).to_string();
                Some(self.put_password(words.get(..at).unwrap_or_default().to_vec(), &word))
            }
            Some(_) => None,
            None => {
                self.new_password = Some(NewPassword { words: words.to_vec(), first: None, typed: String::new() });
                self.out.push_str(self.say().plain(key::PASSWORD));
                Some(Ok(String::new()))
            }
        }
    }

    fn put_password(&mut self, mut words: Vec<String>, password: &str) -> Answer {
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(self.say().text(key::PASSWORD_SHORT, &[("min", &PASSWORD_CHARS_MIN.to_string())]));
        }
        words.push(self.sources.hash(password)?);
        let language = self.language();
        let said = Said { act: Act::Set, words };
        let changed = self.draft.as_mut().map_or(Ok(()), |draft| draft.change(&said));
        changed.map(|()| String::new()).map_err(|why| why.render(language))
    }

    /// A key while a new password is typed.
    pub(super) fn password_key(&mut self, pressed: Key) -> bool {
        let Some(new) = &mut self.new_password else { return false };
        match pressed {
            Key::Char(c) if new.typed.len() + c.len_utf8() <= TYPED_MAX => new.typed.push(c),
            Key::Char(_) => self.out.push_str(BELL),
            Key::Backspace => {
                new.typed.pop();
            }
            Key::Enter => {
                self.out.push_str("\r\n");
                let Some(mut new) = self.new_password.take() else { return true };
                match new.first.take() {
                    None => {
                        new.first = Some(std::mem::take(&mut new.typed));
                        self.new_password = Some(new);
                        self.out.push_str(self.say().plain(key::PASSWORD_AGAIN));
                        return true;
                    }
                    Some(first) if first == new.typed => {
                        if let Err(why) = self.put_password(new.words, &first) {
                            self.print(&why);
                        }
                    }
                    Some(_) => {
                        let told = self.say().plain(key::PASSWORDS_DIFFER).to_string();
                        self.print(&told);
                    }
                }
                self.draw(true);
            }
            Key::Ctrl('c' | 'd') => {
                self.new_password = None;
                self.out.push_str("\r\n");
                self.draw(true);
            }
            _ => {}
        }
        true
    }
}
