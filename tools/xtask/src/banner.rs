//! What `run` prints when the box is up: in plain words where it listens, who may register, what to dial, where the
//! data lies and how to stop.

use pbx::config::{Config, Destination, Disposition, Language};
use pbx::text::{start as key, text};
use std::path::Path;

/// The words of one language.
pub fn banner(config: &Config, site: &Path, data: &Path, world: bool, language: Language) -> String {
    let say = |k, values: &[(&str, &str)]| text(k, language, values);
    let (site, data) = (site.display().to_string(), data.display().to_string());
    let address = config.sip.listen.to_string();
    let media = config.media.address.to_string();
    let ports = format!("{}-{}", config.media.rtp_ports.0, config.media.rtp_ports.1);
    let mut lines = vec![say(key::TITLE, &[("version", env!("CARGO_PKG_VERSION")), ("name", &config.system.name)])];
    if world {
        lines.push(say(key::SIMULATED, &[]));
    }
    lines.push(String::new());
    lines.push(say(key::SIP, &[("address", &address)]));
    lines.push(say(key::RTP, &[("address", &media), ("ports", &ports)]));
    if world && !config.lines.is_empty() {
        let names: Vec<String> = config
            .lines
            .iter()
            .map(|(port, line)| format!("{}/{} {} (DID {})", port.card, port.port, line.label, line.did))
            .collect();
        lines.push(say(key::LINES, &[("lines", &names.join(", "))]));
    }
    lines.push(say(key::CONFIG, &[("path", &site)]));
    lines.push(say(key::DATA, &[("path", &data)]));
    lines.push(String::new());
    lines.push(say(key::EXTENSIONS, &[]));
    lines.extend(extensions(config, language));
    lines.push(String::new());
    lines.push(say(key::DIAL, &[]));
    lines.extend(numbers(config, language));
    lines.push(String::new());
    lines.push(say(key::HELP, &[]));
    lines.push(say(key::LOOK, &[]));
    let console = Path::new(&data).join(pbxd::console::port::LINK).display().to_string();
    lines.push(say(key::CONSOLE, &[("path", &console)]));
    lines.push(say(key::STOP, &[]));
    lines.join("\n")
}

fn extensions(config: &Config, language: Language) -> Vec<String> {
    let words = |(extension, values): (&String, &pbx::config::Extension)| {
        let agent =
            config.agents.iter().find(|(_, a)| a.extension.as_ref() == Some(extension)).map(|(id, _)| id.as_str());
        let gaps = [
            ("extension", extension.as_str()),
            ("secret", &values.secret),
            ("name", &values.name),
            ("agent", agent.unwrap_or_default()),
        ];
        let k = if agent.is_some() { key::EXTENSION_OF_AGENT } else { key::EXTENSION };
        text(k, language, &gaps)
    };
    config.extensions.iter().map(words).collect()
}

fn numbers(config: &Config, language: Language) -> Vec<String> {
    let row = |k, number: &str, name: &str| text(k, language, &[("number", number), ("name", name)]);
    let mut rows: Vec<String> =
        config.extensions.iter().map(|(number, e)| row(key::DIAL_EXTENSION, number, &e.name)).collect();
    for (number, to) in &config.numbers {
        rows.push(match to {
            Destination::Extension(name) => row(key::DIAL_EXTENSION, number, name),
            Destination::Queue(name) => row(key::DIAL_QUEUE, number, name),
            Destination::Menu(name) => row(key::DIAL_MENU, number, name),
            Destination::Echo => row(key::DIAL_ECHO, number, ""),
            Destination::Hangup => continue,
        });
    }
    rows.extend(codes(config, language));
    rows
}

/// The feature codes that somebody at this site can use.
fn codes(config: &Config, language: Language) -> Vec<String> {
    let codes = &config.codes;
    let row = |k, number: &str| text(k, language, &[("number", number)]);
    let mut rows = vec![row(key::DIAL_ECHO, &codes.echo)];
    if !config.agents.is_empty() {
        rows.push(row(key::DIAL_AGENT_LOGIN, &codes.agent_login));
        rows.push(row(key::DIAL_AGENT_NOT_READY, &codes.agent_not_ready));
        rows.push(row(key::DIAL_QUEUE_CALLERS, &codes.queue_callers));
        rows.push(row(key::DIAL_WRAP_UP_FINISH, &codes.wrap_up_finish));
        rows.push(row(key::DIAL_WRAP_UP_EXTEND, &codes.wrap_up_extend));
    }
    if !config.dispositions.is_empty() {
        let word = |(code, result): (&u8, &Disposition)| match language {
            Language::Zh => format!("{code} {}", result.zh),
            Language::En => format!("{code} {}", result.en),
        };
        let results = config.dispositions.iter().map(word).collect::<Vec<_>>().join(", ");
        let values = [("number", codes.disposition.as_str()), ("results", results.as_str())];
        rows.push(text(key::DIAL_DISPOSITION, language, &values));
    }
    if !config.supervisors.is_empty() {
        let values = [
            ("listen", codes.listen.as_str()),
            ("whisper", codes.whisper.as_str()),
            ("barge", codes.barge.as_str()),
            ("take", codes.take_over.as_str()),
        ];
        rows.push(text(key::DIAL_MONITOR, language, &values));
        rows.push(row(key::DIAL_PICK, &codes.pick));
        rows.push(row(key::DIAL_MOVE, &codes.move_caller));
        rows.push(row(key::DIAL_PRIORITISE, &codes.re_prioritise));
        rows.push(row(key::DIAL_FORCE, &codes.force_state));
        rows.push(row(key::DIAL_SURGE, &codes.surge));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads the banner learns every code of the site, and every command to look with.
    #[test]
    fn every_code_and_command_is_named_in_both_languages() {
        let site = include_str!("../../../rootfs/share/sites/demo.conf");
        let config = pbx::config::parse(site).unwrap();
        for language in [Language::En, Language::Zh] {
            let text = banner(&config, Path::new("site"), Path::new("data"), true, language);
            let codes = serde_json::to_value(&config.codes).unwrap();
            for (name, code) in codes.as_object().unwrap() {
                assert!(text.contains(code.as_str().unwrap()), "{name} is missing in\n{text}");
            }
            for command in ["explain last", "state now", "replay", "simulate", "demo", "world ring 1", "console", "3 "]
            {
                assert!(text.contains(command), "{command} is missing in\n{text}");
            }
            assert!(!text.contains('{'), "a gap was not filled:\n{text}");
        }
        let plain = pbx::config::parse("sip { listen 127.0.0.1:5060; }").unwrap();
        let text = banner(&plain, Path::new("site"), Path::new("data"), false, Language::En);
        assert!(!text.contains("supervisor") && !text.contains("agent"), "{text}");
    }
}
