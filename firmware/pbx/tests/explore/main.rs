//! Exactly one answer, shown by trying every order. Small sites, the real core and real SIP endpoints, and every
//! interleaving of what is on its way: datagrams of each phone, in order or with a fault (lost, doubled, overtaken);
//! phones that answer, decline, hang up or press a key; ends of announcements; deadlines of the core and of SIP, also while
//! something is on its way; supervisors; the program killed and recovered between any two steps. In every world that can
//! be reached the rules of `check.rs` hold, and from every one of them the calls come to an end when nobody does anything
//! any more.
//!
//! Without disturbances every world of every site is visited. With them (one deadline that comes while something is on its
//! way, one datagram lost, doubled or overtaken, one kill) the search goes breadth first up to a number of worlds, and of
//! those on its edge only the fair end is walked; `CORDBOARD_DEPTH=n` moves that edge n times as far.
//!
//! What else is bounded: the people, and what each may do (a site's [`Will`]s). What commutes with all the rest is taken
//! at once (`World::steps`). Links between the box and one phone keep
//! their order but for a fault. The media engine counts a leg at once. A kill loses nothing that was on its way. While
//! nothing is on its way the clock goes in whole seconds.

#![cfg(test)]

mod check;
mod fingerprint;
mod phone;
mod search;
mod site;
mod world;

use pbx::config::Strategy;
use phone::Will;
use search::explore;
use site::Site;
use world::{ANNOUNCEMENT, Budget, World};

const CALLER: Will = Will { dials: Some("8000"), hangs_up: 1, answers: 0, declines: 0, presses: None };
const STAYS: Will = Will { hangs_up: 0, ..CALLER };
const ANSWERS: Will = Will { answers: 1, hangs_up: 0, dials: None, declines: 0, presses: None };
const DECLINES: Will = Will { answers: 0, declines: 1, ..ANSWERS };
const COMES_AND_GOES: Will = Will { hangs_up: 1, ..ANSWERS };
const NOTHING: Will = Will { answers: 0, ..ANSWERS };

const PLAIN: Budget = Budget { faults: 0, hastes: 0, kills: 0 };
const ONE_RUSH: Budget = Budget { hastes: 1, ..PLAIN };
const ONE_FAULT: Budget = Budget { faults: 1, ..PLAIN };
const ONE_KILL: Budget = Budget { kills: 1, ..PLAIN };

/// More than any site has without disturbances.
const PLAIN_WORLDS_MAX: usize = 200_000;
/// With one.
const DISTURBED_WORLDS: usize = 1_500;

/// All orders without disturbances, then with one of each kind; the second leaves some worlds out.
fn every_order(name: &str, begin: impl Fn(Budget) -> World) {
    // Without optimization it is for finding a mistake early, not for proving its absence.
    let thorough = !cfg!(debug_assertions);
    let times: usize = std::env::var("CORDBOARD_DEPTH").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let plain = if thorough { PLAIN_WORLDS_MAX } else { DISTURBED_WORLDS };
    let disturbed = DISTURBED_WORLDS.saturating_mul(times);
    for (kind, budget, worlds_max) in [
        ("plain", PLAIN, plain),
        ("rush", ONE_RUSH, disturbed),
        ("fault", ONE_FAULT, disturbed),
        ("kill", ONE_KILL, disturbed),
    ] {
        let name = format!("{name}, {kind}");
        match explore(&name, &begin(budget), worlds_max) {
            Ok(report) if thorough && budget == PLAIN => assert_eq!(report.open, 0, "{name}: not all worlds"),
            Ok(_) => {}
            Err(story) => panic!("{name}: {story}"),
        }
    }
}

#[test]
fn ring_all_has_one_winner_of_three() {
    let site = || Site::queue(Strategy::RingAll, &[CALLER], &[ANSWERS, ANSWERS, DECLINES], |_| ());
    every_order("ring-all", |budget| site().begin(&[0], true, budget));
}

#[test]
fn ring_all_from_the_first_invite() {
    let site = || Site::queue(Strategy::RingAll, &[CALLER], &[ANSWERS, ANSWERS], |_| ());
    every_order("ring-all of two from the caller's INVITE", |budget| site().begin(&[0], false, budget));
}

#[test]
fn ring_progressively_has_one_winner() {
    let site = || Site::queue(Strategy::RingProgressively, &[CALLER], &[ANSWERS, COMES_AND_GOES], |_| ());
    every_order("ring-progressively", |budget| site().begin(&[0], true, budget));
}

#[test]
fn two_phones_of_one_extension_have_one_winner() {
    let site = || Site::extension(CALLER, &[COMES_AND_GOES, ANSWERS]);
    every_order("two contacts", |budget| site().begin(&[0], false, budget));
}

#[test]
fn a_phone_whose_answers_are_lost_does_not_ring_for_ever() {
    // Two losses: of 100 and 180, so that the caller gives up before the box knows that the phone rings.
    let budget = Budget { faults: 2, ..PLAIN };
    let world = Site::extension(CALLER, &[NOTHING]).begin(&[0], false, budget);
    if let Err(story) = explore("lost ringing", &world, DISTURBED_WORLDS) {
        panic!("{story}");
    }
}

#[test]
fn an_agent_of_two_queues_has_one_caller() {
    let second = Will { dials: Some("8001"), ..CALLER };
    let both = Will { answers: 2, hangs_up: 1, ..ANSWERS };
    let site = || Site::queue(Strategy::RingAll, &[CALLER, second], &[both, ANSWERS], |_| ()).and_queue();
    every_order("two queues", |budget| site().begin(&[0, 1], true, budget));
}

#[test]
fn a_key_confirms_and_an_announcement_is_heard_by_one() {
    let confirms = Will { presses: Some('1'), ..ANSWERS };
    let goes = Will { hangs_up: 1, ..confirms };
    let site = || {
        Site::queue(Strategy::RingAll, &[CALLER], &[confirms, goes], |queue| {
            queue.confirm_key = Some('1');
            queue.agent_announce = Some(ANNOUNCEMENT.into());
        })
    };
    every_order("confirm and announce", |budget| site().begin(&[0], true, budget));
}

#[test]
fn a_pick_against_an_answer_has_one_winner() {
    let picks = Will { dials: Some("*59"), hangs_up: 1, ..NOTHING };
    let site = || Site::queue(Strategy::RingAll, &[CALLER], &[ANSWERS, ANSWERS], |_| ()).and_supervisor(picks);
    every_order("pick", |budget| site().begin(&[0], true, budget));
}

#[test]
fn a_pick_against_a_confirmed_answer_has_one_winner() {
    let picks = Will { dials: Some("*59"), ..NOTHING };
    let confirms = Will { presses: Some('1'), ..ANSWERS };
    let site = || {
        let site = Site::queue(Strategy::RingAll, &[CALLER], &[confirms], |queue| {
            queue.confirm_key = Some('1');
            queue.agent_announce = Some(ANNOUNCEMENT.into());
        });
        site.and_supervisor(picks)
    };
    every_order("pick and confirm", |budget| site().begin(&[0], true, budget));
}

#[test]
fn a_call_taken_over_has_one_partner() {
    let takes = Will { dials: Some("*541001"), hangs_up: 1, ..NOTHING };
    let site = || Site::queue(Strategy::RingAll, &[CALLER], &[COMES_AND_GOES], |_| ()).and_supervisor(takes);
    every_order("take-over", |budget| site().begin(&[0], true, budget));
}

#[test]
fn who_is_forced_away_has_no_call() {
    let forces = Will { dials: Some("*551001*2"), ..NOTHING };
    let site = || Site::queue(Strategy::RingAll, &[STAYS], &[ANSWERS, ANSWERS], |_| ()).and_supervisor(forces);
    every_order("forced", |budget| site().begin(&[0], true, budget));
}

#[test]
fn who_goes_not_ready_while_it_rings_has_no_call() {
    let leaves = Will { dials: Some("*461"), ..ANSWERS };
    let site = || Site::queue(Strategy::RingAll, &[CALLER], &[leaves, ANSWERS], |_| ());
    every_order("not ready", |budget| site().begin(&[0], true, budget));
}
