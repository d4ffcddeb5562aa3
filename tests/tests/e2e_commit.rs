//! Commits end to end: what is committed is in force for the next call and leaves those that talk alone; what nobody
//! confirms goes back by itself, over a killed box, with the call still talking.

use std::time::{Duration, Instant};
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::terminal::Terminal;

/// A minute to confirm, and what a busy machine may add.
const REVERTED: Duration = Duration::from_secs(90);

#[test]
fn what_cuts_everybody_off_goes_back_by_itself_over_a_kill_and_the_call_talks_on() -> Outcome {
    let mut site = Site::new(18);
    site.voice_s = 120;
    let mut floor = Floor::open("commit-cut", site)?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(1000, SOON)?;

    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    terminal.ask("configure", "# ")?;
    // No phone can register or call any more, and the console's admin has no key to undo it in time.
    let cut = format!("set sip listen {}:15999", floor.site.box_address());
    terminal.ask(&cut, "# ")?;
    for extension in ["2001", "2002", "2003", "2004"] {
        terminal.ask(&format!("delete extension {extension}"), "# ")?;
    }
    let begun = Instant::now();
    let said = terminal.ask("commit confirmed 1 comment \"a typo\"", "# ")?;
    ensure!(said.contains("commit 2 is in force and goes back in 1:00"), "commit: {said}");
    let said = terminal.ask("run show phones", "# ")?;
    ensure!(!said.contains("2001"), "nobody has a phone now: {said}");
    let refused = floor.phone("2003", Transport::Udp, Answer::Manual);
    ensure!(refused.is_err(), "a phone registers though its extension is gone");
    caller.hears(2500, SOON)?;

    floor.appliance.kill9()?;
    floor.appliance.restart()?;
    caller.hears(6000, Duration::from_secs(15))?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    let said = terminal.ask("show system commit", "> ")?;
    ensure!(said.contains("in force, not confirmed") && said.contains("a typo"), "over the kill: {said}");

    while !terminal.ask("show system commit", "> ")?.contains("2 not confirmed, back to 1") {
        ensure!(begun.elapsed() < REVERTED, "it does not go back");
    }
    ensure!(begun.elapsed() >= Duration::from_secs(59), "it went back after {:?} already", begun.elapsed());
    let said = terminal.ask("show configuration sip | display set", "> ")?;
    ensure!(said.contains(":15260"), "the address of before: {said}");
    let late = floor.phone("2003", Transport::Udp, Answer::Manual)?;
    late.stop()?;
    // The call that has talked all the time ends as any other.
    caller.hears(60_000, Duration::from_secs(20))?;
    caller.hangup()?;
    callee.closed(SOON)?;
    let (one, two) = (floor.site.voice("2001"), floor.site.voice("2002"));
    demand("2001 hears 2002", &two, &caller.heard()?, 50_000, 1_000)?;
    demand("2002 hears 2001", &one, &callee.heard()?, 50_000, 1_000)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.talk_s >= 55, "{cdr:?}");
    floor.recording_holds(&cdr.recording, &one, &two, 50_000, 1_000)?;
    floor.close(vec![caller, callee], 1).map(|_| ())
}
