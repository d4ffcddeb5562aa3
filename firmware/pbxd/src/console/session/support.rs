//! Diagnostics in one file, for a technician who is not here: no secret and no whole number of a person is in it. What
//! cannot be had is named as missing: it is asked for when something is wrong.

use super::{Answer, Session};
use crate::console::draft;
use crate::console::show;
use crate::console::sources::Sources;
use pbx::config::show::Secrets;
use pbx::text::console as key;

/// Facts of the journal in it.
const FACTS: u64 = 500;

impl<S: Sources> Session<S> {
    /// `request support bundle PLACE`.
    pub(super) fn bundle(&mut self, place: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        let parts = self.parts();
        let (mut text, mut told) = (String::new(), String::new());
        for (name, part) in parts {
            // No person has a number that is the name of a file or a version.
            let of_people = !["version", "files"].contains(&name);
            let part = part.map(|part| if of_people { show::hidden(&part) } else { part });
            let line = match &part {
                Ok(part) => {
                    let count = part.lines().count().to_string();
                    say.text(key::BUNDLE_PART, &[("name", name), ("count", &count)])
                }
                Err(why) => say.text(key::BUNDLE_WITHOUT, &[("name", name), ("why", why)]),
            };
            text.push_str(&format!("=== {name}\n{}\n", part.as_ref().unwrap_or(&line)));
            told.push_str(&format!("  {line}\n"));
        }
        let path = self.sources.save_support(place, &text, language)?;
        self.audit("support-bundle", place);
        Ok(format!("{told}{}\n", say.text(key::BUNDLED, &[("path", &path)])))
    }

    /// Each with its name, as far as it can be had.
    fn parts(&mut self) -> Vec<(&'static str, Answer)> {
        let (language, say) = (self.language(), self.say());
        let machine = self.sources.machine();
        let stored = self.in_force();
        let commit = stored.as_ref().ok().map(|stored| stored.number);
        let configuration =
            stored.and_then(|stored| draft::read(&stored, language)).map(|document| document.print(Secrets::Masked));
        let mut parts: Vec<(&'static str, Answer)> = vec![("version", Ok(format!("{}\n", machine.version)))];
        match self.glance() {
            Ok(glance) => parts.extend([
                ("system", Ok(show::system(&glance, &machine, commit, say))),
                ("alarms", Ok(show::alarms(&glance, say))),
                ("phones", Ok(show::phones(&glance, say))),
                ("queues", Ok(show::queues(&glance, say))),
                ("agents", Ok(show::agents(&glance, say))),
                ("calls", Ok(show::calls(&glance, say))),
            ]),
            Err(why) => parts.push(("system", Err(why))),
        }
        parts.extend([
            ("commits", self.show_commits()),
            ("configuration", configuration),
            ("facts", self.sources.recent(FACTS, language)),
            ("files", Ok(self.sources.files())),
            ("log", Ok(self.sources.log_tail())),
        ]);
        parts
    }
}
