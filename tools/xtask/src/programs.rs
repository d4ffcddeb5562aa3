//! Where the built programs and the shared files are.

use std::path::{Path, PathBuf};

/// A program or library built together with this one: it lies in the same directory.
pub fn built(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| format!("path of this program: {e}"))?;
    let mut dir = own.parent().unwrap_or(Path::new("."));
    if dir.ends_with("deps") {
        dir = dir.parent().unwrap_or(dir);
    }
    let path = dir.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let release = if dir.ends_with("release") { " --release" } else { "" };
    Err(format!("{} is not built; remedy: cargo build --locked{release} --workspace", path.display()))
}

/// `rootfs/share` of the source tree: prompts, demo speech, demo sites.
pub fn share() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rootfs/share")
}

/// The site that `run` starts when no other is named.
pub fn demo_site() -> PathBuf {
    share().join("sites/demo.conf")
}
