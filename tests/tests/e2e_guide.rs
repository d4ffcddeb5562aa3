//! The administrator's guide, executed: every example of it, in both languages, typed at the console of a box that nobody has
//! set up, with what it says must come. Afterwards real phones and a carrier call through the site that came of it.

use std::path::Path;
use std::time::Duration;
use tests::ensure;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::floor::{Floor, SOON};
use tests::peer::sipp::Scenario;
use tests::peer::site::Site;
use tests::peer::speech::voice;
use tests::peer::terminal::Terminal;
use tests::peer::{At, Outcome, Trouble};

/// From the carrier's call to the ringing phone: a prompt in two languages, a key.
const MENU: Duration = Duration::from_secs(20);
/// Ends a paste.
const CTRL_D: &str = "\x04";

/// A person who follows the guide.
struct Reader<'s> {
    terminal: Terminal,
    site: &'s Site,
}

impl Reader<'_> {
    /// The addresses of the guide are those of this site.
    fn ours(&self, text: &str) -> String {
        let text = text.replace("192.168.1.10:5060", &self.site.sip().to_string());
        let text = text.replace("192.168.1.10", &self.site.box_address().to_string());
        text.replace("203.0.113.5", &self.site.trunk().to_string())
    }

    /// Commands after prompts; what stands below each must come, in that order.
    fn console(&mut self, block: &[&str]) -> Outcome {
        let mut lines = block.iter().copied().peekable();
        while let Some(line) = lines.next() {
            let (prompt, command) = prompted(line).at(line)?;
            let command = self.ours(command);
            // The rest of what stands before it was looked at already.
            self.terminal.types(&format!("{command}\r"))?;
            if (command.as_str(), prompt) == ("exit", '>') {
                // What is said at the end is lost when the line goes at once.
                self.terminal.hung_up()?;
                continue;
            }
            self.terminal.sees(&format!("{command}\r\n"))?;
            if let Some(secret) = lines.peek().and_then(|line| line.strip_prefix("password: ")) {
                lines.next();
                let again = lines.next().and_then(|line| line.strip_prefix("once more: ")).at("once more")?;
                for (asked, typed) in [("word: ", secret), ("more: ", again)] {
                    self.secret(asked, typed)?;
                }
            }
            while let Some(wanted) = lines.next_if(|line| prompted(line).is_none()) {
                self.terminal.sees(wanted.trim()).map_err(|why| Trouble(format!("after `{command}`: {why}")))?;
            }
            if command == "load set terminal" {
                continue;
            }
            self.terminal.sees_any(&["> ", "# "]).map_err(|why| Trouble(format!("after `{command}`: {why}")))?;
        }
        Ok(())
    }

    /// In Chinese the question is another; it ends in a wide colon.
    fn secret(&mut self, asked: &str, typed: &str) -> Outcome {
        self.terminal.sees_any(&[asked, "："])?;
        self.terminal.types(&format!("{typed}\r"))
    }

    fn paste(&mut self, block: &[&str]) -> Outcome {
        for line in block {
            self.terminal.types(&format!("{line}\r"))?;
            self.terminal.sees(&format!("{line}\r\n"))?;
        }
        self.terminal.types(CTRL_D)?;
        self.terminal.sees("# ").map(|_| ())
    }
}

/// `office[queue support]# set weight 3`: the mark of the prompt, and the command.
fn prompted(line: &str) -> Option<(char, &str)> {
    let at = line.find(['>', '#'])?;
    let (prompt, command) = line.split_at(at);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '[' | ']' | ' ' | '-');
    let named = prompt.starts_with(|c: char| c.is_ascii_alphabetic()) && prompt.chars().all(plain);
    let mark = command.chars().next()?;
    named.then(|| Some((mark, command[1..].strip_prefix(' ')?))).flatten()
}

/// Fenced blocks with their kinds.
fn blocks(guide: &str) -> Vec<(&str, Vec<&str>)> {
    let (mut found, mut open): (Vec<(&str, Vec<&str>)>, bool) = (Vec::new(), false);
    for line in guide.lines() {
        match line.strip_prefix("```") {
            Some(kind) if !open => found.push((kind, Vec::new())),
            None if open => {
                if let Some((_, lines)) = found.last_mut() {
                    lines.push(line);
                }
            }
            Some(_) | None => {}
        }
        open ^= line.starts_with("```");
    }
    found
}

fn follow(net: u8, language: &str, chinese: bool) -> Outcome {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("rootfs").join("share/guide");
    let path = share.join(format!("admin.{language}.md"));
    let guide = std::fs::read_to_string(&path).at(path.display())?;
    let mut site = Site::new(net);
    site.unset = true;
    site.secrets(&[("2001", "amber-2001"), ("2002", "basalt-2002"), ("2003", "copper-2003")]);
    let floor = Floor::open(if chinese { "guide-zh" } else { "guide-en" }, site)?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.sees("> ")?;
    if chinese {
        // A terminal that tells its size is spoken to in the site's language.
        terminal.types("\x0c")?;
        terminal.sees("\x1b[6n")?;
        terminal.types("\x1b[250;250R")?;
        terminal.sees("> ")?;
    }
    let mut reader = Reader { terminal, site: &floor.site };
    let (mut commands, mut kinds) = (0, Vec::new());
    for (kind, lines) in blocks(&guide) {
        commands += lines.iter().filter(|line| prompted(line).is_some()).count();
        kinds.push(kind);
        match kind {
            "console" => reader.console(&lines)?,
            "paste" => reader.paste(&lines)?,
            "login" => {
                reader.terminal = Terminal::attach_again(&floor.appliance)?;
                let typed = |line: &str| line.split_once(": ").map(|(_, typed)| typed.to_string()).at("login");
                for (asked, line) in ["login: ", "password: "].into_iter().zip(&lines) {
                    reader.terminal.sees(asked)?;
                    reader.terminal.types(&format!("{}\r", typed(line)?))?;
                }
                reader.terminal.sees("> ")?;
                if chinese {
                    reader.terminal.types("\x0c")?;
                    reader.terminal.sees("\x1b[6n")?;
                    reader.terminal.types("\x1b[250;250R")?;
                    reader.terminal.sees("> ")?;
                }
            }
            other => return Err(Trouble(format!("the guide has a block of kind `{other}`"))),
        }
    }
    ensure!(commands > 60 && kinds.contains(&"paste") && kinds.contains(&"login"), "the guide has shrunk: {commands}");
    call_through(floor)
}

/// The site that came of it: a carrier's caller reaches an agent through menu and queue, two phones call each other.
fn call_through(floor: Floor) -> Outcome {
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let said = voice(1018, 40);
    let carrier = Scenario::new("trunk_call", floor.site.trunk(), floor.site.sip(), "4001234");
    let carrier = carrier.saying(said.clone(), &[(2500, '2')]).start(floor.place.path())?;
    agent.ringing(MENU)?;
    agent.accept()?;
    agent.established()?;
    agent.hears(3000, MENU)?;
    agent.hangup()?;
    carrier.finish(MENU)?;
    demand("the agent hears the carrier", &said, &agent.heard()?, 2000, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.queue == "support" && cdr.destination == "4001234", "{cdr:?}");
    floor.recording_holds(&cdr.recording, &said, &floor.site.voice("2001"), 2000, 400)?;
    agent.stop()?;

    let mut caller = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2003", Transport::Udp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2003")?;
    caller.hears(2500, SOON)?;
    callee.hears(2500, SOON)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    floor.heard_each_other(("2002", &caller), ("2003", &callee), 1500)?;
    floor.close(vec![caller, callee], 2).map(|_| ())
}

#[test]
fn every_example_of_the_guide_does_what_it_says() -> Outcome {
    follow(19, "en-US", false)
}

#[test]
fn every_example_of_the_guide_in_chinese_does_what_it_says() -> Outcome {
    follow(20, "zh-CN", true)
}
