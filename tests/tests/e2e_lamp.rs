//! Lamps on the keys of a desk phone: SIPp subscribes like one, real phones call and dial codes, and the lamp shows what
//! they do; over a kill of the box, too.

use std::path::Path;
use std::time::Duration;
use tests::ensure;
use tests::peer::baresip::{Answer, Baresip, Transport};
use tests::peer::capture::Packet;
use tests::peer::floor::{Floor, SOON};
use tests::peer::sipp::{Scenario, Sipp};
use tests::peer::site::Site;
use tests::peer::{At, Outcome};

/// Extension 2003's phone watches.
const WATCHER: &str = "2003";

fn watch(floor: &Floor, lamp: &str) -> Outcome<Sipp> {
    let phone = Scenario::new("lamp", floor.site.address(40), floor.site.sip(), lamp);
    phone.with("watcher", WATCHER).with_credentials(WATCHER, &floor.site.secret(WATCHER)).start(floor.place.path())
}

/// Waits for the next NOTIFY on the wire after `place`, and gives the place after it.
fn told(floor: &Floor, place: usize, what: &str) -> Outcome<usize> {
    let address = floor.site.address(40);
    let notify = move |p: &Packet| *p.to.ip() == address && p.sip().is_some_and(|line| line.starts_with("NOTIFY"));
    Ok(floor.capture.packets.wait(place, SOON, &format!("the NOTIFY that the lamp {what}"), notify)?.0 + 1)
}

/// What the NOTIFYs in SIPp's message log said: version, state of the subscription, state of the dialog.
fn notified(dir: &Path) -> Outcome<Vec<(String, String, String)>> {
    let log = std::fs::read_to_string(dir.join("messages.log")).at("SIPp's messages")?;
    let between = |text: &str, before: &str, after: &str| {
        text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(found, _)| found.trim().to_owned())
    };
    let mut all = Vec::new();
    for message in log.split("NOTIFY sip:").skip(1) {
        let version = between(message, "dialog-info\" version=\"", "\"").at("version")?;
        let subscription = between(message, "Subscription-State:", "\n").at("Subscription-State")?;
        let word = subscription.split(';').next().unwrap_or_default().to_owned();
        all.push((version, word, between(message, "<state>", "</state>").at("state")?));
    }
    all.dedup();
    Ok(all)
}

fn demand_story(dir: &Path, lamp: [&str; 5]) -> Outcome {
    let expected: Vec<(String, String, String)> = lamp
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let subscription = if n == 4 { "terminated" } else { "active" };
            (n.to_string(), subscription.to_owned(), (*state).to_owned())
        })
        .collect();
    let said = notified(dir)?;
    ensure!(said == expected, "the lamp showed {said:?} instead of {expected:?}");
    Ok(())
}

#[test]
fn an_extension_lamp_follows_a_call() -> Outcome {
    let floor = Floor::open("lamp-extension", Site::new(21))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    let phone = watch(&floor, "2002")?;
    let dir = phone.dir().to_owned();
    let place = told(&floor, 0, "is dark")?;
    caller.dial("2002")?;
    callee.ringing(SOON)?;
    let place = told(&floor, place, "blinks")?;
    callee.accept()?;
    caller.established()?;
    let place = told(&floor, place, "is lit")?;
    caller.hangup()?;
    callee.closed(SOON)?;
    let place = told(&floor, place, "is dark again")?;
    told(&floor, place, "is watched no more")?;
    let counts = phone.finish(SOON)?;
    ensure!(counts.successful == 1 && counts.failed == 0, "{counts:?}");
    demand_story(&dir, ["terminated", "early", "confirmed", "terminated", "terminated"])?;
    floor.close(vec![caller, callee], 1).map(|_| ())
}

/// Dials a feature code and hears its confirmation to the end.
fn code(phone: &mut Baresip, code: &str) -> Outcome {
    phone.dial(code)?;
    phone.established()?;
    phone.closed(Duration::from_secs(20)).map(|_| ())
}

#[test]
fn an_agent_lamp_follows_the_codes_and_outlives_a_kill() -> Outcome {
    let mut floor = Floor::open("lamp-agent", Site::new(22).agent("1001", "2002"))?;
    let mut agent = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    let phone = watch(&floor, "*451001")?;
    let dir = phone.dir().to_owned();
    let place = told(&floor, 0, "is lit: at work")?;
    code(&mut agent, "*46")?;
    let place = told(&floor, place, "blinks: not ready")?;
    floor.appliance.kill9()?;
    floor.appliance.restart()?;
    code(&mut agent, "*46")?;
    let place = told(&floor, place, "is lit after the kill: ready")?;
    code(&mut agent, "*45")?;
    let place = told(&floor, place, "is dark: logged out")?;
    told(&floor, place, "is watched no more")?;
    let counts = phone.finish(SOON)?;
    ensure!(counts.successful == 1 && counts.failed == 0, "{counts:?}");
    demand_story(&dir, ["confirmed", "early", "confirmed", "terminated", "terminated"])?;
    floor.close(vec![agent], 3).map(|_| ())
}
