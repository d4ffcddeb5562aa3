//! The demo as a person starts it, on an address of its own, with the box killed in the middle of the call: an analog
//! line, menu, queue, a real phone, the recording and the story, each measured by the demo itself.

use tests::ensure;
use tests::peer::appliance::built;
use tests::peer::process::run;
use tests::peer::record::Workplace;
use tests::peer::{At, Outcome};

#[test]
fn the_demo_proves_the_main_job_over_a_kill() -> Outcome {
    let place = Workplace::new("demo")?;
    let share = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("rootfs").join("share");
    let demo = share.join("sites/demo.conf");
    let text = std::fs::read_to_string(&demo).at(demo.display())?;
    let text = text.replace("127.0.0.1:5060", "127.20.90.1:15290").replace("20000-20999", "26900-26999");
    ensure!(text.contains("127.20.90.1:15290"), "the demo site listens elsewhere now");
    let site = place.path().join("demo.conf");
    std::fs::write(&site, text).at(site.display())?;
    let (site, data) = (site.display().to_string(), place.path().join("data").display().to_string());
    let told = run(&built("xtask")?, ["demo", "--kill", "--lang", "en", "--config", &site, "--data", &data])?;
    ensure!(told.contains("The demo passed"), "{told}");
    // Nothing is journaled while two people talk, so the last input lies seconds before the kill.
    ensure!(told.contains("away for at most") && !told.contains("at most 0.000 s"), "the story's gap: {told}");
    Ok(())
}
