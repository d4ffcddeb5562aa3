//! The configuration as JSON: what is printed reads back the same; everything that does not fit is told at once, with
//! pointer, line and remedy; no bytes upset it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::config::{self, Language, Problem};
use proptest::prelude::*;

#[path = "../../../tests/fuzz/src/config.rs"]
mod checks;

const DEMO: &str = include_str!("../../../rootfs/share/sites/demo.conf");

/// Leaves that the demo site has not, among them words with blanks.
const MORE: &str = r#"
user alice { role admin; password "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA"; }
network { method static; address 192.168.1.10/24; gateway 192.168.1.1; dns [ 192.168.1.1 fd00::1 ]; vlan 7; }
alarm highway { buzzer no; severity warning; }
chassis { country DE; console-device /dev/ttyS1; console-speed 9600; }
test open { call from 13800138000 to 4001234 at "mon 09:00"; press [ 2 2 ]; agents [ ];
    expect menu main then queue support within 20s; }
"#;

fn site() -> Document {
    Document::parse(&[DEMO, MORE].concat()).unwrap()
}

fn told(text: &str) -> Vec<String> {
    let problems = Document::parse_json(text).unwrap_err();
    let line = |p: &Problem| {
        assert!(!p.render(Language::Zh).is_empty());
        format!(
            "{}:{} {} | {} | {}",
            p.line,
            p.column,
            p.path,
            p.reason.render(Language::En),
            p.remedy.render(Language::En)
        )
    };
    problems.iter().map(line).collect()
}

#[test]
fn a_site_reads_back_from_json_and_means_the_same() {
    let document = site();
    let json = document.print_json(Secrets::Plain);
    let back = Document::parse_json(&json).unwrap();
    assert_eq!(
        (back.compare(&document, Language::En), document.compare(&back, Language::En)),
        (String::new(), String::new())
    );
    assert_eq!(back.print_json(Secrets::Plain), json);
    assert_eq!(config::parse(&back.print(Secrets::Plain)), config::parse(&document.print(Secrets::Plain)));
    // White space and the order of names mean nothing.
    let loose = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&json).unwrap()).unwrap();
    assert_eq!(Document::parse_json(&loose).unwrap(), back);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["test"]["open"]["call"], "from 13800138000 to 4001234 at \"mon 09:00\"");
    assert_eq!(value["network"]["vlan"], 7);
}

#[test]
fn secrets_of_every_sort_are_masked_in_json_and_accepted_back() {
    let stored = site();
    let shown = stored.print_json(Secrets::Masked);
    for secret in ["amber-kite", "583106", "argon2id"] {
        assert!(stored.print_json(Secrets::Plain).contains(secret) && !shown.contains(secret), "{secret}");
    }
    let mut back = Document::parse_json(&shown).unwrap();
    assert_eq!(back.unmask(&stored), Vec::<String>::new());
    assert_eq!(back, Document::parse_json(&stored.print_json(Secrets::Plain)).unwrap());
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let text = r#"{
  "quue": {},
  "system": { "name": 5, "languge": "en-US", "idle-logout-min": "10" },
  "queue": {
    "support": { "wrap-up-s": 900, "agents": ["1001", 1002], "surge-agents": ["1003", "1003"], "record": "yes", "strategy": "ring" },
    "a b": { "skill": { "english": { "level": 11, "level": 2 } } },
    "sales": []
  },
  "relax": null,
  "did": { "400": { "to": "queue", "priority": 1.5 } },
  "extension": { "2001": { "secret": "short" } }
}"#;
    let wanted = [
        "2:3 /quue | unknown section `quue` | write `queue` if that is meant",
        "3:23 /system/name | a number stands here, a text in quotes is needed | give a text of at most 64 characters",
        "3:26 /system/languge | unknown item `languge` | write `language` if that is meant",
        "3:65 /system/idle-logout-min | a text in quotes stands here, a number is needed | give a whole number from 1 to 60",
        "5:31 /queue/support/wrap-up-s | 900 is out of range | give a whole number from 0 to 600",
        "5:55 /queue/support/agents/1 | a number stands here, a text in quotes is needed | give a list of defined agent",
        "5:87 /queue/support/surge-agents/1 | `1003` is listed twice | remove one of them",
        "5:106 /queue/support/record | a text in quotes stands here, true or false is needed | give `yes` or `no`",
        "5:125 /queue/support/strategy | `ring` does not fit | write `ring-all` if that is meant",
        "6:5 /queue/a b | `a b` does not fit | give a name",
        "6:47 /queue/a b/skill/english/level | 11 is out of range | give a whole number from 1 to 10",
        "6:51 /queue/a b/skill/english/level | defined twice (first on line 6) | remove one of them",
        "7:14 /queue/sales | an array stands here, an object is needed | write it as an object",
        "9:3 /relax | unknown section `relax` | remove it; known here: system, ",
        "10:27 /did/400/to | the value is missing | give a destination",
        "10:48 /did/400/priority | `1.5` does not fit | give a whole number from 0 to 10",
        "11:38 /extension/2001/secret | the secret has only 5 characters | give 8 to 64 characters",
    ];
    let found = told(text);
    for (is, want) in found.iter().zip(wanted) {
        assert!(is.starts_with(want), "{is}\n{want}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

#[test]
fn a_text_that_is_no_json_is_told_where_it_ceases_to_be() {
    for (text, wanted) in [
        ("", "1:1  | the text ends too early | give a JSON value"),
        ("{", "1:2  | the text ends too early | give a text in quotes"),
        ("[]", "1:1  | an array stands here, an object is needed | write it as an object"),
        ("{} x", "1:4  | `x` cannot stand here | give nothing more"),
        ("{\n 'a': 1}", "2:2  | `'` cannot stand here | give a text in quotes"),
        ("{\"system\" {}}", "1:11  | `{` cannot stand here | give `:`"),
        ("{\"system\": {} \"sip\": {}}", "1:15  | `\"` cannot stand here | give `,` or `}`"),
        ("{\"system\": {},}", "1:15  | `}` cannot stand here | give a text in quotes"),
        ("{\"system\": tru}", "1:12  | `tru` cannot stand here | give a JSON value"),
        ("{\"system\": -}", "1:13  | `}` cannot stand here | give a number"),
        ("{\"system\": 01}", "1:13  | `1` cannot stand here | give `,` or `}`"),
        ("{\"system\": \"a\n\"}", "1:12  | the quotation is not closed | add"),
        ("{\"system\": \"a\tb\"}", "1:14  | control character U+0009 is not allowed | remove it"),
        ("{\"system\": \"a\\q\"}", "1:14  | this escape means nothing in JSON | use only"),
        ("{\"system\": \"\\ud800x\"}", "1:13  | this escape means nothing in JSON | use only"),
        ("[[[[[[[[[", "1:9  | blocks are nested too deeply | use at most 8 levels"),
    ] {
        let found = told(text);
        assert!(matches!(found.as_slice(), [one] if one.starts_with(wanted)), "{text}: {found:#?}");
    }
}

#[test]
fn escapes_of_json_are_what_they_stand_for() {
    let name = |json: &str| {
        let document = Document::parse_json(&format!("{{\"system\":{{\"name\":\"{json}\"}}}}")).unwrap();
        document.print(Secrets::Plain)
    };
    assert_eq!(name("\\u5ba2\\u670d \\\"A\\\\\\/\\\""), "system {\n    name \"客服 \\\"A\\\\/\\\"\";\n}\n");
    assert_eq!(name("\\ud83d\\ude00"), "system {\n    name \"😀\";\n}\n");
}

#[test]
fn hostile_texts_take_bounded_time() {
    for piece in ["[", "{\"a\":", "\"", "\"a\",", "{\"system\":{},", "9", "\\u", " ", "{}", "é"] {
        let text = piece.repeat((1 << 20) / piece.len());
        assert!(!told(&text).is_empty(), "{piece}");
    }
    let many: Vec<String> = (0..50_000).map(|n| format!("\"x{n}\":1")).collect();
    let problems = Document::parse_json(&format!("{{{}}}", many.join(","))).unwrap_err();
    assert_eq!(problems.len(), 1_001, "bounded, and it says that there are more");
    assert_eq!(told(&" ".repeat((1 << 20) + 1)).len(), 1);
}

#[test]
fn lines_that_cannot_be_done_are_all_told_and_nothing_is_changed() {
    let mut document = site();
    let before = document.clone();
    let lines = "set system name box\n\n# a remark\nset sistem name x\ndelete queue nobody\nfrobnicate\n\
                 set system name \"x\nset queue support wrap-up-s 900\nannotate\nset menu main languages [ ]\n";
    let problems = document.apply_lines(lines).unwrap_err();
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(document, before);
    let lines = document.print_set(Secrets::Plain);
    assert!(lines.contains("\nannotate "), "the demo site has remarks");
    let mut again = Document::default();
    again.apply_lines(&lines).unwrap();
    assert_eq!(again.print_set(Secrets::Plain), lines);
}

fn changed(mut text: Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (place, what, byte) in changes {
        let at = place.index(text.len());
        match what % 4 {
            0 => text[at] = *byte,
            1 => text.insert(at, *byte),
            2 => drop(text.drain(at..(at + usize::from(*byte)).min(text.len()))),
            _ => {
                let piece = text[at..(at + usize::from(*byte)).min(text.len())].to_vec();
                text.splice(at..at, piece);
            }
        }
        if text.is_empty() {
            text.push(b' ');
        }
    }
    text
}

/// Bytes of which both forms are made, so that a change is often still one of them.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"{}[]\":,;#/*\\ \n0123456789aeinst-".to_vec()), any::<u8>()]
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), byte()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(byte(), 0..200)) {
        checks::config_text(&bytes);
        checks::config_json(&bytes);
    }

    #[test]
    fn a_changed_site_is_read(changes in changes()) {
        let text = [DEMO, MORE].concat();
        checks::config_text(&changed(text.into_bytes(), &changes));
        checks::config_json(&changed(site().print_json(Secrets::Plain).into_bytes(), &changes));
    }
}
