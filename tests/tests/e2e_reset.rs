//! Factory resets end to end: one keeps the recordings and forgets every configuration, the other leaves nothing. After
//! both the box is one that somebody unpacks.

use std::time::{Duration, Instant};
use tests::ensure;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::terminal::Terminal;
use tests::peer::{At, Outcome};

/// The rows of earlier configurations, on a busy machine.
const FORGOTTEN: Duration = Duration::from_secs(10);

#[test]
fn one_reset_keeps_the_recordings_and_the_other_leaves_nothing() -> Outcome {
    let mut site = Site::new(25);
    site.unset = true;
    site.secrets(&[("2001", "amber-2001"), ("2002", "basalt-2002")]);
    let floor = Floor::open("reset", site)?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    terminal.ask("configure", "# ")?;
    for extension in ["2001", "2002"] {
        let secret = floor.site.secret(extension);
        terminal.ask(&format!("set extension {extension} secret {secret} record yes"), "# ")?;
    }
    let said = terminal.ask("commit", "# ")?;
    ensure!(said.contains("is in force"), "commit: {said}");
    terminal.ask("exit", "> ")?;

    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(3000, SOON + SOON)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    floor.heard_each_other(("2001", &caller), ("2002", &callee), 2500)?;
    let recording = floor.only_cdr()?.recording;

    reset(&mut terminal, "keep-recordings", "> ")?;
    // The store forgets them with the next rows that it writes.
    let begun = Instant::now();
    loop {
        let said = terminal.ask("show system commit", "> ")?;
        if said.matches("console").count() == 1 && !said.contains("box") {
            break;
        }
        ensure!(begun.elapsed() < FORGOTTEN, "earlier commits are gone: {said}");
    }
    let said = terminal.ask("show configuration", "> ")?;
    ensure!(!said.contains("extension") && said.contains("listen"), "factory settings: {said}");
    let said = terminal.ask("show recordings", "> ")?;
    ensure!(said.contains(&recording), "recordings stay: {said}");
    ensure!(floor.appliance.cdrs()?.len() == 1, "records of calls stay");
    floor.recording_holds(&recording, &floor.site.voice("2001"), &floor.site.voice("2002"), 2500, 60)?;

    reset(&mut terminal, "erase-everything", "hangs up now")?;
    terminal.hung_up()?;
    let mut terminal = Terminal::attach_again(&floor.appliance)?;
    let said = terminal.ask("show recordings", "> ")?;
    ensure!(!said.contains(&recording), "nothing is left: {said}");
    let left: Vec<String> = std::fs::read_dir(floor.appliance.data().join("recordings"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .collect();
    ensure!(left.is_empty(), "files are left: {left:?}");
    ensure!(floor.appliance.cdrs()?.is_empty(), "records of calls are left");
    let key = std::fs::metadata(floor.appliance.data().join("chassis.key")).at("a new key")?;
    ensure!(key.len() > 0, "a box has a key of its own");
    floor.close(vec![caller, callee], 0).map(|_| ())
}

/// Asks for a reset and says yes to what it says.
fn reset(terminal: &mut Terminal, what: &str, until: &str) -> Outcome<String> {
    terminal.types(&format!("request system factory-reset {what}\r"))?;
    terminal.sees("Type yes")?;
    terminal.types("yes\r")?;
    terminal.sees(until)
}
