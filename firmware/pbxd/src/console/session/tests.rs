//! Whole sessions over answers that stand still: what is typed, and what the terminal gets.

use super::*;
use crate::admin::{Ask, Checked, Desks, Done, Editing, Failures, Refused};
use crate::console::show::{Glance, Machine};
use crate::store::ConfigCommit;
use base::time::{Instant, Now, Wall};
use pbx::commit::{CommitNow, Label};
use pbx::config::Written;
use pbx::equipment::PhoneNow;
use pbx::standing::Standing;
use pbx::text::admin;
use proptest::prelude::*;
use std::sync::Arc;

const SITE: &str = "system { name box; language zh-CN; }\nsip { listen 127.0.0.1:5060; }\nextension 2001 { secret amber-kite; }\n\
    agent 1001 { name 王芳; extension 2001; }\nqueue support { title 客服; agents [ 1001 ]; }\nqueue sales { agents [ 1001 ]; }\n";

/// A box that answers from a text, and takes commits.
pub struct Still {
    number: u64,
    text: String,
    reverts: Option<u64>,
    desks: Desks,
    now_s: u64,
    failures: std::collections::BTreeMap<String, Failures>,
    record: Vec<String>,
}

/// Stands for the hash of a password without blanks.
fn hashed(password: &str) -> String {
    format!("$argon2id$v=19$m=8,t=1,p=1${password}$aGFzaA")
}

impl Default for Still {
    fn default() -> Still {
        Still {
            number: 7,
            text: SITE.into(),
            reverts: None,
            desks: Desks::default(),
            now_s: 0,
            failures: Default::default(),
            record: Vec::new(),
        }
    }
}

impl Sources for Still {
    fn glance(&mut self) -> Option<Glance> {
        Some(Glance {
            now: Now { at: Instant::BOOT, wall: Wall::from_millis(0) },
            config: Arc::new(pbx::config::parse(SITE).unwrap()),
            standing: Standing::default(),
            phones: vec![PhoneNow { extension: "2001".into(), registered: 1 }],
            alarms: Vec::new(),
            surge: false,
        })
    }

    fn machine(&mut self) -> Machine {
        Machine::default()
    }

    fn in_force(&mut self, _: Language) -> Result<Option<Stored>, String> {
        Ok(Some(Stored { number: self.number, text: self.text.clone() }))
    }

    fn now(&mut self) -> Instant {
        Instant::from_micros(self.now_s * 1_000_000)
    }

    fn config(&mut self) -> Option<Arc<pbx::config::Config>> {
        pbx::config::parse(&self.text).ok().map(Arc::new)
    }

    fn is_password(&mut self, password: &str, hash: &str) -> bool {
        hash.contains(&format!("${password}$"))
    }

    fn hash(&mut self, password: &str) -> Result<String, String> {
        Ok(hashed(password))
    }

    fn failures(&mut self, of: &str) -> Failures {
        self.failures.get(of).copied().unwrap_or_default()
    }

    fn set_failures(&mut self, of: &str, failures: Failures) {
        self.failures.insert(of.into(), failures);
    }

    fn operate(&mut self, actor: &str, act: pbx::door::Act) {
        self.record.push(match act {
            pbx::door::Act::Audit { what, about } => format!("{actor}: {what} {about}"),
            act => format!("{actor}: {act:?}"),
        });
    }

    fn commit_now(&mut self) -> Option<CommitNow> {
        Some(CommitNow { number: self.number, storing: None, reverts: self.reverts.map(|back| (Instant::BOOT, back)) })
    }

    fn history(&mut self, _: Language) -> Result<Vec<ConfigCommit>, String> {
        let label = Label { author: "alice".into(), origin: "console".into(), comment: "ticket 4711".into() };
        let row = |number| ConfigCommit {
            number,
            wall_ms: 0,
            label: label.clone(),
            hash: String::new(),
            text: String::new(),
            unconfirmed: None,
        };
        Ok((1..=self.number).rev().map(row).collect())
    }

    fn back(&mut self, steps: u32, _: Language) -> Result<Stored, String> {
        match steps {
            0 => Ok(Stored { number: self.number, text: self.text.clone() }),
            1 => Ok(Stored { number: self.number - 1, text: SITE.replace("客服", "以前") }),
            _ => Err("no such commit".into()),
        }
    }

    fn rescue(&mut self, _: Language) -> Result<Stored, String> {
        Err("no rescue".into())
    }

    fn set_rescue(&mut self, _: Option<u64>, _: &str) -> Result<(), Text> {
        Ok(())
    }

    fn check(&mut self, text: &str) -> Checked {
        match Written::of(text) {
            Ok(site) => Checked { site: Some(site), ..Checked::default() },
            Err(problems) => Checked { problems, ..Checked::default() },
        }
    }

    fn commit(&mut self, ask: Ask, site: Written) -> Result<Done, Refused> {
        if ask.base != self.number {
            return Err(Refused::Because(Text::new(admin::BUSY)));
        }
        self.reverts = ask.confirm_within_min.map(|_| self.number);
        self.number += 1;
        self.text = site.text.to_string();
        Ok(Done { number: self.number, reverts_in_s: ask.confirm_within_min.unwrap_or(0) * 60 })
    }

    fn confirm(&mut self, _: &str) -> Result<u64, Refused> {
        self.reverts.take().map(|_| self.number).ok_or(Refused::Because(Text::new(admin::NOTHING_TO_CONFIRM)))
    }

    fn enter(&mut self, who: &str, exclusive: bool) -> Result<(Desk, Vec<Editing>), Box<Editing>> {
        self.desks.enter(who, "console", exclusive, Instant::BOOT)
    }

    fn save(&mut self, place: &str, _: &str, _: Language) -> Result<String, String> {
        Ok(place.into())
    }

    fn load(&mut self, _: &str, _: Language) -> Result<String, String> {
        Ok("queue loaded { agents [ 1001 ]; }\n".into())
    }

    fn recent(&mut self, _: u64, _: Language) -> Result<String, String> {
        Ok(format!("13800138000 at {}\n", self.now_s))
    }

    fn ping(&mut self, address: std::net::Ipv4Addr) -> Result<std::time::Duration, String> {
        if address.is_loopback() { Ok(std::time::Duration::from_millis(2)) } else { Err("timed out".into()) }
    }

    fn restart(&mut self) -> bool {
        self.record.push("restart".into());
        true
    }

    fn factory(&mut self, who: &str, erase: bool, _: Language) -> Result<(), Refused> {
        self.record.push(format!("factory {who} {erase}"));
        Ok(())
    }

    fn story(&mut self, call: &str, _: Language) -> Result<String, String> {
        Ok(format!("story of {call}: 13800138000\n"))
    }

    fn explain(&mut self, call: &str, _: Language) -> Result<String, String> {
        Err(format!("no call {call}"))
    }

    fn state_at(&mut self, time: &str, _: Language) -> Result<String, String> {
        Ok((0..100).map(|line| format!("{line} at {time}\n")).collect())
    }
}

/// A session that was greeted; with a terminal that answers when it has a size.
fn session(size: Option<(u16, u16)>) -> Session<Still> {
    let mut session = Session::new(Still::default());
    session.take(b"\x03");
    if let Some((rows, columns)) = size {
        session.take(format!("\x1b[{rows};{columns}R").as_bytes());
    }
    session
}

#[test]
fn commands_are_answered_and_the_prompt_comes_back() {
    let mut session = session(None);
    let said = session.take(b"sh q support\r");
    assert!(said.contains("1001") && said.ends_with("\r\n\rbox> "), "{said:?}");
    assert!(said.is_ascii(), "a terminal that does not answer gets ASCII: {said:?}");
    assert!(session.take(b"show call last\r").contains("story of last: 138****8000"));
    assert!(session.take(b"explain call 1\r").contains("no call 1"));
    assert!(session.take(b"show frob\r").contains("\"frob\" is not known here"));
    assert!(session.take(b"show queue | match sup | count\r").contains("\r\n1 lines\r\n"));
    assert!(session.take(b"show calls | display set\r").contains("cannot be had"));
    let shown = session.take(b"show configuration extension | display set\r");
    assert!(shown.contains("set extension 2001 secret ********"), "all of a kind: {shown:?}");
    let shown = session.take(b"show configuration extension 2001 | display set\r");
    assert!(shown.contains("set extension 2001 secret ********"), "{shown:?}");
}

#[test]
fn a_terminal_that_answers_gets_its_language_and_pages() {
    let mut session = session(Some((24, 80)));
    assert!(session.take("show queue\r".as_bytes()).contains("客服"));
    let page = session.take(b"show state at 2026-11-22 09:30\r");
    assert!(page.contains("22 at") && !page.contains("23 at") && page.ends_with(MORE), "{page:?}");
    let next = session.take(b"\r ");
    assert!(next.contains("23 at") && next.contains("46 at") && !next.contains("47 at"), "{next:?}");
    assert!(session.take(b"q").ends_with("box> "));
    assert!(session.take(b"show state at now | no-more\r").contains("99 at"));
    session.take(b"set cli length 0\rset cli language en\r");
    let said = session.take(b"show state at now\rshow phones\r");
    assert!(said.contains("99 at") && said.contains("extension"), "{said:?}");
}

#[test]
fn help_and_completion_come_from_table_and_schema() {
    let mut session = session(None);
    assert!(session.take(b"sh\t").ends_with("ow "));
    assert!(session.take(b"queue su\t").ends_with("pport "), "names of the configuration in force");
    assert!(session.take(b"?").contains("<Enter>"));
    session.take(b"\x15");
    let help = session.take(b"show ?");
    assert!(help.contains("configuration") && help.contains("the configuration in force"), "{help:?}");
    assert!(session.take(b"calls | ?").contains("except"));
    session.take(b"\x15configure\r");
    let help = session.take(b"set queue support strategy ?");
    assert!(help.contains("longest-idle"), "{help:?}");
    assert!(session.take(b"longest\t").ends_with("-idle "));
    session.take(b"\x15");
    assert_eq!(session.take(b"\x15set queue support title \"wh?").matches("is not known").count(), 0);
    assert!(session.line.text().ends_with("wh?"), "in a quotation it is a character");
}

#[test]
fn a_draft_is_changed_compared_checked_and_thrown_away() {
    let mut session = session(Some((0, 0)));
    session.take(b"set cli length 0\rset cli language en\r");
    let said = session.take(b"configure\r");
    assert!(said.contains("commit 7") && said.contains("Configuration mode") && said.ends_with("box# "));
    session.take(b"set queue support max-length 30\rset did 4001 to queue nobody\r");
    assert!(session.take(b"compare\r").contains("+        max-length 30;"));
    assert!(session.take(b"show queue support | display set\r").contains("set queue support max-length 30"));
    assert!(session.take(b"commit check\r").contains("nobody"));
    assert!(session.take(b"commit\r").contains("1 errors"), "what is wrong is not put in force");
    assert!(session.take(b"exit\r").contains("The draft has changes"));
    assert!(session.take(b"exit discard\r").ends_with("box> "));
    session.take(b"exit\r");
    assert!(session.is_over());
}

#[test]
fn every_command_of_the_help_has_words_in_both_languages() {
    for (language, word) in [("zh", "说明"), ("en", "how to use")] {
        let mut session = session(Some((0, 80)));
        session.take(format!("set cli language {language}\rset cli length 0\r").as_bytes());
        assert!(session.take(b"help\r").contains(word));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Bytes, and pieces of what people type, in any order: no panic, nothing grows, and Ctrl-C leads to a prompt.
    #[test]
    fn no_stream_of_bytes_upsets_a_session(stream in proptest::collection::vec(prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..8),
        proptest::sample::select(vec![
            "show ", "queue ", "configure\r", "set ", "delete ", "support ", "| ", "match ", "display set", "\t", "?", "\r",
            "\x03", "\x0c", "\x1b[24;80R", "\x1b[1;1R", "\"", "state at now", "exit\r", "rename ", "to ", "\x15", "\x19", "客",
            "commit check\r", "compare\r", "annotate ", " ", "q", "[ ", "explain call last\r", "set cli length 5\r", "\x10",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
    ], 0..80)) {
        let mut session = session(None);
        for piece in stream {
            session.take(&piece);
            prop_assert!(session.line.text().chars().count() <= crate::console::line::LINE_MAX);
            prop_assert!(session.out.capacity() < 1_000_000);
        }
        if !session.is_over() {
            session.take(b"\x1b[1;1R\x18\x18\x03\x03");
            let said = session.take(b"\x03");
            prop_assert!(said.ends_with("> ") || said.ends_with("# "), "{:?}", said);
        }
    }
}

#[test]
fn a_secret_is_not_in_the_history() {
    let mut session = session(None);
    session.take(b"configure\rset extension 2001 name Wang\rset extension 2001 secret \"amber-kite\"\r");
    session.take(b"set extension 2001 secret \"amber-kite\r");
    session.take(b"\x1b[A");
    assert_eq!(session.line.text(), "set extension 2001 name Wang");
}

#[test]
fn a_change_is_committed_confirmed_and_fetched_back() {
    let mut session = session(None);
    let mut say = |line: &str| session.take(format!("{line}\r").as_bytes());
    assert!(say("configure").contains("draft of commit 7"));
    assert!(say("commit").contains("Nothing is changed"));
    assert!(say("edit queue support").ends_with("box[queue support]# "));
    say("set weight 3");
    let compared = say("compare");
    assert!(compared.contains("+        weight 3;"), "{compared}");
    assert!(say("up").ends_with("box# "));
    say("set queue support agents [ 1009 ]");
    let refused = say("commit");
    assert!(refused.contains("1009") && refused.contains("1 errors"), "{refused}");
    say("set queue support agents [ 1001 ]");
    let done = say("commit confirmed 5 comment \"ticket 4711\"");
    assert!(done.contains("commit 8 is in force and goes back in 5:00"), "{done}");
    assert!(say("run show system commit").contains("in force, not confirmed"));
    assert!(say("confirm").contains("commit 8 stays"));
    assert!(say("rollback 1").contains("commit 7 is in the draft"));
    assert!(say("compare").contains("support"), "the draft is that one");
    assert!(say("rollback 60").contains("no such commit"));
    assert!(say("commit confirmed x").contains("no number of minutes"));
    say("exit discard");
    assert!(say("confirm").contains("nothing waits"));
}

#[test]
fn what_is_pasted_goes_into_the_draft_and_other_admins_are_told() {
    let mut session = session(None);
    session.take(b"configure\rload merge terminal\r");
    let said = session.take(b"queue pasted {\r agents [ 1001 ];\r}\r\x04");
    assert!(said.contains("it is in the draft") && said.ends_with("box# "), "{said:?}");
    assert!(session.take(b"show queue pasted\r").contains("agents [ 1001 ];"));
    session.take(b"load set terminal\r");
    let said = session.take(b"set queue pasted weight 5\rfrob\r\x04");
    assert!(said.contains("2") && said.contains("frob"), "{said:?}");
    assert!(!session.take(b"show queue pasted\r").contains("weight"), "all or nothing");
    session.take(b"load override terminal\r?");
    session.take(b"\x03");
    assert!(session.take(b"load merge usb:/site.conf\r").contains("in the draft"));
    assert!(session.take(b"show queue loaded\r").contains("1001"));
    // Somebody else came, and one who wants to be alone.
    let held = session.sources.desks.enter("bob", "panel", true, Instant::BOOT).err().unwrap();
    assert_eq!(held.who, "admin");
    session.take(b"exit discard\r");
    let (_lock, others) = session.sources.desks.enter("bob", "panel", true, Instant::BOOT).ok().unwrap();
    assert!(others.is_empty());
    let said = session.take(b"configure\r");
    assert!(said.contains("locked by bob (panel)") && said.ends_with("box> "), "{said:?}");
}

/// A site with an admin, an operator and a viewer who sees numbers.
fn manned() -> Session<Still> {
    let user = |name, role, numbers| {
        let password = hashed("amberkite");
        format!("user {name} {{ role {role}; numbers {numbers}; password \"{password}\"; }}\n")
    };
    let users = user("alice", "admin", "masked") + &user("bob", "viewer", "shown");
    let mut session = Session::new(Still { text: format!("{SITE}{users}"), ..Still::default() });
    session.take(b"\r");
    session
}

#[test]
fn who_is_no_user_gets_no_further_and_is_locked_out() {
    let mut session = manned();
    assert!(session.take(b"\r").ends_with("login: "));
    let said = session.take(b"alice\rwrong-word\r");
    assert!(said.contains("password: ") && said.contains("wrong user or password"), "{said:?}");
    assert!(!said.contains("wrong-word"), "a password is not echoed");
    assert!(session.take(b"nobody\ramberkite\r").contains("wrong user or password"));
    for _ in 0..4 {
        session.take(b"alice\rx\r");
    }
    let said = session.take(b"alice\ramberkite\r");
    assert!(said.contains("too many failures") && said.ends_with("login: "), "{said:?}");
    assert!(
        session.sources.record.iter().any(|row| row == "console: lock-out line console"),
        "{:?}",
        session.sources.record
    );
    session.sources.now_s = 301;
    assert!(session.take(b"alice\ramberkite\r").contains("logged in: alice (admin)"));
    assert!(session.take(b"show calls\r").contains("none"));
    session.take(b"\x1b[A\x1b[A");
    assert!(!session.line.text().contains("amberkite"), "nor remembered");
}

#[test]
fn a_role_bounds_what_can_be_said_and_a_user_who_goes_is_out() {
    let mut session = manned();
    session.take(b"bob\ramberkite\r");
    assert!(session.take(b"configure\r").contains("takes the role admin"));
    assert!(!session.take(b"?").contains("configure"));
    // Whoever may see whole numbers sees them, and that is on record.
    assert!(session.take(b"show call last\r").contains("13800138000"));
    assert!(session.sources.record.iter().any(|row| row == "console bob: numbers-shown show call last"));
    session.sources.text = session.sources.text.replace("user bob", "user bill");
    assert!(session.take(b"show calls\r").contains("no user of this box any more") && session.is_over());
}

#[test]
fn nobody_touches_it_for_long_and_it_is_left() {
    let mut session = manned();
    session.take(b"alice\ramberkite\r");
    session.take(b"configure\rset queue support weight 3\r");
    session.sources.now_s = 599;
    assert!(session.tick().is_empty() && !session.is_over());
    session.sources.now_s = 600;
    let said = session.tick();
    assert!(said.contains("logged out after a long time") && said.contains("draft") && session.is_over(), "{said:?}");
    assert!(session.sources.desks.all().is_empty(), "nobody edits any more");
}

#[test]
fn an_unset_box_lets_whoever_is_there_make_an_admin() {
    let mut session = session(None);
    session.take(b"configure\r");
    let said = session.take(b"set user alice role admin\rset user alice password\r");
    assert!(said.ends_with("password: "), "{said:?}");
    let said = session.take(b"amberkite\ramberkite\r");
    assert!(!said.contains("amber") && said.ends_with("box# "), "{said:?}");
    assert!(session.take(b"set user bob password short\r").contains("at least 8"));
    let said = session.take(b"set user bob password \"blueheron\"\rshow user\rcompare\r");
    assert!(!said.contains("$argon2id$"), "hashes are secrets, too: {said}");
    assert!(session.take(b"commit\r").contains("is in force"));
    assert!(session.sources.text.contains(&hashed("amberkite")) && session.sources.text.contains(&hashed("blueheron")));
    session.take(b"exit\rexit\r");
    assert!(session.is_over());
    let mut next = Session::new(session.into_sources());
    assert!(next.take(b"\r").ends_with("login: "));
}

#[test]
fn an_act_of_weight_wants_a_whole_yes() {
    let mut session = session(None);
    assert!(session.take(b"request system restart\r").contains("Type yes"));
    assert!(session.take(b"y\r").contains("nothing was done") && session.sources.record.is_empty());
    session.take(b"request system factory-reset keep-recordings\r");
    assert!(session.take(b"yes\r").contains("done"));
    assert_eq!(session.sources.record, ["factory admin false"]);
    session.take(b"request mode night\rrequest surge on\rclear agent 1001\r");
    let record = session.sources.record.join("\n");
    for wanted in ["Mode { mode: Night", "Surge { on: true", "LogOut { agent: \"1001\""] {
        assert!(record.contains(wanted), "{wanted}\n{record}");
    }
    assert!(session.take(b"request mode noon\r").contains("not auto, day or night"));
    assert!(session.take(b"clear alarm nothing\r").contains("no alarm"));
    assert!(session.take(b"clear call nothing\r").contains("no call"));
    assert!(session.take(b"ping 127.0.0.1\r").contains("5 sent, 5 answered"));
    assert!(session.take(b"ping 192.0.2.1\r").contains("5 sent, 0 answered"));
    let told = session.take(b"request support bundle usb:/b.txt\r");
    assert!(told.contains("diagnostics are in"), "{told}");
}

#[test]
fn a_live_view_is_drawn_when_it_changes_until_a_key() {
    let mut session = session(Some((24, 80)));
    let first = session.take(b"monitor log\r");
    assert!(first.contains("138****8000 at 0") && first.contains("\x1b[H"), "{first:?}");
    assert_eq!(session.tick(), "", "nothing is new");
    session.sources.now_s = 1;
    assert!(session.tick().contains("138****8000 at 1"));
    assert!(session.take(b"q").ends_with("box> "));
    session.sources.now_s = 2;
    assert_eq!(session.tick(), "");
}
