# Sourced by `run` and `test`: brings Debian packages and a Rust toolchain onto the machine, only where they are missing.
# Asks nothing; says what it does. Works as root or with sudo.

# as_root COMMAND…: runs it with the rights of root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "cordboard: not root and no sudo here. Remedy: run as root once: $*" >&2
        return 1
    fi
}

# need_packages PACKAGE…: installs those that are missing.
need_packages() {
    local missing=() package
    if ! command -v dpkg-query >/dev/null; then
        echo "cordboard: this is no Debian; please see to it that these are installed: $*" >&2
        return 0
    fi
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "cordboard: installing Debian packages: ${missing[*]}"
    local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    if ! as_root "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
        as_root "${quiet[@]}" update
        as_root "${quiet[@]}" install -y --no-install-recommends "${missing[@]}"
    fi
}

# need_rust ROOT: makes sure that `cargo` is at least what the workspace asks for (Debian 12 brings an older one).
need_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$1/Cargo.toml")
    PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    have=$(cargo --version 2>/dev/null | sed 's/^cargo \([0-9.]*\).*/\1/')
    if [ -n "$have" ] && [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ]; then
        return 0
    fi
    echo "cordboard: installing Rust $wanted (found: ${have:-none}) with rustup, for this user only"
    if ! command -v rustup >/dev/null; then
        need_packages curl ca-certificates
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y -q --no-modify-path --profile minimal --default-toolchain "$wanted"
    else
        rustup toolchain install --profile minimal "$wanted"
    fi
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    export PATH RUSTUP_TOOLCHAIN="$wanted"
}
