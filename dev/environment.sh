#!/bin/sh
# Makes .venv with exactly the locked packages. HOST_PYTHON names the interpreter; else the first that is new enough.
set -eu
cd "$(dirname "$0")/.."
log=build/environment.log

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Runs a command with its output in the log, and says now and then what it does; shows the log's end when it fails.
shown() {
    mkdir -p build
    "$@" >"$log" 2>&1 &
    running=$!
    trap 'kill "$running" 2>/dev/null; exit 130' INT TERM # a shell's background jobs do not hear Ctrl-C
    seconds=0
    while sleep 1 && kill -0 "$running" 2>/dev/null; do
        seconds=$((seconds + 1))
        [ $((seconds % 5)) -eq 2 ] || continue
        said=$(tail -n 1 "$log" | cut -c -100)
        echo "… ${said:-$*} ($seconds s)" >&2
    done
    wait "$running" || { echo "error: \`$*\` failed; the end of $log:" >&2; tail -n 20 "$log" >&2; exit 1; }
    trap - INT TERM
}

for python in ${HOST_PYTHON:-python3 python3.13 python3.12 python3.11}; do
    new_enough "$python" && break
    python=
done
[ -n "$python" ] || { echo "error: Python 3.11 or later is needed: install it, or name one in HOST_PYTHON" >&2; exit 1; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Debian packages: python3-venv" >&2
        [ -n "$(ls /var/lib/apt/lists/*_Packages* 2>/dev/null)" ] || shown apt-get -o DPkg::Lock::Timeout=600 update
        shown env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends python3-venv
    else
        echo "error: $python cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2
        exit 1
    fi
fi

echo "Installing the locked Python packages into .venv" >&2
[ -x .venv/bin/python ] || shown "$python" -m venv .venv
install=".venv/bin/python -m pip install --disable-pip-version-check --progress-bar=off"
# shellcheck disable=SC2086 # several words
shown $install --require-hashes --requirement requirements-dev.txt
# shellcheck disable=SC2086
shown $install --no-deps --no-build-isolation --editable .
touch .venv/.installed
