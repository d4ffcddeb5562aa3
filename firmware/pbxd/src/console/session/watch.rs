//! What goes on until a key: live views, drawn when they have changed, and echoes, one a second. Each is a look at the core
//! or the records; what is kept of it is the text that was drawn last.

use super::{Answer, Session};
use crate::console::grammar::Act;
use crate::console::keys::Key;
use crate::console::show;
use crate::console::sources::Sources;
use crate::story::layout::{cells, fit};
use pbx::text::console as key;
use std::io::ErrorKind;
use std::net::Ipv4Addr;

/// Echoes of one `ping` without a number, and the most that can be asked for.
const PINGS: u32 = 5;
const PINGS_MAX: u32 = 100;
/// Facts that a live view of the log looks back on.
const LOG_LINES: u64 = 100;
/// To the first cell; the rest of a row goes; all rows below go.
const HOME: &str = "\x1b[H";
const END_OF_ROW: &str = "\x1b[K";
const BELOW: &str = "\x1b[J";

/// What goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Watch {
    /// A live view.
    View {
        /// Which.
        what: Act,
        /// The queue, or the call by its whole identity.
        name: Option<String>,
        /// With whole numbers, which is on record.
        whole: bool,
        /// As it was drawn last.
        shown: String,
    },
    /// Echoes.
    Echoes {
        /// Whom.
        address: Ipv4Addr,
        /// How often still.
        left: u32,
        /// How often until now.
        sent: u32,
        /// How often something was heard.
        heard: u32,
    },
}

impl<S: Sources> Session<S> {
    /// `monitor …`.
    pub(super) fn monitor(&mut self, what: Act, name: Option<&str>) -> Answer {
        let language = self.language();
        let name = match (what, name) {
            (Act::MonitorQueue, Some(name)) => {
                show::queue(&self.glance()?, name, self.say()).map_err(|why| why.render(language))?;
                Some(name.to_string())
            }
            (Act::MonitorCall, Some(wanted)) => Some(self.sources.find_call(wanted, language)?),
            _ => None,
        };
        let command = match what {
            Act::MonitorQueue => "monitor queue",
            Act::MonitorCall => "monitor call",
            Act::MonitorCalls => "monitor calls",
            _ => "monitor log",
        };
        let about = format!("{command} {}", name.as_deref().unwrap_or_default());
        // The wallboard has no numbers to hide.
        let has_numbers = (what, &name) != (Act::MonitorQueue, &None);
        let whole = has_numbers && self.sees_numbers(about.trim_end());
        self.watch = Some(Watch::View { what, name, whole, shown: String::new() });
        self.look_again();
        Ok(String::new())
    }

    /// `ping ADDRESS`, `ping ADDRESS count N`.
    pub(super) fn ping(&mut self, word: &str, count: Option<&str>) -> Answer {
        let address = word.parse().map_err(|_| self.say().text(key::ADDRESS_BAD, &[("word", word)]))?;
        let left = match count {
            None => PINGS,
            Some(word) => {
                let count = word.parse().ok().filter(|count| (1..=PINGS_MAX).contains(count));
                let max = PINGS_MAX.to_string();
                count.ok_or_else(|| self.say().text(key::COUNT_BAD, &[("word", word), ("max", &max)]))?
            }
        };
        self.watch = Some(Watch::Echoes { address, left, sent: 0, heard: 0 });
        self.look_again();
        Ok(String::new())
    }

    /// A second has passed: draws what has changed.
    pub(super) fn look_again(&mut self) {
        match self.watch.take() {
            None => {}
            Some(Watch::View { what, name, whole, shown }) => {
                let whole = whole && self.may_see_numbers();
                let told = self.look_at(what, name.as_deref()).unwrap_or_else(|why| why);
                let text = if whole { told } else { show::hidden(&told) };
                if text != shown {
                    self.draw_view(what, &text, &shown);
                }
                self.watch = Some(Watch::View { what, name, whole, shown: text });
            }
            Some(Watch::Echoes { address, left, sent, heard }) => self.echo(address, left, (sent, heard)),
        }
    }

    fn look_at(&mut self, what: Act, name: Option<&str>) -> Answer {
        let (language, say) = (self.language(), self.say());
        match (what, name) {
            (Act::MonitorQueue, None) => Ok(show::wallboard(&self.glance()?, say)),
            (Act::MonitorQueue, Some(name)) => {
                show::queue(&self.glance()?, name, say).map_err(|why| why.render(language))
            }
            (Act::MonitorCall, Some(call)) => self.sources.ladder(call, language),
            (Act::MonitorCalls, _) => Ok(show::calls(&self.glance()?, say)),
            _ => self.sources.recent(LOG_LINES, language),
        }
    }

    /// In place on a terminal that answers; on any other the lines that were not there before.
    fn draw_view(&mut self, what: Act, text: &str, shown: &str) {
        let Some(rows) = self.screen.rows() else {
            let before: Vec<&str> = shown.lines().collect();
            let new: Vec<&str> = text.lines().filter(|line| !before.contains(line)).collect();
            return self.print(&new.join("\n"));
        };
        let columns = self.screen.columns().saturating_sub(1);
        // Half a fact is none; half a row of a table or of a ladder still stands in its column.
        let lines: Vec<String> = match what {
            Act::MonitorLog => text.lines().flat_map(|line| broken(line, columns)).collect(),
            _ => text.lines().map(|line| fit(line, columns)).collect(),
        };
        // What grows is looked at where it grows, under its heading.
        let heading = usize::from(what == Act::MonitorCall);
        let over = match what {
            Act::MonitorCall | Act::MonitorLog => lines.len().saturating_sub(rows),
            _ => 0,
        };
        let (head, rest) = lines.split_at(heading.min(lines.len()));
        self.out.push_str(HOME);
        for line in head.iter().chain(rest.iter().skip(over)).take(rows) {
            let line = self.screen.shown(line);
            self.out.push_str(&format!("{line}{END_OF_ROW}\r\n"));
        }
        self.out.push_str(BELOW);
    }

    /// One echo, and what came of it.
    fn echo(&mut self, address: Ipv4Addr, left: u32, (sent, heard): (u32, u32)) {
        let (say, shown) = (self.say(), address.to_string());
        let heard_now = self.sources.ping(address);
        let (line, heard) = match &heard_now {
            Ok(took) => {
                let ms = format!("{:.1}", took.as_secs_f64() * 1_000.0);
                (say.text(key::PING_ANSWER, &[("address", &shown), ("ms", &ms)]), heard + 1)
            }
            Err(why) if why.kind() == ErrorKind::TimedOut => {
                (say.text(key::PING_SILENT, &[("address", &shown)]), heard)
            }
            Err(why) if why.kind() == ErrorKind::PermissionDenied => {
                let told = say.plain(key::PING_FORBIDDEN).to_string();
                return self.print(&told);
            }
            Err(why) => (say.text(key::PING_NONE, &[("address", &shown), ("why", &why.to_string())]), heard),
        };
        self.print(&line);
        let (sent, left) = (sent + 1, left.saturating_sub(1));
        if left == 0 {
            return self.echoed(sent, heard);
        }
        self.watch = Some(Watch::Echoes { address, left, sent, heard });
    }

    fn echoed(&mut self, sent: u32, heard: u32) {
        let values = [("sent", sent.to_string()), ("heard", heard.to_string())];
        let told = self.say().text(key::PING_SUM, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
        self.print(&told);
    }

    /// Any key ends what goes on.
    pub(super) fn watched(&mut self, _: Key) -> bool {
        let Some(watch) = self.watch.take() else { return false };
        if let Watch::Echoes { sent, heard, .. } = watch {
            self.echoed(sent, heard);
        }
        self.draw(true);
        true
    }
}

/// A line in rows of so many cells.
fn broken(line: &str, columns: usize) -> Vec<String> {
    let (mut rows, mut used) = (vec![String::new()], 0);
    for c in line.chars().filter(|c| !c.is_control()) {
        if used + cells(c) > columns {
            rows.push(String::new());
            used = 0;
        }
        used += cells(c);
        if let Some(row) = rows.last_mut() {
            row.push(c);
        }
    }
    rows
}
