//! The body of a lamp's NOTIFY: application/dialog-info+xml (RFC 4235 §4) with one dialog, which stands for everything
//! behind the lamp. Always the full state, so that a lost NOTIFY needs no repair. Nothing of this kind is read here.

use super::door::Lamp;

/// Its media type.
pub const CONTENT_TYPE: &str = "application/dialog-info+xml";

/// The document: `entity` is the URI that was subscribed to, `id` names the dialog, `version` counts from 0 within the
/// subscription (RFC 4235 §4.3). A dark lamp is a dialog that is over rather than none: phones keep the old light on an
/// empty list.
pub fn body(entity: &str, id: &str, version: u32, lamp: Lamp) -> Vec<u8> {
    let (direction, state) = match lamp {
        Lamp::Idle => ("", "terminated"),
        Lamp::Ringing => (" direction=\"recipient\"", "early"),
        Lamp::Busy => ("", "confirmed"),
    };
    let (entity, id) = (escaped(entity), escaped(id));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"full\" entity=\"{entity}\">\r\n\
         <dialog id=\"{id}\"{direction}><state>{state}</state></dialog>\r\n\
         </dialog-info>\r\n"
    )
    .into_bytes()
}

/// As an attribute's value; what XML 1.0 §2.2 forbids even as a reference is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\r' | '\n' => escaped.push(' '),
            '\0'..=' ' if c != ' ' => {}
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let text = |lamp| String::from_utf8(body("sip:*451001@site", "*451001", 7, lamp)).unwrap();
        assert_eq!(
            text(Lamp::Ringing),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
             version=\"7\" state=\"full\" entity=\"sip:*451001@site\">\r\n<dialog id=\"*451001\" \
             direction=\"recipient\"><state>early</state></dialog>\r\n</dialog-info>\r\n"
        );
        assert!(text(Lamp::Idle).contains("<dialog id=\"*451001\"><state>terminated</state></dialog>"));
        assert!(text(Lamp::Busy).contains("<dialog id=\"*451001\"><state>confirmed</state></dialog>"));
    }

    #[test]
    fn nothing_leaves_its_attribute() {
        let text = String::from_utf8(body("sip:a&b@c", "\"/><x a='\0\n\u{ffff}客", 0, Lamp::Idle)).unwrap();
        assert!(text.contains("entity=\"sip:a&amp;b@c\""), "{text}");
        assert!(text.contains("<dialog id=\"&quot;/&gt;&lt;x a=&apos; 客\">"), "{text}");
    }
}
