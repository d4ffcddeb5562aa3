//! What the panel asks for that takes time, done: on a thread of its own, one thing at a time, so that the display goes on
//! while a configuration is examined and the disk is waited for.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use pbx::commit::Label;
use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::config::{Language, Network};
use pbx::text::{Key, panel as key, problem, text};

use super::job::{ADMIN, Change, Job, Told};
use crate::admin::{Admin, Ask, Refused};
use crate::{password, reach};

/// As the journal and the history name it.
const PANEL: &str = "panel";
/// How long gateway and name server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where it is done.
pub struct Bench {
    admin: Admin,
    /// Of what is being done.
    doing: Option<Receiver<Came>>,
    /// Number of the commit that this panel made and nobody has confirmed yet.
    trial: Option<u64>,
}

/// What came of it, and the commit that must be confirmed.
struct Came {
    told: Told,
    trial: Option<u64>,
}

impl Bench {
    /// With nothing to do.
    pub fn new(admin: Admin) -> Bench {
        Bench { admin, doing: None, trial: None }
    }

    /// The commit that the person at the panel may confirm.
    pub fn trial(&self) -> Option<u64> {
        self.trial
    }

    /// Begins. What it cannot begin is told at once.
    pub fn begin(&mut self, job: Job, language: Language) -> Option<Told> {
        if self.doing.is_some() {
            return Some(Told::Refused(key::STILL_AT_WORK.raw(language).to_string()));
        }
        let (done, doing) = sync_channel(1);
        let admin = self.admin.clone();
        let work = move || {
            // A panel that has gone does not want to know.
            let _ = done.send(perform(&admin, job, language));
        };
        match std::thread::Builder::new().name("panel-work".into()).spawn(work) {
            Ok(_) => {
                self.doing = Some(doing);
                None
            }
            Err(why) => Some(Told::Refused(why.to_string())),
        }
    }

    /// What came of it, once.
    pub fn told(&mut self, language: Language) -> Option<Told> {
        let came = match self.doing.as_ref()?.try_recv() {
            Ok(came) => came,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                Came { told: Told::Refused(key::WORK_FAILED.raw(language).to_string()), trial: self.trial }
            }
        };
        self.doing = None;
        if !matches!(came.told, Told::Refused(_) | Told::Probed(_)) {
            self.trial = came.trial;
        }
        if let Told::Refused(why) = &came.told {
            tracing::warn!("front panel: {why}");
        }
        Some(came.told)
    }
}

fn perform(admin: &Admin, job: Job, language: Language) -> Came {
    let outcome = match job {
        Job::Change(change) => return changed(admin, &change, language),
        Job::Confirm => admin.confirm(PANEL).map(|_| Told::Confirmed),
        Job::Factory => admin.reset_configuration(PANEL, PANEL, language).map(|_| Told::InForce { reverts: false }),
        Job::Erase => admin.erase_all(PANEL).map(|()| Told::Erasing),
        Job::Probe => Ok(Told::Probed(probed(admin, language))),
    };
    Came { told: outcome.unwrap_or_else(|why| Told::Refused(words(&why, language))), trial: None }
}

fn changed(admin: &Admin, change: &Change, language: Language) -> Came {
    match commit(admin, change, language) {
        Ok((number, reverts)) => Came { told: Told::InForce { reverts }, trial: Some(number).filter(|_| reverts) },
        Err(why) => Came { told: Told::Refused(why), trial: None },
    }
}

/// Number of the commit, and whether it must be confirmed.
fn commit(admin: &Admin, change: &Change, language: Language) -> Result<(u64, bool), String> {
    let locked = admin.desks().all().into_iter().find(|editing| editing.exclusive && !change.recovers);
    if let Some(editing) = locked {
        let values = [("who", editing.who.as_str()), ("line", editing.line.as_str())];
        return Err(text(key::CONFIGURATION_LOCKED, language, &values));
    }
    let now = admin.in_force(language)?;
    let mut lines = change.lines.clone();
    if let Some(clear) = &change.password {
        let hash = password::hash(clear)?;
        lines.push(["set", "user", ADMIN, "password", &hash].map(str::to_string).to_vec());
    }
    let site = edited(&now.text, &lines, language)?;
    let comment = change.about.raw(language).to_string();
    let label = Label { author: PANEL.into(), origin: PANEL.into(), comment };
    let confirm_within_min = change.confirm_within_min;
    let done = admin.commit(Ask { base: now.number, text: site, label, confirm_within_min });
    done.map(|done| (done.number, done.reverts_in_s > 0)).map_err(|why| words(&why, language))
}

/// A text with the lines done to it.
fn edited(text: &str, lines: &[Vec<String>], language: Language) -> Result<String, String> {
    let mut document = Document::parse(text).map_err(|problems| listed(&problems, language))?;
    for line in lines {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let outcome = match words.split_first() {
            Some((&"set", rest)) => document.set(rest),
            Some((&"delete", rest)) => match document.delete(rest) {
                Err(why) if why.reason.key() == problem::NOT_WRITTEN => Ok(()),
                outcome => outcome,
            },
            Some(_) | None => Ok(()),
        };
        outcome.map_err(|why| format!("{} {}", why.reason.render(language), why.remedy.render(language)))?;
    }
    Ok(document.print(Secrets::Plain))
}

/// Errors only: a display of three rows.
fn words(why: &Refused, language: Language) -> String {
    match why {
        Refused::Problems(problems) => listed(problems, language),
        Refused::Because(text) => text.render(language),
    }
}

fn listed(problems: &[pbx::config::Problem], language: Language) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == pbx::config::Severity::Error);
    errors.map(|problem| problem.render(language)).collect::<Vec<_>>().join(" ")
}

/// Gateway and name server of the network as it is now.
fn probed(admin: &Admin, language: Language) -> String {
    let network = admin.config().map(|config| config.network.clone());
    let (gateway, server) = (network.as_ref().and_then(written_gateway), network.as_ref().and_then(written_server));
    let gateway = gateway.or_else(|| reach::gateway().map(IpAddr::V4));
    let server = server.or_else(reach::first_name_server);
    let ping = |address| match address {
        IpAddr::V4(address) => reach::ping(address, PATIENCE),
        IpAddr::V6(_) => Err(ErrorKind::Unsupported.into()),
    };
    let lines = [
        answer(key::GATEWAY_ANSWERS, gateway, ping, language),
        answer(key::DNS_ANSWERS, server, |server| reach::name_server(server, PATIENCE), language),
    ];
    lines.join("\n")
}

fn written_gateway(network: &Network) -> Option<IpAddr> {
    network.gateway
}

fn written_server(network: &Network) -> Option<IpAddr> {
    network.dns.first().copied()
}

fn answer(
    what: Key,
    address: Option<IpAddr>,
    ask: impl FnOnce(IpAddr) -> std::io::Result<Duration>,
    language: Language,
) -> String {
    let (shown, outcome) = match address {
        None => (key::NONE.raw(language).to_string(), String::new()),
        Some(address) => {
            let outcome = match ask(address) {
                Ok(time) => text(key::ANSWERED_IN, language, &[("ms", &time.as_millis().max(1).to_string())]),
                Err(why) if why.kind() == ErrorKind::TimedOut => key::NO_ANSWER.raw(language).to_string(),
                Err(why) => why.to_string(),
            };
            (address.to_string(), outcome)
        }
    };
    text(what, language, &[("address", &shown), ("outcome", &outcome)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::job::line;

    const SITE: &str =
        "# ours\nsip {\n    listen 127.0.0.1:5060;\n}\nnetwork {\n    method static;\n    address 10.0.0.2/24;\n}\n";

    #[test]
    fn lines_change_what_they_name_and_nothing_else() {
        let lines = ["set network method dhcp", "delete network address", "delete network gateway"].map(line);
        let text = edited(SITE, &lines, Language::En).unwrap();
        assert!(text.contains("# ours") && text.contains("method dhcp;") && !text.contains("10.0.0.2"), "{text}");
        let why = edited(SITE, &[line("set network vlan 5000")], Language::En).unwrap_err();
        assert!(why.contains("4094"), "{why}");
    }

    #[test]
    fn a_password_is_in_the_text_as_its_hash_only() {
        let hash = password::hash("correct horse").unwrap();
        let lines = [
            line("set user admin role admin"),
            vec!["set".into(), "user".into(), "admin".into(), "password".into(), hash],
        ];
        let text = edited(SITE, &lines, Language::En).unwrap();
        let config = pbx::config::parse(&text).unwrap();
        assert!(password::is("correct horse", &config.users["admin"].password) && !text.contains("correct"));
    }
}
