//! The ways of callers as a graph: menus and queues are its nodes, keys, silence and overflow lead from one to the next.
//! Which of them can be taken depends on what is open. It says what `menu.rs`, `queue.rs` and `overflow.rs` do with a
//! caller, and is to be changed together with them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{Calendar, Config, Destination, OverflowKind, Queue};

/// Why a caller goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Cause {
    /// Pressed a key in a menu.
    Key(char),
    /// Pressed nothing, or the wrong key, too often.
    Otherwise,
    /// Pressed a key while waiting.
    Exit(char),
    /// The queue sends the caller on.
    Overflow(OverflowKind),
}

impl Cause {
    /// In the words of the configuration.
    pub fn words(self) -> String {
        match self {
            Cause::Key(key) => format!("key {key}"),
            Cause::Otherwise => "otherwise".into(),
            Cause::Exit(key) => format!("exit {key}"),
            Cause::Overflow(kind) => format!("overflow {}", kind.word()),
        }
    }

    /// Whether the caller need press no key that means something.
    pub fn is_keyless(self) -> bool {
        match self {
            Cause::Key(_) | Cause::Exit(_) => false,
            Cause::Otherwise | Cause::Overflow(_) => true,
        }
    }
}

/// Where a way leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    /// A menu or queue: its index.
    Node(usize),
    /// A phone, or the echo test: an end.
    End,
    /// Hang up.
    Hangup,
}

/// One way out of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub cause: Cause,
    pub to: Place,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sort<'c> {
    /// A menu.
    Menu,
    /// A queue; its calendar's place in the list; whether `join-empty` turns everybody away at all times.
    Queue { queue: &'c Queue, calendar: Option<usize>, always_empty: bool },
}

/// A menu or a queue.
#[derive(Debug)]
pub(super) struct Node<'c> {
    pub name: &'c str,
    pub sort: Sort<'c>,
    pub ways: Vec<Way>,
}

impl Node<'_> {
    /// `menu main`
    pub fn words(&self) -> String {
        match self.sort {
            Sort::Menu => format!("menu {}", self.name),
            Sort::Queue { .. } => format!("queue {}", self.name),
        }
    }

    /// Whether it is a menu.
    pub fn is_menu(&self) -> bool {
        matches!(self.sort, Sort::Menu)
    }

    /// A closed queue.
    pub fn is_closed(&self, open: &[bool]) -> bool {
        match self.sort {
            Sort::Menu => false,
            Sort::Queue { calendar, .. } => calendar.is_some_and(|n| open.get(n) == Some(&false)),
        }
    }

    /// The ways that callers can take when these calendars are open.
    pub fn ways(&self, open: &[bool]) -> impl Iterator<Item = Way> {
        let closed = self.is_closed(open);
        self.ways.iter().copied().filter(move |way| self.happens(way.cause, closed))
    }

    fn happens(&self, cause: Cause, closed: bool) -> bool {
        let (Sort::Queue { queue, always_empty, .. }, Cause::Overflow(_) | Cause::Exit(_)) = (self.sort, cause) else {
            return true;
        };
        if closed {
            return cause == Cause::Overflow(OverflowKind::Closed);
        }
        if always_empty {
            return cause == Cause::Overflow(OverflowKind::Empty);
        }
        match cause {
            Cause::Overflow(OverflowKind::Closed) => false,
            Cause::Overflow(OverflowKind::Wait) => queue.overflow_wait_s > 0,
            Cause::Overflow(OverflowKind::Full) => queue.max_length > 0,
            Cause::Overflow(OverflowKind::Empty) => !queue.join_empty.is_empty() || !queue.leave_empty.is_empty(),
            Cause::Exit(_) | Cause::Key(_) | Cause::Otherwise => true,
        }
    }
}

/// All nodes of a configuration.
#[derive(Debug)]
pub(super) struct Graph<'c> {
    pub nodes: Vec<Node<'c>>,
    /// The calendars of queues.
    pub calendars: Vec<&'c Calendar>,
    menus: BTreeMap<&'c str, usize>,
    queues: BTreeMap<&'c str, usize>,
}

impl<'c> Graph<'c> {
    pub fn of(config: &'c Config) -> Graph<'c> {
        let menus = config.menus.keys().enumerate().map(|(n, name)| (name.as_str(), n)).collect();
        let queues = config.queues.keys().zip(config.menus.len()..).map(|(name, n)| (name.as_str(), n)).collect();
        let used = config.queues.values().filter_map(|queue| queue.calendar.as_deref());
        let used = used.filter_map(|name| config.calendars.get_key_value(name)).collect::<BTreeMap<_, _>>();
        let places: BTreeMap<&str, usize> = used.keys().enumerate().map(|(n, name)| (name.as_str(), n)).collect();
        let mut graph = Graph { nodes: Vec::new(), calendars: used.into_values().collect(), menus, queues };
        for (name, menu) in &config.menus {
            let keys = menu.keys.iter().map(|(key, to)| Way { cause: Cause::Key(*key), to: graph.place(to) });
            let otherwise = Way { cause: Cause::Otherwise, to: graph.place(&menu.otherwise) };
            let ways = keys.chain([otherwise]).collect();
            graph.nodes.push(Node { name, sort: Sort::Menu, ways });
        }
        for (name, queue) in &config.queues {
            let over = queue.overflow.iter().map(|(kind, to)| (Cause::Overflow(*kind), to));
            let exits = queue.exits.iter().map(|(key, to)| (Cause::Exit(*key), to));
            let ways = over.chain(exits).map(|(cause, to)| Way { cause, to: graph.place(to) }).collect();
            let calendar = queue.calendar.as_deref().and_then(|name| places.get(name)).copied();
            let mut members = queue.agents.iter().chain(&queue.surge_agents);
            let always_empty = !queue.join_empty.is_empty() && !members.any(|id| super::staff::can_log_in(config, id));
            graph.nodes.push(Node { name, sort: Sort::Queue { queue, calendar, always_empty }, ways });
        }
        graph
    }

    /// Where a destination is; what does not exist was reported before.
    pub fn place(&self, to: &Destination) -> Place {
        let node = match to {
            Destination::Menu(name) => self.menus.get(name.as_str()),
            Destination::Queue(name) => self.queues.get(name.as_str()),
            Destination::Extension(_) | Destination::Echo => None,
            Destination::Hangup => return Place::Hangup,
        };
        node.map_or(Place::End, |n| Place::Node(*n))
    }

    /// `menu main key 2 to`: the leaf that a way stands in.
    pub fn path(&self, node: usize, cause: Cause) -> String {
        format!("{} {} to", self.words(node), cause.words())
    }

    /// `menu main`
    pub fn words(&self, node: usize) -> String {
        self.nodes.get(node).map_or_else(String::new, Node::words)
    }
}
