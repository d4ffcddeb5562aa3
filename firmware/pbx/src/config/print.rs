//! The canonical text of a configuration: sections in the order of the schema, entries by name, leaves that have their
//! default left out. Reading it again gives the same configuration.

use alloc::string::String;

use super::Config;
use super::value::word;
use super::view::{BlockView, view};

const INDENT: &str = "    ";

/// Typed values to text.
pub fn print(config: &Config) -> String {
    let mut out = String::new();
    for block in view(config) {
        print_block(&block, 0, &mut out);
    }
    out
}

fn print_block(block: &BlockView, depth: usize, out: &mut String) {
    let written = |leaf: &&super::view::LeafView| leaf.written;
    let empty = !block.leaves.iter().any(|leaf| leaf.written) && block.inner.is_empty();
    if empty && block.key.is_none() {
        return;
    }
    indent(depth, out);
    out.push_str(block.block.name);
    if let Some(key) = &block.key {
        out.push(' ');
        out.push_str(&word(key));
    }
    out.push_str(" {\n");
    for leaf in block.leaves.iter().filter(written) {
        indent(depth + 1, out);
        out.push_str(leaf.name);
        out.push(' ');
        out.push_str(&leaf.value.print());
        out.push_str(";\n");
    }
    for inner in &block.inner {
        print_block(inner, depth + 1, out);
    }
    indent(depth, out);
    out.push_str("}\n");
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str(INDENT);
    }
}
