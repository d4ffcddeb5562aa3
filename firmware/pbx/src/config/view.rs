//! A typed configuration seen through the schema: every section and leaf with its value, in canonical order. Printing and
//! the checks between parts walk this; so does whatever shows a configuration later.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Config;
use super::schema::{Block, Section, SectionKey, Sectioned};
use super::value::{Kind, Value};

/// One section.
pub(super) struct BlockView {
    pub block: &'static Block,
    /// As in the typed configuration; none where the section exists once.
    pub key: Option<String>,
    pub leaves: Vec<LeafView>,
    pub inner: Vec<BlockView>,
}

/// One leaf.
pub(super) struct LeafView {
    pub name: &'static str,
    pub kind: Kind,
    pub value: Value,
    /// It differs from its default, or has none.
    pub written: bool,
}

/// All sections of a configuration.
pub(super) fn view(config: &Config) -> Vec<BlockView> {
    let viewer = Viewer { config };
    let mut out = Vec::new();
    out.extend(viewer.section(Section::System, None, &config.system));
    out.extend(viewer.section(Section::Sip, None, &config.sip));
    out.extend(viewer.section(Section::Media, None, &config.media));
    out.extend(viewer.section(Section::Routing, None, &config.routing));
    out.extend(viewer.section(Section::Chassis, None, &config.chassis));
    out.extend(viewer.section(Section::Network, None, &config.network));
    viewer.all(&mut out, Section::User, &config.users);
    viewer.all(&mut out, Section::Alarm, &config.alarms);
    viewer.cards(&mut out);
    viewer.all(&mut out, Section::Extension, &config.extensions);
    viewer.all(&mut out, Section::Calendar, &config.calendars);
    viewer.all(&mut out, Section::Skill, &config.skills);
    viewer.all(&mut out, Section::Agent, &config.agents);
    for (name, queue) in &config.queues {
        let Some(mut block) = viewer.section(Section::Queue, Some(name), queue) else { continue };
        viewer.all(&mut block.inner, Section::Wanted, &queue.skills);
        viewer.all(&mut block.inner, Section::Relax, &queue.relax);
        viewer.all(&mut block.inner, Section::Overflow, &queue.overflow);
        viewer.all(&mut block.inner, Section::Exit, &queue.exits);
        out.push(block);
    }
    for (name, menu) in &config.menus {
        let Some(mut block) = viewer.section(Section::Menu, Some(name), menu) else { continue };
        viewer.all(&mut block.inner, Section::Key, &menu.keys);
        block.inner.extend(viewer.section(Section::Otherwise, None, &menu.otherwise));
        out.push(block);
    }
    viewer.all(&mut out, Section::Trunk, &config.trunks);
    viewer.all(&mut out, Section::Route, &config.routes);
    viewer.all(&mut out, Section::Number, &config.numbers);
    viewer.all(&mut out, Section::Did, &config.dids);
    viewer.all(&mut out, Section::Vip, &config.vips);
    viewer.all(&mut out, Section::Supervisor, &config.supervisors);
    viewer.all(&mut out, Section::Reason, &config.reasons);
    viewer.all(&mut out, Section::Disposition, &config.dispositions);
    out.extend(viewer.section(Section::Codes, None, &config.codes));
    viewer.all(&mut out, Section::Test, &config.tests);
    out
}

struct Viewer<'c> {
    config: &'c Config,
}

impl Viewer<'_> {
    fn section<T: Sectioned>(&self, section: Section, key: Option<&str>, value: &T) -> Option<BlockView> {
        let leaves = T::LEAVES.iter().map(|leaf| {
            let default = leaf.default.value(leaf.kind, key.unwrap_or(""), self.config);
            let value = (leaf.get)(value);
            LeafView { name: leaf.name, kind: leaf.kind, written: default.as_ref() != Some(&value), value }
        });
        let key = key.map(ToString::to_string);
        Some(BlockView { block: Block::of(section)?, key, leaves: leaves.collect(), inner: Vec::new() })
    }

    fn all<K: SectionKey, T: Sectioned>(&self, out: &mut Vec<BlockView>, section: Section, entries: &BTreeMap<K, T>) {
        out.extend(entries.iter().filter_map(|(key, value)| self.section(section, Some(&key.words()), value)));
    }

    fn cards(&self, out: &mut Vec<BlockView>) {
        let mut last = None;
        for (port, line) in &self.config.lines {
            if last != Some(port.card) {
                last = Some(port.card);
                let key = Some(port.card.to_string());
                out.extend(Block::of(Section::Card).map(|block| BlockView {
                    block,
                    key,
                    leaves: Vec::new(),
                    inner: Vec::new(),
                }));
            }
            if let Some(card) = out.last_mut() {
                card.inner.extend(self.section(Section::Port, Some(&port.port.to_string()), line));
            }
        }
    }
}

impl BlockView {
    /// Where it stands, for messages: `menu main key 2`.
    pub fn path(&self, parent: &str) -> String {
        let own = match &self.key {
            Some(key) => format!("{} {key}", self.block.name),
            None => self.block.name.to_string(),
        };
        if parent.is_empty() { own } else { format!("{parent} {own}") }
    }
}
