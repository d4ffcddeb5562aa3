//! The tables of how things stand now.

use super::{Answer, RECORDINGS, Session};
use crate::console::grammar::{Act, Said};
use crate::console::show;
use crate::console::sources::Sources;

impl<S: Sources> Session<S> {
    /// The tables of how things stand.
    pub(super) fn table(&mut self, said: &Said) -> Answer {
        let (language, say) = (self.language(), self.say());
        let one = || said.words.first().cloned();
        match said.act {
            Act::ShowQueue => match (self.glance()?, one()) {
                (glance, None) => Ok(show::queues(&glance, say)),
                (glance, Some(name)) => {
                    let told = show::queue(&glance, &name, say).map_err(|why| why.render(language))?;
                    Ok(self.numbers(told, "show queue", &said.words))
                }
            },
            Act::ShowAgent => match (self.glance()?, one()) {
                (glance, None) => Ok(show::agents(&glance, say)),
                (glance, Some(id)) => show::agent(&glance, &id, say).map_err(|why| why.render(language)),
            },
            Act::ShowPhones => Ok(show::phones(&self.glance()?, say)),
            Act::ShowCards => Ok(show::cards(&self.glance()?, say)),
            Act::ShowTrunks => Ok(show::trunks(&self.glance()?, say)),
            Act::ShowRecordings => Ok(show::recordings(&self.sources.recordings(RECORDINGS, language)?, say)),
            _ => Ok(show::alarms(&self.glance()?, say)),
        }
    }
}
