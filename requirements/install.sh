#!/bin/sh
# Makes .venv from a plain python3: every package at its pinned version, checked against its pinned hash.
#
#   sh requirements/install.sh            from the root of the repository (this is `make setup`)
#   PYTHON=python3.12 sh requirements/install.sh
#
# Does nothing when nothing changed. Package sources come from this machine's own configuration; what the
# installers say is kept in .venv/setup.log, and shown only on failure, without the addresses of the sources.
set -eu

python=${PYTHON:-python3}
venv=.venv
bin=$venv/bin
log=$venv/setup.log
stamp=$venv/setup.stamp
locks="requirements/bootstrap.lock requirements/dev.lock"

say() { printf '%s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }

# What the environment was made from: the locks, the project's description, this script, and the folder (a moved
# environment has wrong paths in its scripts).
fingerprint() {
    # shellcheck disable=SC2086  # two paths of ours, split on purpose
    { cat $locks pyproject.toml requirements/install.sh; pwd; } | cksum
}

# Addresses may carry host names and passwords of the user's package source.
masked() { sed -E -e "s#[A-Za-z+]+://[^[:space:]\"'\`)]+#(package source)#g" -e "s#(host=|resolve )'[^']*'#\1(package source)#g"; }

# Runs a command with its output in the log.
quietly() { "$@" >>"$log" 2>&1; }

failed() {
    grep -v 'is ignored: it is' "$log" | tail -n 25 | masked >&2
    stop "Setup failed: $1. The whole log is in $log."
}

check_python() {
    command -v "$python" >/dev/null 2>&1 || stop "Callsheet needs Python 3.11 or newer, and there is no $python here: apt install python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || stop "Callsheet needs Python 3.11 or newer; $python is $("$python" -c 'import platform; print(platform.python_version())'). Name a newer one: make setup PYTHON=python3.12"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || stop "apt install python3-venv"
}

# A working environment is kept; a broken, half-made or moved one is made again (its scripts name its folder).
make_venv() {
    if grep -qF "$(pwd)/$venv" "$bin/activate" 2>/dev/null &&
        "$bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then return; fi
    check_python
    say "setup: making $venv"
    "$python" -m venv --clear "$venv" || stop "Setup failed: $python could not make $venv."
}

# uv does not read pip's configuration, so pip's own index is handed to it. Never printed.
hand_over_index() {
    if [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then return; fi
    index=${PIP_INDEX_URL:-$("$bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
}

install_by_uv() {
    quietly "$bin/python" -m pip install --quiet --require-hashes -r requirements/bootstrap.lock || return 1
    hand_over_index
    quietly "$bin/uv" pip sync --compile-bytecode --require-hashes --python "$bin/python" requirements/dev.lock || return 1
    # The build backend is in the lock, so nothing unpinned is fetched to build ourselves.
    quietly "$bin/uv" pip install --no-deps --no-build-isolation --python "$bin/python" --editable .
}

install_by_pip() {
    say "setup: uv could not do it, trying pip (slower)"
    quietly "$bin/python" -m pip install --quiet --require-hashes -r requirements/dev.lock || return 1
    quietly "$bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
}

[ -f pyproject.toml ] && [ -f requirements/dev.lock ] || stop "Run this from the root of the repository."
if [ -x "$bin/callsheet" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ] && "$bin/python" -c ''; then exit 0; fi

make_venv
rm -f "$stamp"
: >"$log"
say "setup: installing the pinned packages"
install_by_uv || install_by_pip || failed "the packages could not be installed"
"$bin/python" -c 'import callsheet' || failed "the package does not import"
fingerprint >"$stamp"
say "setup: $bin/callsheet is ready"
