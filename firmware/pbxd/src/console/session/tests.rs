//! Whole sessions over answers that stand still: what is typed, and what the terminal gets.

use super::*;
use base::time::{Instant, Wall};
use pbx::door::Act as DoorAct;
use pbx::switch::Mode as Hours;
use proptest::prelude::*;
use std::io::ErrorKind;

#[path = "../../../../../tests/fuzz/src/console.rs"]
mod checks;
pub use checks::Still;
use checks::{SITE, console_bytes, hashed};

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
    assert!(session.take(b"show call last\r").contains("story of 01NEWEST: 138****8000"));
    assert!(session.take(b"explain call 1\r").contains("no call 1"));
    assert!(session.take(b"show frob\r").contains("\"frob\" is not known here"));
    assert!(session.take(b"show queue | match sup | count\r").contains("\r\nlines: 1\r\n"));
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
    assert!(session.take(b"commit\r").contains("errors: 1,"), "what is wrong is not put in force");
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
    assert!(refused.contains("1009") && refused.contains("errors: 1,"), "{refused}");
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
    session.take(b"load merge terminal\r");
    let said = session.take(b"{\"queue\": {\"jsonic\": {\"agents\": [\"1001\"]}}}\r\x04");
    assert!(said.contains("it is in the draft"), "{said:?}");
    assert!(session.take(b"show queue jsonic\r").contains("agents [ 1001 ];"));
    session.take(b"save usb:/site.json\r");
    assert!(session.sources.written.contains("\"jsonic\": {"), "{}", session.sources.written);
    session.take(b"save usb:/site.set\r");
    assert!(session.sources.written.contains("set queue jsonic agents [ 1001 ]\n"), "{}", session.sources.written);
    session.take(b"save usb:/site.conf\r");
    assert!(session.sources.written.contains("queue jsonic {"), "{}", session.sources.written);
    assert!(session.take(b"load merge usb:/site.conf\r").contains("in the draft"));
    assert!(session.take(b"show queue loaded\r").contains("1001"));
    // Somebody else came, and one who wants to be alone.
    let held = session.sources.desks.enter("bob", "panel", true, Instant::BOOT).err().unwrap();
    assert_eq!(held.who, "(anybody)");
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
    assert!(session.sources.record.iter().any(|row| row == "console bob: numbers-shown show call 01NEWEST"));
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
    assert_eq!(session.sources.record, ["factory (anybody) false"]);
    session.take(b"request mode night\rrequest surge on\rclear agent 1001\r");
    let record = session.sources.record.join("\n");
    for wanted in ["Mode { mode: Night", "Surge { on: true", "LogOut { agent: \"1001\""] {
        assert!(record.contains(wanted), "{wanted}\n{record}");
    }
    assert!(session.take(b"request mode noon\r").contains("not auto, day or night"));
    // The box of this test has its clock at 00:00 UTC, which is 08:00 at the site.
    session.take(b"request mode night until 18:00\rrequest surge on until 07:30\r");
    let until = |hours: u32, minutes: u32| Wall::from_millis(i64::from(hours * 60 + minutes) * 60_000);
    for wanted in [
        DoorAct::Mode { mode: Hours::Night, until: Some(until(10, 0)) },
        DoorAct::Surge { on: true, until: Some(until(23, 30)) },
    ] {
        assert!(
            session.sources.record.contains(&format!("console (anybody): {wanted:?}")),
            "{:?}",
            session.sources.record
        );
    }
    assert!(session.take(b"request mode day until 24:00\r").contains("no time of day"));
    assert!(session.take(b"clear alarm nothing\r").contains("no alarm"));
    assert!(session.take(b"clear call nothing\r").contains("no call"));
    assert!(session.take(b"clear agent 1002\r").contains("no agent"), "who is not there is not logged out");
    session.take(b"request system restart\r");
    assert!(session.take(b"\x03").contains("nothing was done"), "Ctrl-C is no");
    assert!(session.take(b"yes\r").contains("not known"), "and nothing is asked any more");
    session.sources.room = false;
    assert!(session.take(b"request surge off\r").contains("does not answer"), "what was not taken is not done");
}

#[test]
fn the_program_is_stopped_now_or_when_there_is_no_call() {
    let mut session = session(None);
    assert!(session.take(b"request system stop\r").contains("starts it again"));
    assert!(session.take(b"no\r").contains("nothing was done") && session.sources.record.is_empty());
    session.take(b"request system stop when-idle\ryes\r");
    assert!(session.take(b"request system stop cancel\r").contains("nothing waits to stop"));
    session.take(b"request system stop\ryes\r");
    let record = session.sources.record.clone();
    let wanted = ["console (anybody): stop-when-idle ", "stop WhenIdle", "console (anybody): stop-cancel ", "stop Not"];
    assert_eq!(record[..4], wanted);
    assert_eq!(record[4..], ["console (anybody): stop ", "stop Now"]);
}

#[test]
fn echoes_are_sent_one_a_second_until_a_key() {
    let mut session = session(None);
    let said = session.take(b"ping 127.0.0.1\r");
    assert!(said.contains("127.0.0.1 answers after 2.0 ms") && !said.ends_with("> "), "{said:?}");
    assert_eq!(said.matches("answers").count(), 1, "the others come later");
    for _ in 0..3 {
        assert!(session.tick().contains("answers after"));
    }
    let last = session.tick();
    assert!(last.contains("5 sent, 5 answered") && last.ends_with("box> "), "{last:?}");
    assert_eq!(session.tick(), "");
    session.take(b"ping 192.0.2.1 count 100\r");
    session.tick();
    let said = session.take(b"q");
    assert!(said.contains("2 sent, 0 answered") && said.ends_with("box> "), "{said:?}");
    assert!(session.take(b"ping 127.0.0.1 count 1\r").ends_with("1 sent, 1 answered\r\n\rbox> "));
    assert!(session.take(b"ping 127.0.0.1 count 101\r").contains("no number from 1 to 100"));
    assert!(session.take(b"ping 127.0.0.1 | count\r").contains("Nothing can be piped"));
    session.sources.no_ping = Some(ErrorKind::PermissionDenied);
    let said = session.take(b"ping 127.0.0.1\r");
    assert!(said.contains("net.ipv4.ping_group_range") && said.ends_with("box> "), "said once: {said:?}");
}

#[test]
fn diagnostics_hold_no_number_and_come_without_the_core_too() {
    let mut session = session(None);
    session.sources.text.push_str("vip 13800138000 { }\n");
    let told = session.take(b"request support bundle usb:/b.txt\r");
    assert!(told.contains("diagnostics are in usb:/b.txt") && told.contains("configuration, lines:"), "{told}");
    let bundle = session.sources.written.clone();
    for wanted in
        ["=== version", "=== alarms", "vip 138****8000", "secret ********", "WARN", "segment-00000000000000000001"]
    {
        assert!(bundle.contains(wanted), "{wanted}\n{bundle}");
    }
    assert!(!bundle.contains("13800138000") && !bundle.contains("amber-kite"), "{bundle}");
    session.sources.answers = false;
    let told = session.take(b"request support bundle b.txt\r");
    assert!(told.contains("system: missing") && told.contains("diagnostics are in b.txt"), "{told}");
    assert!(session.sources.written.contains("WARN"), "what can be had is there");
}

#[test]
fn whole_numbers_are_shown_only_when_it_is_on_record_of_which_call() {
    let mut session = manned();
    session.take(b"alice\ramberkite\r");
    assert!(session.take(b"show call last\r").contains("138****8000"));
    assert!(session.take(b"show call last unmasked\r").contains("13800138000"));
    assert!(session.sources.record.contains(&"console alice: numbers-shown show call 01NEWEST".to_string()));
    session.sources.room = false;
    let said = session.take(b"show call last unmasked\r");
    assert!(said.contains("does not answer") && !said.contains("13800138000"), "{said}");
    session.sources.room = true;
    session.take(b"exit\r");

    let mut session = Session::new(session.into_sources());
    session.take(b"\rbob\ramberkite\r");
    assert!(session.take(b"show call last unmasked\r").contains("takes the role admin"));
    assert!(session.take(b"monitor log\r").contains("13800138000"));
    assert!(session.sources.record.contains(&"console bob: numbers-shown monitor log".to_string()));
    session.sources.text = session.sources.text.replace("numbers shown", "numbers masked");
    assert!(session.tick().contains("138****8000"), "a right that is taken away is gone at once");
    session.take(b"q");
    session.sources.text.push_str("vip 13800138000 { }\n");
    assert!(session.take(b"show configuration vip\r").contains("138****8000"), "numbers in the configuration, too");
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
    let board = session.take(b"set cli language en\rmonitor queue\r");
    let row = board.lines().find(|line| line.contains("support")).map(|row| row.trim_end_matches("\x1b[K"));
    // Waiting, longest wait; ready, talking, ringing, wrap-up, not ready.
    assert_eq!(
        row.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).as_deref(),
        Some("support 0 - 0 1 0 0 0")
    );
    session.take(b" ");
    assert!(session.take(b"monitor queue nothing\r").contains("no queue"), "nothing to look at is said, not shown");
    assert!(session.watch.is_none());
}

#[test]
fn a_call_that_goes_on_is_watched_where_it_grows() {
    let mut session = session(Some((10, 80)));
    session.sources.now_s = 3;
    let first = session.take(b"monitor call last\r");
    assert!(first.contains("ladder of 01NEWEST") && first.contains("3.000 s 138****8000"), "{first:?}");
    session.sources.now_s = 50;
    let later = session.tick();
    assert!(
        later.contains("ladder of 01NEWEST") && later.contains("50.000 s") && !later.contains("40.000 s"),
        "{later:?}"
    );
    assert!(later.lines().count() <= 10, "no more than the screen: {later:?}");
    session.take(b"q");
    assert!(session.take(b"monitor call 02\r").contains("no call 02") && session.watch.is_none());
}

#[test]
fn a_fact_wider_than_the_screen_is_read_to_its_end() {
    let mut session = session(Some((10, 20)));
    session.sources.now_s = 123_456;
    let drawn = session.take(b"monitor log\r");
    let rows: Vec<&str> = drawn.lines().filter(|row| row.ends_with("\x1b[K")).collect();
    assert_eq!(rows.len(), 9, "one below is the cursor's: {drawn:?}");
    assert_eq!(rows[7..], ["138****8000 at 1234\x1b[K", "56\x1b[K"]);
}

#[test]
fn a_terminal_that_knows_nothing_gets_a_line_for_each_change() {
    let mut session = session(None);
    assert!(session.take(b"monitor log\r").contains("138****8000 at 0"));
    session.sources.now_s = 2;
    assert_eq!(session.tick(), "138****8000 at 1\r\n138****8000 at 2\r\n");
}

#[test]
fn who_goes_or_leaves_is_out_while_nothing_is_typed() {
    let mut session = manned();
    session.take(b"bob\ramberkite\rmonitor log\r");
    session.sources.answers = false;
    assert!(!session.tick().contains("no user") && !session.is_over(), "a core that is silent says nothing of users");
    session.sources.answers = true;
    session.sources.text = session.sources.text.replace("user bob", "user bill");
    assert!(session.tick().contains("no user of this box any more") && session.is_over());

    let mut session = manned();
    session.take(b"alice\ramberkite\rconfigure exclusive\rset queue support weight 3\r");
    session.sources.demote("alice");
    assert!(session.tick().contains("takes the role admin"));
    assert!(session.sources.desks.all().is_empty(), "nobody is kept out by one who may not commit");
    assert!(session.take(b"show calls\r").ends_with("box> "));
}

#[test]
fn one_line_does_not_lock_the_other_out() {
    let mut session = manned();
    for _ in 0..5 {
        session.take(b"alice\rx\r");
    }
    assert!(session.take(b"bob\ramberkite\r").contains("too many failures"), "this line is locked");
    let mut box_ = session.into_sources();
    box_.line = "serial console";
    let mut session = Session::new(box_);
    session.take(b"\rbob\rx\r");
    assert!(session.sources.record.contains(&"serial console: login-failed bob".to_string()), "and where it was tried");
    assert!(session.take(b"\ralice\ramberkite\r").contains("logged in: alice (admin)"), "the other one is not");
}

#[test]
fn a_password_typed_too_early_is_nowhere() {
    let mut session = manned();
    session.take(b"brass-lantern-27\r\r");
    session.take(b"alice\rx\r");
    let record = session.sources.record.join("\n");
    assert!(!record.contains("brass-lantern"), "{record}");
    assert!(record.contains("login-failed (unknown user)") && record.contains("login-failed alice"), "{record}");
}

#[test]
fn a_draft_whose_commit_went_back_says_so_and_rollback_begins_anew() {
    let mut session = session(None);
    session.take(b"configure\rset queue support weight 9\r");
    // Somebody else's commit.
    session.sources.number += 1;
    session.sources.text = SITE.replace("客服", "热线");
    for command in ["compare\r", "commit check\r"] {
        let said = session.take(command.as_bytes());
        assert!(said.contains("commit 8 came into force meanwhile, this change was made from commit 7"), "{said}");
    }
    session.take(b"rollback 0\r");
    assert!(session.take(b"compare\r").contains("Nothing is changed"));
    session.take(b"set queue support weight 9\r");
    assert!(session.take(b"commit\r").contains("commit 9 is in force"));
}

#[test]
fn help_at_a_value_tells_its_default_and_that_it_must_follow() {
    let mut session = session(None);
    session.take(b"configure\r");
    let said = session.take(b"set system idle-logout-min ?");
    assert!(said.contains("from 1 to 60 (minutes); 10 by default") && !said.contains("<Enter>"), "{said}");
    session.take(b"\x15");
    assert!(session.take(b"set user bob password ?").contains("<Enter>"), "it may be typed unseen");
    session.take(b"\x15");
    assert!(session.take(b"delete system name ?").contains("<Enter>"));
}

#[test]
fn nothing_is_no_line_and_what_is_shown_otherwise_is_told() {
    let mut session = session(None);
    assert!(session.take(b"show alarms | count\r").contains("lines: 0"));
    assert!(session.take(b"show calls ended\r").contains("138****8000 > "));
    assert!(session.take(b"show configuration queue\r").contains("# ? stands for characters"));
    let mut session = self::session(Some((100, 80)));
    assert!(!session.take(b"show configuration queue\r").contains("# ?"));
}

#[test]
fn who_logs_in_between_gains_no_more_tries() {
    let mut session = manned();
    for _ in 0..4 {
        session.take(b"alice\rx\r");
    }
    session.take(b"bob\ramberkite\rexit\r");
    let mut session = Session::new(session.into_sources());
    assert!(session.take(b"\ralice\rx\r").contains("wrong user or password"));
    assert!(session.take(b"alice\ramberkite\r").contains("too many failures"));
}

#[test]
fn nobody_stays_admin_of_a_box_that_has_users() {
    let mut session = session(None);
    session.sources.now_s = 100_000;
    assert!(session.tick().is_empty() && !session.is_over(), "an unset box waits for its first admin");
    session.take(b"\r");
    session.take(b"configure\rset user alice role admin\rset user alice password \"amberkite\"\rcommit\rexit\r");
    assert!(session.sources.text.contains("user alice"));
    session.sources.now_s += 600;
    assert!(session.tick().contains("logged out after a long time") && session.is_over());
}

#[test]
fn a_key_is_echoed_without_a_look_at_the_core() {
    let mut session = session(Some((24, 80)));
    for answers in [true, false] {
        (session.sources.answers, session.site) = (answers, None);
        let looks = session.sources.looks;
        assert_eq!(session.take(b"show calls"), "show calls");
        session.take(b"\x1b[D\x17\x19\x01\x05");
        assert_eq!(session.sources.looks, looks);
        session.take(b"\x15");
    }
}

#[test]
fn bytes_and_what_happens_meanwhile_upset_no_session() {
    let pieces: [&[u8]; 22] = [
        b"alice\ramberkite\r",
        b"bob\ramberkite\r",
        b"\x1b[24;80R",
        b"monitor log\r",
        b"monitor queue\r",
        b"show call last\r",
        b"ping 127.0.0.1\r",
        b"configure\r",
        b"configure exclusive\r",
        b"set queue support weight 3\r",
        b"commit\r",
        b"set user alice password\r",
        b"request system stop\r",
        b"yes\r",
        b"load merge terminal\r",
        b"\x04",
        b"exit\r",
        b"\xf8",
        b"\xf9",
        b"\xfa",
        b"\xfb",
        b"\xfc",
    ];
    // The same numbers each time: a find can be found again.
    let mut state = 7u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for round in 0..150u8 {
        let mut bytes = vec![round];
        for _ in 0..next(40) {
            match next(4) {
                0 => bytes.extend((0..next(6)).map(|_| next(256) as u8)),
                _ => bytes.extend(pieces[next(pieces.len())]),
            }
        }
        console_bytes(&bytes);
    }
}
