//! The console end to end, over the real pseudoterminal of a running box: greeted, asked, answered, a draft compared and
//! checked; garbage, leaving and coming back, hanging up and a killed box do it no harm.

use std::path::Path;
use std::time::Instant;
use tests::ensure;
use tests::peer::floor::Floor;
use tests::peer::site::Site;
use tests::peer::terminal::{LONG, Terminal};
use tests::peer::{At, Outcome};

fn site() -> Site {
    let mut site = Site::new(17).agent("1001", "2001");
    site.extra.push_str("queue sales {\n    agents [ 1001 ];\n}\n");
    site
}

fn link(data: &Path) -> Outcome<std::path::PathBuf> {
    std::fs::read_link(data.join("console")).at("the link to the console")
}

#[test]
fn an_admin_looks_drafts_and_comes_back() -> Outcome {
    let mut floor = Floor::open("console", site())?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("`?` shows what can follow")?;
    terminal.sees("> ")?;

    let said = terminal.ask("show agent", "> ")?;
    ensure!(said.contains("1001") && said.contains("ready") && said.contains("2001"), "show agent: {said}");
    let said = terminal.ask("sh q sales", "> ")?;
    ensure!(said.contains("1001"), "show queue: {said}");
    let said = terminal.ask("show system", "> ")?;
    ensure!(said.contains("configuration commit  1"), "show system: {said}");
    let said = terminal.ask("show phones | match 2004 | count", "> ")?;
    ensure!(said.contains("lines: 1"), "show phones: {said}");
    let said = terminal.ask("show configuration extension 2001 | display set", "> ")?;
    ensure!(said.contains("secret ********") && !said.contains("secret-2001"), "show configuration: {said}");
    // The first rows are on the disk half a second after the start.
    let until = Instant::now() + LONG;
    while !terminal.ask("show state at now", "> ")?.contains("1001") {
        ensure!(Instant::now() < until, "show state never knows the agent");
    }
    let said = terminal.ask("explain call last", "> ")?;
    ensure!(!said.trim().is_empty(), "explain says that there is none");
    terminal.types("show al\t")?;
    terminal.sees("arms ")?;
    terminal.types("\x15show ?")?;
    terminal.sees("the configuration in force")?;
    terminal.types("\x03")?;
    terminal.sees("> ")?;

    // A terminal that tells its size gets the site's language.
    terminal.types("\x0c")?;
    terminal.sees("\x1b[6n")?;
    terminal.types("\x1b[40;100R")?;
    terminal.sees("> ")?;
    let said = terminal.ask("show agent", "> ")?;
    ensure!(said.contains("座席") && said.contains("示闲"), "show agent in Chinese: {said}");

    terminal.ask("configure", "# ")?;
    terminal.ask("set queue sales max-length 30", "# ")?;
    terminal.ask("set did 4001239 to queue nobody", "# ")?;
    let said = terminal.ask("compare", "# ")?;
    ensure!(said.contains("+        max-length 30;"), "compare: {said}");
    let said = terminal.ask("commit check", "# ")?;
    ensure!(said.contains("nobody"), "commit check: {said}");

    // Whoever comes next finds what was left, whatever the cable brought meanwhile.
    terminal.bytes(b"\x00\xff\xfe\x1b[\x1b]junk\x07\xe5\xae\x1b[99999999999999999999999999999999z")?;
    drop(terminal);
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("# ")?;
    let said = terminal.ask("compare", "# ")?;
    ensure!(said.contains("+        max-length 30;"), "the draft is still there: {said}");
    terminal.ask("exit discard", "> ")?;

    let before = link(floor.appliance.data())?;
    terminal.types("exit\r")?;
    terminal.hung_up()?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    ensure!(
        link(floor.appliance.data())?.starts_with("/dev/pts") && before.starts_with("/dev/pts"),
        "a terminal's name"
    );

    floor.appliance.kill9()?;
    terminal.hung_up()?;
    floor.appliance.restart()?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    let said = terminal.ask("show calls", "> ")?;
    ensure!(said.contains("none"), "show calls: {said}");
    floor.close(Vec::new(), 0).map(|_| ())
}
