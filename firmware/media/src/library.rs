//! Prompts and music in memory, read from files by the shell.

use std::collections::BTreeMap;
use std::sync::Arc;

/// All audio that the engine can play: 8 kHz linear samples.
#[derive(Clone, Default, Debug)]
pub struct Library {
    prompts: BTreeMap<String, BTreeMap<String, Arc<[i16]>>>,
    music: Option<Arc<[i16]>>,
}

impl Library {
    /// An empty library: every prompt is missing and music is silence.
    pub fn new() -> Library {
        Library::default()
    }

    /// Adds or replaces a prompt; `language` is a BCP 47 tag.
    pub fn insert(&mut self, language: &str, name: &str, samples: Arc<[i16]>) {
        self.prompts.entry(language.to_owned()).or_default().insert(name.to_owned(), samples);
    }

    /// Sets the music on hold.
    pub fn set_music(&mut self, samples: Arc<[i16]>) {
        self.music = Some(samples);
    }

    /// A prompt.
    pub fn prompt(&self, language: &str, name: &str) -> Option<Arc<[i16]>> {
        self.prompts.get(language)?.get(name).cloned()
    }

    /// The music on hold.
    pub fn music(&self) -> Option<Arc<[i16]>> {
        self.music.clone()
    }

    /// How many prompts there are, over all languages.
    pub fn len(&self) -> usize {
        self.prompts.values().map(BTreeMap::len).sum()
    }

    /// Whether there is no prompt.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
