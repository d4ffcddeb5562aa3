//! The walls of the house: who may use whom, what the pure rooms may not name, where `unsafe` may stand.

use super::complain;
use super::rust::Source;
use super::tree::Tree;

/// One crate of the house.
struct Room {
    /// Its directory.
    dir: &'static str,
    /// Crates of the house it may use; `None` is all.
    uses: Option<&'static [&'static str]>,
    /// Crates from outside it may use; `None` is all that the workspace lists.
    parts: Option<&'static [&'static str]>,
    /// `#![no_std]`: no socket, clock, file or thread can be named.
    no_std: bool,
}

/// The table of the design, with the crates from outside that were read and found free of effects.
const ROOMS: [Room; 10] = [
    Room { dir: "firmware/base", uses: Some(&[]), parts: Some(&["serde"]), no_std: true },
    Room {
        dir: "firmware/signaling",
        uses: Some(&["base"]),
        parts: Some(&["serde", "sip-header", "sip-uri", "sdp-types", "md-5", "rand_chacha", "rand_core"]),
        no_std: false,
    },
    Room { dir: "firmware/media", uses: Some(&["base"]), parts: Some(&["rtp-rs", "heapless", "nix"]), no_std: false },
    Room {
        dir: "firmware/pbx",
        uses: Some(&["base", "signaling"]),
        parts: Some(&["serde", "rand_chacha", "rand_core", "postcard"]),
        no_std: true,
    },
    Room {
        dir: "firmware/pbxd",
        uses: Some(&["base", "signaling", "media", "pbx", "drivers", "board"]),
        parts: None,
        no_std: false,
    },
    Room { dir: "drivers", uses: Some(&["base"]), parts: Some(&["embedded-hal", "heapless"]), no_std: true },
    Room { dir: "board", uses: Some(&["base", "drivers"]), parts: None, no_std: false },
    Room { dir: "tests/vtdm", uses: Some(&[]), parts: None, no_std: false },
    Room { dir: "tests", uses: None, parts: None, no_std: false },
    Room { dir: "tools/xtask", uses: None, parts: None, no_std: false },
];

/// The crates of the house.
const OURS: [&str; 9] = ["base", "signaling", "media", "pbx", "pbxd", "drivers", "board", "tests", "xtask"];
/// What the deterministic crates may not name: order, numbers and effects that differ from run to run.
const IMPURE: [&str; 12] = [
    "HashMap",
    "HashSet",
    "f32",
    "f64",
    "std::fs",
    "std::thread",
    "std::time",
    "std::env",
    "std::process",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
];
/// Where `unsafe` may stand: the voice path, the plugin of the sound system, the file system under SQLite in tests.
const UNSAFE: [&str; 3] = ["firmware/media/", "tests/vtdm/", "tests/src/power_vfs/"];

/// Appends what breaks a wall.
pub fn check(tree: &Tree, out: &mut Vec<String>) {
    let manifests = tree.texts.iter().filter(|text| text.path.ends_with("/Cargo.toml"));
    for manifest in manifests {
        let dir = manifest.path.trim_end_matches("/Cargo.toml");
        match ROOMS.iter().find(|room| room.dir == dir) {
            Some(room) => dependencies(room, &manifest.path, &manifest.text, out),
            None if dir.ends_with("/fuzz") => {}
            None => {
                let what = "a crate that the design's table does not know; say there why the wall exists";
                complain(out, &manifest.path, 0, "wall", what);
            }
        }
    }
    for source in &tree.sources {
        if let Some(room) = room_of(&source.path) {
            purity(room, source, out);
        }
        unsafety(source, out);
    }
}

/// The room of a source: the longest directory that fits.
fn room_of(path: &str) -> Option<&'static Room> {
    let rooms = ROOMS.iter().filter(|room| path.strip_prefix(room.dir).is_some_and(|rest| rest.starts_with('/')));
    rooms.max_by_key(|room| room.dir.len())
}

fn dependencies(room: &Room, path: &str, text: &str, out: &mut Vec<String>) {
    let mut section = "";
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        if section.rsplit('.').next() != Some("dependencies") {
            continue;
        }
        let end = line.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(line.len());
        let name = &line[..end];
        let ours = OURS.contains(&name);
        let allowed = if ours { room.uses } else { room.parts };
        if !name.is_empty() && allowed.is_some_and(|list| !list.contains(&name)) {
            let what = format!("{} may not use `{name}`; arrows of use only go down", room.dir);
            complain(out, path, number + 1, "wall", &what);
        }
    }
}

fn purity(room: &Room, source: &Source, out: &mut Vec<String>) {
    let root = source.path == format!("{}/src/lib.rs", room.dir);
    if room.no_std && root && !(source.code.contains("#![no_std]") || source.code.contains("not(test), no_std)")) {
        complain(out, &source.path, 1, "no-std", "`#![no_std]` is missing: it is what keeps effects out");
    }
    let pure = (["firmware/signaling", "firmware/pbx"]).contains(&room.dir);
    for (number, line) in source.production() {
        if room.no_std && (has_word(line, "extern crate std") || has_word(line, "std::")) {
            complain(out, &source.path, number + 1, "no-std", "`std` in a room without it");
        }
        if let Some(word) = IMPURE.iter().find(|word| pure && has_word(line, word)) {
            let what = format!("`{word}` in a room whose answers depend on its inputs alone");
            complain(out, &source.path, number + 1, "wall", &what);
        }
    }
}

fn unsafety(source: &Source, out: &mut Vec<String>) {
    if UNSAFE.iter().any(|place| source.path.starts_with(place)) {
        return;
    }
    let found = source.code.lines().enumerate().find(|(_, line)| has_word(line, "unsafe"));
    if let Some((number, _)) = found {
        complain(
            out,
            &source.path,
            number + 1,
            "unsafe",
            "`unsafe` belongs into media and into the two plugins of C libraries alone",
        );
    }
}

/// Whether `word` stands in `line` and is not a part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let after = if word.ends_with(':') { None } else { line[at + word.len()..].chars().next() };
        !part(line[..at].chars().next_back()) && !part(after)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::Text;
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        check(&Tree::of(vec![Text { path: path.into(), text: text.into() }]), &mut out);
        out
    }

    #[test]
    fn a_dependency_upwards_is_refused_and_one_for_tests_is_not() {
        let manifest = "[dependencies]\nbase.workspace = true\npbxd.workspace = true\ntokio = \"1\"\n[dev-dependencies]\npostcard = \"1\"\n";
        let all = complaints("firmware/pbx/Cargo.toml", manifest);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].contains("`pbxd`") && all[1].contains("`tokio`"));
        assert_eq!(complaints("firmware/new/Cargo.toml", manifest).len(), 1);
    }

    #[test]
    fn the_core_may_not_name_the_world() {
        assert!(complaints("firmware/pbx/src/lib.rs", "//! P.\n").concat().contains("no_std"));
        let code =
            "//! P.\n#![no_std]\nuse std::fs;\nlet x: f64;\nlet y = HashMap::new();\n#[cfg(test)]\nextern crate std;\n";
        let all = complaints("firmware/pbx/src/lib.rs", code);
        assert_eq!(all.len(), 4, "{all:#?}");
        assert!(complaints("firmware/pbxd/src/lib.rs", "//! P.\nlet x: f64;\n").is_empty());
    }

    #[test]
    fn unsafe_has_its_places() {
        assert_eq!(complaints("firmware/pbxd/src/a.rs", "//! A.\nunsafe { x() }\n").len(), 1);
        assert!(complaints("firmware/media/src/a.rs", "//! A.\nunsafe { x() }\n").is_empty());
        assert!(complaints("firmware/pbxd/src/lib.rs", "//! A.\n#![deny(unsafe_code)]\n").is_empty());
    }
}
