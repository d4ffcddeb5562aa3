//! The configuration as a document: what is printed reads back the same in each form, remarks and all; an edit changes
//! what it names and nothing else; no text, line or order of edits upsets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use pbx::config::document::{Document, MASK};
use pbx::config::show::Secrets;
use pbx::config::{self, Language};
use proptest::prelude::*;

const DEMO: &str = include_str!("../../../rootfs/share/sites/demo.conf");

fn read(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(|p| p.render(Language::En)).collect();
        panic!("{}\n{text}", told.join("\n"))
    })
}

/// Words of a console line; quotations are whole words.
fn words(line: &str) -> Vec<String> {
    config::edit::words(line).unwrap()
}

fn apply(document: &mut Document, line: &str) -> Result<(), Box<config::edit::Refused>> {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.split_first().unwrap() {
        (&"set", rest) => document.set(rest),
        (&"delete", rest) => document.delete(rest),
        (&"annotate", rest) => {
            let (text, path) = rest.split_last().unwrap();
            document.annotate(path, text)
        }
        (other, _) => panic!("{other}"),
    }
}

fn by_set_lines(text: &str) -> Document {
    let mut document = Document::default();
    for line in text.lines() {
        apply(&mut document, line).unwrap_or_else(|refused| panic!("{line}: {}", refused.reason.render(Language::En)));
    }
    document
}

#[test]
fn the_demo_site_reads_back_the_same_and_means_the_same() {
    let document = read(DEMO);
    let printed = document.print(Secrets::Plain);
    assert_eq!(read(&printed), document);
    assert_eq!(read(&printed).print(Secrets::Plain), printed);
    assert_eq!(config::parse(&printed).unwrap(), config::parse(DEMO).unwrap());
    let lines = document.print_set(Secrets::Plain);
    assert_eq!(config::parse(&by_set_lines(&lines).print(Secrets::Plain)).unwrap(), config::parse(DEMO).unwrap());
    let json: serde_json::Value = serde_json::from_str(&document.print_json(Secrets::Plain)).unwrap();
    assert_eq!(json["queue"]["support"]["agents"], serde_json::json!(["1001", "1002"]));
    assert_eq!(json["queue"]["support"]["skill"]["service"]["level"], 5);
    assert_eq!(json["sip"]["listen"], "127.0.0.1:5060");
    assert_eq!(json["did"]["4001234"]["to"], "menu main");
    assert_eq!(json["agent"]["1003"]["pin"].as_str().unwrap().len(), 6);
}

#[test]
fn remarks_stay_where_they_were() {
    let text = "# the box\nsystem {  # here\n    # its name\n    name box;  # short\n    # the end\n}\n\n# phones\nextension 2001 {\n    secret amber-kite;\n}\nextension 2002 {\n    secret basalt-reed;\n}\n# nothing follows\n";
    assert_eq!(read(text).print(Secrets::Plain), text);
    let block = read("/* one\n * two */ system { name box; }");
    assert_eq!(block.print(Secrets::Plain), "# one\n# two\nsystem {\n    name box;\n}\n");
    let evil = read("# \u{1b}[2J gone\nsystem { }");
    assert_eq!(evil.print(Secrets::Plain), "# [2J gone\nsystem {\n}\n");
}

#[test]
fn secrets_are_masked_and_accepted_back() {
    let stored = read(DEMO);
    let shown = stored.print(Secrets::Masked);
    assert!(!shown.contains("amber-kite") && !shown.contains("583106"), "{shown}");
    assert!(!stored.print_set(Secrets::Masked).contains("amber-kite"));
    assert!(!stored.print_json(Secrets::Masked).contains("583106"));
    let mut back = read(&shown);
    assert_eq!(back.unmask(&stored), Vec::<String>::new());
    assert_eq!(back, stored);
    let mut other = read("extension 2999 { secret ********; }");
    assert_eq!(other.unmask(&stored), ["extension 2999 secret"]);
    let problems = config::parse(&shown).unwrap_err();
    assert_eq!(problems.first().map(|p| p.reason.key()), Some(pbx::text::problem::SECRET_MASKED));
    let mut edited = stored.clone();
    apply(&mut edited, &format!("set extension 2001 secret {MASK}")).unwrap();
    assert_eq!(edited, stored);
}

#[test]
fn a_list_grows_by_words_and_is_replaced_by_brackets() {
    let mut site = read(DEMO);
    let agents = |site: &Document| {
        let part = site.part(&["queue", "support", "agents"]).unwrap().unwrap();
        part.print_set(Secrets::Plain)
    };
    apply(&mut site, "set queue support agents 1003").unwrap();
    assert_eq!(agents(&site), "set queue support agents [ 1001 1002 1003 ]\n");
    apply(&mut site, "delete queue support agents 1001").unwrap();
    assert_eq!(agents(&site), "set queue support agents [ 1002 1003 ]\n");
    apply(&mut site, "set queue support agents [ 1004 ]").unwrap();
    assert_eq!(agents(&site), "set queue support agents [ 1004 ]\n");
    apply(&mut site, "set agent 1001 skills english:9").unwrap();
    let skills = site.part(&["agent", "1001", "skills"]).unwrap().unwrap().print_set(Secrets::Plain);
    assert_eq!(skills, "set agent 1001 skills [ english:9 service:7 ]\n");
}

#[test]
fn several_leaves_of_a_section_are_set_at_once_or_not_at_all() {
    let mut site = read("queue support { }");
    let support = |site: &Document| site.part(&["queue", "support"]).unwrap().unwrap().print_set(Secrets::Plain);
    apply(&mut site, "set queue support weight 3 title \"Customer service\" agents 1001 1002").unwrap();
    let lines = "set queue support title \"Customer service\"\nset queue support agents [ 1001 1002 ]\n\
                 set queue support weight 3\n";
    assert_eq!(support(&site), lines);
    let words = ["queue", "support", "weight", "4", "ring-timeout-s", "20", "wrap-up-s", "much"];
    let why = site.set(&words).unwrap_err();
    assert_eq!((why.word, support(&site).as_str()), (7, lines), "{why:?}");
    let why = site.set(&["queue", "support", "weight", "4", "frob", "5"]).unwrap_err();
    assert_eq!(why.word, 4, "{why:?}");
    let endless = [&["queue", "support"][..], &["weight", "4"].repeat(100_000)].concat();
    assert!(site.set(&endless).is_err() && site.choices(&endless).is_ok());
    // A list takes all that follows.
    assert!(
        site.set(&["queue", "support", "agents", "1003", "weight", "5"])
            .is_ok_and(|()| support(&site).contains("weight 3"))
    );
    let names = |words: &[&str]| -> Vec<String> {
        site.choices(words).unwrap().into_iter().filter_map(|choice| choice.word).collect()
    };
    let next = names(&["queue", "support", "weight", "4"]);
    assert!(next.contains(&"title".into()) && !next.contains(&"weight".into()) && !next.contains(&"overflow".into()));
    assert_eq!(names(&["queue", "support", "weight", "4", "record"]), ["yes", "no"]);
    for line in ["set extension 2001 name Li secret amber-kite", "set user bob role admin password amberkite"] {
        assert!(pbx::config::edit::tells_secret(line), "{line}");
    }
}

#[test]
fn a_test_is_edited_word_by_word() {
    let mut site = read(DEMO);
    let test = |site: &Document| site.part(&["test", "t"]).unwrap().unwrap().print_set(Secrets::Plain);
    apply(&mut site, "set test t call from 2001 to 4001234 at \"mon 09:00\"").unwrap();
    apply(&mut site, "set test t press 2 2").unwrap();
    apply(&mut site, "set test t press 2").unwrap();
    apply(&mut site, "set test t agents [ 1001 ]").unwrap();
    apply(&mut site, "set test t expect menu main then agent 1001 within 20s").unwrap();
    let lines = "set test t call from 2001 to 4001234 at \"mon 09:00\"\nset test t press [ 2 2 2 ]\n\
                 set test t agents [ 1001 ]\nset test t expect menu main then agent 1001 within 20s\n";
    assert_eq!(test(&site), lines);
    site.rename(&["extension", "2001"], "2101").unwrap();
    site.rename(&["agent", "1001"], "1101").unwrap();
    site.rename(&["menu", "main"], "menu").unwrap();
    let renamed = lines.replace("2001", "2101").replace("1001", "1101").replace("menu main", "menu menu");
    assert_eq!(test(&site), renamed);
    let config = config::parse(&site.print(Secrets::Plain)).unwrap();
    assert_eq!(config.tests["t"].agents, Some(vec!["1101".to_string()]));
    apply(&mut site, "delete test t agents 1101").unwrap();
    assert!(test(&site).contains("set test t agents [ ]\n"), "nobody is not everybody");
    apply(&mut site, "delete test t agents").unwrap();
    assert_eq!(config::parse(&site.print(Secrets::Plain)).unwrap().tests["t"].agents, None);
    let json: serde_json::Value = serde_json::from_str(&site.print_json(Secrets::Plain)).unwrap();
    assert_eq!(json["test"]["t"]["call"], "from 2101 to 4001234 at \"mon 09:00\"");
    assert_eq!(json["test"]["t"]["press"], serde_json::json!(["2", "2", "2"]));
}

#[test]
fn after_each_word_of_a_test_the_next_is_offered() {
    let site = read(DEMO);
    let next = |line: &str| {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let choices = site.choices(&words).unwrap().into_iter();
        choices.map(|choice| choice.word.unwrap_or_else(|| "…".into())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(next("test t"), "call callers-before press agents expect");
    assert_eq!(next("test t call"), "from");
    assert_eq!(next("test t call from"), "2001 2002 2003 2004 2005 2006 …");
    assert!(next("test t call from 2001 to").contains("8000 8001 9000 4001234"));
    assert_eq!(next("test t call from 2001 to 8000"), "at");
    assert_eq!(next("test t call from 2001 to 8000 at"), "…");
    assert!(next("test t expect").starts_with("queue agent menu extension trunk prompt closed"));
    assert_eq!(next("test t expect queue"), "sales support");
    assert_eq!(next("test t expect trunk carrier"), "as within then");
    assert_eq!(next("test t expect queue sales within 20s then agent"), "1001 1002 1003 1004");
}

#[test]
fn what_a_test_names_must_be_there() {
    let text =
        format!("{DEMO}test t {{ call from 2001 to 8000; agents [ 1009 ]; expect queue supprt; expect echo; }}\n");
    let problems = config::parse(&text).unwrap_err();
    let told: Vec<String> = problems.iter().map(|p| p.render(Language::En)).collect();
    assert!(told.iter().any(|told| told.contains("test t agents: agent 1009 does not exist")), "{told:#?}");
    assert!(told.iter().any(|told| told.contains("test t expect: queue supprt does not exist")), "{told:#?}");
    assert!(told.iter().any(|told| told.contains("test t expect: defined twice")), "{told:#?}");
}

#[test]
fn a_refused_edit_names_the_word_and_changes_nothing() {
    let site = read(DEMO);
    for (line, word, reason) in [
        ("set queue support strategi ring-all", 2, "unknown item"),
        ("set queue support strategy fastest", 3, "not possible"),
        ("set queues support", 0, "unknown section"),
        ("set queue", 1, "needs a"),
        ("set queue support wrap-up-s 900", 3, "out of range"),
        ("set queue support agents [ 1001 1001 ]", 5, "twice"),
        ("delete queue billing", 2, "no such"),
        ("delete queue support agents 1004", 4, "no such"),
        ("set extension 2001 secret short", 3, "only"),
    ] {
        let mut edited = site.clone();
        let refused = apply(&mut edited, line).unwrap_err();
        let told = refused.reason.render(Language::En);
        assert_eq!((refused.word, edited == site), (word, true), "{line}: {told}");
        assert!(!told.is_empty() && !refused.remedy.render(Language::Zh).is_empty(), "{line}: {reason}");
    }
}

#[test]
fn a_new_name_is_followed_everywhere() {
    let mut site = read(DEMO);
    site.rename(&["queue", "support"], "help").unwrap();
    site.rename(&["skill", "english"], "en").unwrap();
    site.rename(&["agent", "1001"], "1101").unwrap();
    let text = site.print(Secrets::Plain);
    assert!(!text.contains("queue support") && text.contains("key 2 {\n        to queue help;"), "{text}");
    assert!(text.contains("skills [ en:3 service:7 ]") && text.contains("skill en {\n        level 5;"), "{text}");
    assert!(config::parse(&text).is_ok(), "{text}");
    assert!(site.rename(&["queue", "help"], "sales").is_err());
    site.copy(&["queue", "help"], "second").unwrap();
    assert!(config::parse(&site.print(Secrets::Plain)).is_ok());
}

#[test]
fn what_changed_is_shown_in_its_section() {
    let was = read(DEMO);
    let mut is = was.clone();
    for line in [
        "set queue support strategy ringall",
        "delete queue sales exit 0",
        "set queue sales max-length 30",
        "delete did 4001236",
        "set skill french title French",
    ] {
        // A part that is not there is no matter here.
        let _ = apply(&mut is, line);
    }
    let expected = "\
+    skill french {
+        title French;
+    }
     queue sales {
-        max-length 20;
+        max-length 30;
     }
     queue support {
-        strategy longest-idle;
+        strategy ring-all;
     }
-    did 4001236 {
-        to queue support;
-    }
";
    assert_eq!(is.compare(&was, Language::En), expected);
    assert_eq!(is.compare(&is, Language::En), "");
}

#[test]
fn a_secret_that_changed_is_seen_to_have_changed() {
    let was = read("extension 2001 { secret amber-kite; }");
    let is = read("extension 2001 { secret bold-heron; }\nextension 2002 { secret bold-heron; }");
    let compared = is.compare(&was, Language::En);
    assert!(
        compared.contains("-        secret ********;\n+        secret ********;  # another than before\n"),
        "{compared}"
    );
    assert!(compared.contains("+        secret ********;\n"), "of a new extension: {compared}");
    assert!(is.compare(&was, Language::Zh).contains("# 与之前不同"));
}

#[test]
fn choices_follow_the_words() {
    let site = read(DEMO);
    let offered = |line: &[&str]| -> Vec<String> {
        site.choices(line).unwrap().into_iter().map(|c| c.word.unwrap_or_else(|| "<…>".into())).collect()
    };
    assert!(offered(&[]).contains(&"queue".to_string()));
    assert_eq!(offered(&["queue"]), ["sales", "support", "<…>"]);
    assert!(offered(&["queue", "support"]).contains(&"strategy".to_string()));
    assert!(offered(&["queue", "support", "strategy"]).contains(&"longest-idle".to_string()));
    assert_eq!(offered(&["queue", "support", "agents", "1001"]), ["1002", "1003", "1004", "<…>"]);
    assert_eq!(offered(&["did", "4001234", "to", "queue"]), ["sales", "support"]);
    assert_eq!(offered(&["queue", "support", "record"]), ["yes", "no", "<…>"]);
    assert!(site.choices(&["quue"]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Lines of the demo site, some of them left out, torn or joined, in any order: what is taken reads back the same.
    #[test]
    fn what_is_read_is_printed_and_read_the_same(
        cuts in proptest::collection::vec((0usize..120, 0usize..60, 0u8..4), 0..12),
    ) {
        let mut lines: Vec<String> = DEMO.lines().map(str::to_string).collect();
        for (line, at, what) in cuts {
            let count = lines.len();
            let Some(text) = lines.get_mut(line % count) else { continue };
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(text.len());
            match what {
                0 => text.truncate(at),
                1 => text.insert_str(at, " # remark \"{ ;\n"),
                2 => text.insert(at, '\n'),
                _ => text.clear(),
            }
        }
        if let Ok(document) = Document::parse(&lines.join("\n")) {
            let printed = document.print(Secrets::Plain);
            prop_assert_eq!(&Document::parse(&printed).unwrap(), &document, "{}", printed);
            let again = by_set_lines(&document.print_set(Secrets::Plain));
            prop_assert_eq!(again.compare(&document, Language::En), "");
            prop_assert!(serde_json::from_str::<serde_json::Value>(&document.print_json(Secrets::Masked)).is_ok());
        }
    }

    /// Any bytes as a console line: words or an error, then an edit or a refusal; never a document that cannot be read.
    #[test]
    fn any_line_is_taken_or_refused(line in "(set|delete|annotate) .{0,60}", tail in "[ -~]{0,40}") {
        let mut document = read(DEMO);
        if let Ok(words) = config::edit::words(&format!("{line} {tail}")) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = document.choices(&words);
            let _ = document.set(words.get(1..).unwrap_or_default());
            let _ = document.delete(words.get(1..).unwrap_or_default());
            let _ = document.annotate(&["queue", "support"], &tail);
        }
        prop_assert_eq!(read(&document.print(Secrets::Plain)), document);
    }
}

#[test]
fn the_input_journal_holds_a_configuration_as_its_text() {
    use pbx::door::Input;
    use std::sync::Arc;
    let input = Input::Configured(Arc::new(config::parse(DEMO).unwrap()), 7);
    let bytes = postcard::to_allocvec(&input).unwrap();
    let text = "queue support {";
    assert!(bytes.windows(text.len()).any(|window| window == text.as_bytes()), "readable by a build with other leaves");
    assert_eq!(postcard::from_bytes::<Input>(&bytes).unwrap(), input);
    let cut = postcard::from_bytes::<Input>(bytes.get(..bytes.len() / 2).unwrap());
    assert!(cut.is_err());
}

#[test]
fn no_form_shows_a_secret_of_any_kind() {
    let text = "extension 2001 {\n    secret amber-kite;\n}\n\nagent 1001 {\n    pin 583106;\n}\n\nuser alice {\n    \
        role admin;\n    password \"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g\";\n}\n";
    let document = read(text);
    let forms = [Document::print, Document::print_set, Document::print_json];
    for shown in forms.map(|form| form(&document, Secrets::Masked)) {
        assert_eq!(shown.matches(MASK).count(), 3, "{shown}");
        for secret in ["amber-kite", "583106", "argon2id"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
