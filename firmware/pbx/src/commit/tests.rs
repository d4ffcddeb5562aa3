//! Commits on their way through the core: stored, in force, confirmed, gone back; over restarts and lost states.

use super::*;
use crate::config::parse;
use crate::door::{Boot, Input};
use alloc::vec::Vec;
use base::time::Now;
use signaling::sip::door::Account;

const SITE: &str = "sip { listen 127.0.0.1:5060; }\nextension 2001 { secret amber-kite; }\n";

fn at(s: u64) -> Now {
    Now { at: Instant::from_micros(s * 1_000_000), wall: Wall::from_millis(s as i64 * 1_000) }
}

fn give(pbx: &mut Pbx, s: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    pbx.handle(at(s), input, &mut out);
    out
}

fn boxed() -> Pbx {
    let mut pbx = Pbx::new();
    let build = String::new();
    let boot = Boot { seed: [1; 32], build, recovered: false, machine_restarted: false, events_from: 1 };
    give(&mut pbx, 1, Input::Boot(boot));
    give(&mut pbx, 1, Input::Configured(Arc::new(parse(SITE).unwrap()), 7));
    pbx
}

/// With an extension more than the site has.
fn with_extension(number: u32) -> Written {
    Written::of(&format!("{SITE}extension {number} {{ secret amber-kite; }}\n")).unwrap()
}

fn commit(ticket: u64, base: u64, extension: u32, confirm_within_s: u32) -> Input {
    let label = Label { author: "alice".into(), origin: "console".into(), comment: "ticket 4711".into() };
    Input::Commit(Box::new(Commit { ticket, base, site: with_extension(extension), label, confirm_within_s }))
}

fn answers(out: &[Output]) -> Vec<(u64, Answer)> {
    out.iter()
        .filter_map(|o| if let Output::Answer(ticket, answer) = o { Some((*ticket, answer.clone())) } else { None })
        .collect()
}

fn rows(out: &[Output]) -> Vec<&CommitRow> {
    out.iter().filter_map(|o| if let Output::StoreCommit(row) = o { Some(row) } else { None }).collect()
}

fn has(pbx: &Pbx, extension: &str) -> bool {
    pbx.config().unwrap().extensions.contains_key(extension)
}

#[test]
fn a_commit_is_in_force_when_it_is_stored_and_not_before() {
    let mut pbx = boxed();
    let out = give(&mut pbx, 2, commit(5, 7, 2002, 0));
    let [row] = rows(&out)[..] else { panic!("{out:?}") };
    assert_eq!((row.number, row.unconfirmed), (8, None));
    assert!(answers(&out).is_empty() && !has(&pbx, "2002"));
    assert_eq!(pbx.commit_now(), CommitNow { number: 7, storing: Some(8), reverts: None });
    assert!(give(&mut pbx, 2, Input::CommitStored(9)).is_empty(), "another one's");
    let out = give(&mut pbx, 3, Input::CommitStored(8));
    assert_eq!(answers(&out), [(5, Answer::InForce { number: 8, reverts_in_s: 0 })]);
    assert!(out.contains(&Output::InForce(8)) && has(&pbx, "2002"));
    let audit = out.iter().find_map(|o| match o {
        Output::Record(event) => Some((event.actor.as_str(), event.detail.clone())),
        _ => None,
    });
    let detail = Detail::Audit { what: "commit".into(), about: "8 ticket 4711".into() };
    assert_eq!(audit, Some(("console alice", detail)));
    assert!(give(&mut pbx, 4, Input::CommitStored(8)).is_empty(), "told twice");
}

#[test]
fn who_began_before_another_commit_overwrites_nothing() {
    let mut pbx = boxed();
    give(&mut pbx, 2, commit(1, 7, 2002, 0));
    assert_eq!(answers(&give(&mut pbx, 2, commit(2, 7, 2003, 0))), [(2, Answer::Busy)]);
    give(&mut pbx, 3, Input::CommitStored(8));
    assert_eq!(answers(&give(&mut pbx, 3, commit(3, 7, 2003, 0))), [(3, Answer::Stale { current: 8 })]);
    assert!(has(&pbx, "2002") && !has(&pbx, "2003"));
}

#[test]
fn what_nobody_confirms_goes_back_in_time_over_a_restart() {
    let mut pbx = boxed();
    give(&mut pbx, 2, commit(1, 7, 2002, 60));
    give(&mut pbx, 3, Input::CommitStored(8));
    let bytes = postcard::to_allocvec(&pbx).unwrap();
    let mut pbx: Pbx = postcard::from_bytes(&bytes).unwrap();
    let due = Instant::from_micros(63_000_000);
    assert_eq!(pbx.commit_now().reverts, Some((due, 7)));
    assert!(rows(&give(&mut pbx, 62, Input::Timer)).is_empty() && has(&pbx, "2002"));
    assert_eq!(pbx.deadline(), Some(due));
    let out = give(&mut pbx, 63, Input::Timer);
    let [row] = rows(&out)[..] else { panic!("{out:?}") };
    assert_eq!((row.number, &row.text, row.label.origin.as_str()), (9, &CommitText::Of(7), "box"));
    assert!(out.contains(&Output::InForce(9)) && !has(&pbx, "2002"), "at once");
    assert_eq!(pbx.commit_now(), CommitNow { number: 9, storing: None, reverts: None });
    assert!(give(&mut pbx, 64, Input::CommitStored(9)).is_empty());
}

#[test]
fn what_is_confirmed_stays() {
    let mut pbx = boxed();
    let confirm = |ticket| Input::Confirm { ticket, actor: "console bob".into() };
    assert_eq!(answers(&give(&mut pbx, 2, confirm(1))), [(1, Answer::NothingToConfirm)]);
    give(&mut pbx, 2, commit(2, 7, 2002, 60));
    give(&mut pbx, 3, Input::CommitStored(8));
    let out = give(&mut pbx, 4, confirm(3));
    assert_eq!(answers(&out), [(3, Answer::Confirmed { number: 8 })]);
    assert!(out.contains(&Output::CommitConfirmed(8)) && pbx.deadline().is_none());
    // The next commit confirms, too.
    give(&mut pbx, 5, commit(4, 8, 2003, 60));
    give(&mut pbx, 5, Input::CommitStored(9));
    give(&mut pbx, 6, commit(5, 9, 2004, 0));
    let out = give(&mut pbx, 6, Input::CommitStored(10));
    assert!(out.contains(&Output::CommitConfirmed(9)) && pbx.deadline().is_none());
    assert!(has(&pbx, "2004"));
}

#[test]
fn two_in_a_row_go_back_to_the_last_that_somebody_was_sure_of() {
    let mut pbx = boxed();
    give(&mut pbx, 2, commit(1, 7, 2002, 60));
    give(&mut pbx, 3, Input::CommitStored(8));
    let out = give(&mut pbx, 4, commit(2, 8, 2003, 30));
    assert_eq!(rows(&out)[0].unconfirmed, Some((Wall::from_millis(34_000), 7)));
    give(&mut pbx, 5, Input::CommitStored(9));
    // One more is on its way to the disk when the time is over.
    give(&mut pbx, 34, commit(3, 9, 2004, 0));
    let out = give(&mut pbx, 35, Input::Timer);
    assert_eq!(answers(&out), [(3, Answer::Overtaken)]);
    assert_eq!((rows(&out)[0].number, &rows(&out)[0].text), (11, &CommitText::Of(7)));
    assert!(give(&mut pbx, 36, Input::CommitStored(10)).is_empty());
    assert!(!has(&pbx, "2002") && !has(&pbx, "2003") && !has(&pbx, "2004"));
}

#[test]
fn a_lost_state_and_a_machine_that_was_off_go_back_as_well() {
    // The state was lost: the store tells.
    let mut pbx = boxed();
    let told = |number, until_s: i64| {
        let config = Arc::new(parse(&with_extension(2009).text).unwrap());
        Input::Unconfirmed(Unconfirmed { number, back: 5, config, until: Wall::from_millis(until_s * 1_000) })
    };
    give(&mut pbx, 2, told(6, 20));
    assert_eq!(pbx.commit_now().reverts, None, "of another commit");
    give(&mut pbx, 2, told(7, 20));
    assert_eq!(pbx.commit_now().reverts, Some((Instant::from_micros(20_000_000), 5)));
    // Hours went by outside.
    let late = Now { at: Instant::from_micros(3_000_000), wall: Wall::from_millis(9_000_000) };
    pbx.handle(late, told(7, 20), &mut Vec::new());
    let mut out = Vec::new();
    pbx.handle(late, Input::Timer, &mut out);
    assert!(has(&pbx, "2009") && out.contains(&Output::InForce(8)));
}

#[test]
fn a_commit_that_was_stored_while_the_program_died_is_in_force_at_its_start() {
    let mut pbx = boxed();
    give(&mut pbx, 2, commit(1, 7, 2002, 60));
    let stored = with_extension(2002);
    give(&mut pbx, 9, Input::Configured(stored.config, 8));
    assert!(has(&pbx, "2002"));
    assert_eq!(pbx.commit_now().reverts, Some((Instant::from_micros(69_000_000), 7)));
}

#[test]
fn the_endpoint_knows_secrets_that_changed_and_those_that_did_not() {
    let mut pbx = boxed();
    let mut number = 7;
    let mut put = |pbx: &mut Pbx, text: &str| {
        let config = Arc::new(parse(text).unwrap());
        number += 1;
        give(pbx, 2, Input::Configured(config.clone(), number));
        for (name, extension) in &config.extensions {
            let fresh = Account::with_secret(name, &config.sip.realm, &extension.secret);
            assert_eq!(pbx.sip.account(name), Some(&fresh), "{text}");
        }
    };
    let more = format!("{SITE}extension 2002 {{ secret bold-heron; }}\n");
    put(&mut pbx, &more);
    put(&mut pbx, &format!("{more}queue support {{ }}\n"));
    put(&mut pbx, &more.replace("amber-kite", "amber-kites"));
    put(&mut pbx, &more.replace("listen", "realm elsewhere; listen"));
    put(&mut pbx, SITE);
    assert_eq!(pbx.sip.account("2002"), None);
}

#[test]
fn a_commit_that_changes_nothing_touches_nothing() {
    let mut pbx = boxed();
    let busy = format!("{SITE}agent 1001 {{ extension 2001; logged-in yes; }}\nqueue support {{ agents [ 1001 ]; }}\n");
    give(&mut pbx, 2, Input::Configured(Arc::new(parse(&busy).unwrap()), 8));
    let before = pbx.standing(at(3).at);
    let label = Label::default();
    let site = Written::of(&busy).unwrap();
    give(&mut pbx, 3, Input::Commit(Box::new(Commit { ticket: 1, base: 8, site, label, confirm_within_s: 0 })));
    let out = give(&mut pbx, 3, Input::CommitStored(9));
    assert!(matches!(out[..], [Output::Record(_), Output::InForce(9), Output::Answer(1, _)]), "{out:#?}");
    assert_eq!(pbx.standing(at(3).at), before);
}
