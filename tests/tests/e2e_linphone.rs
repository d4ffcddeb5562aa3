//! Another make of phone: linphone calls and is called, with audio both ways.

use std::time::Duration;
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::floor::{Floor, SOON};
use tests::peer::linphone::Linphone;
use tests::peer::site::Site;

#[test]
fn linphone_calls_and_is_called() -> Outcome {
    let floor = Floor::open("linphone", Site::new(18))?;
    let mut desk = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let (site, dir) = (&floor.site, floor.place.path());
    let mut soft = Linphone::start("2004", &site.secret("2004"), site.sip(), &site.voice("2004"), dir)?;

    soft.call(&format!("sip:2001@{}", site.sip()))?;
    desk.ringing(SOON)?;
    desk.accept()?;
    desk.established()?;
    desk.hears(3500, Duration::from_secs(15))?;
    soft.talking()?;
    soft.terminate()?;
    desk.closed(SOON)?;
    soft.ended()?;
    demand("the desk phone hears linphone", &site.voice("2004"), &desk.heard()?, 2500, 60)?;
    demand("linphone hears the desk phone", &site.voice("2001"), &soft.heard()?, 2500, 60)?;

    desk.dial("2004")?;
    soft.ringing()?;
    soft.answer()?;
    desk.established()?;
    desk.hears(2500, Duration::from_secs(15))?;
    desk.hangup()?;
    soft.ended()?;
    demand("the desk phone hears linphone again", &site.voice("2004"), &desk.heard()?, 1500, 60)?;
    let facts = floor.appliance.all_ended(2)?;
    ensure!(facts.iter().filter(|fact| fact.kind == "Connected").count() == 2, "{facts:#?}");
    soft.stop()?;
    floor.close(vec![desk], 2).map(|_| ())
}
