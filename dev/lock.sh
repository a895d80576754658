#!/bin/sh
# Locks the packages that pyproject.toml asks for, with hashes and without any index's address.
# A version that is locked and still fits stays; with --upgrade the newest that fit are chosen.
# The base is what the control image holds, the archive's driver included. Audio follows the base, and dev (with what
# draws reports) follows both, so that one version of a package is used everywhere.
set -eu
cd "$(dirname "$0")/.."

upgrade=
case "${1:-}" in
    "") ;;
    --upgrade) upgrade=--upgrade ;;
    *) echo "error: $1 is no option: there is --upgrade" >&2; exit 64 ;;
esac

[ -x build/lock/bin/pip-compile ] || { .venv/bin/python -m venv build/lock && build/lock/bin/pip install --quiet pip-tools; }
compile() {
    for file; do :; done # the last argument
    echo "Locking $file" >&2
    # shellcheck disable=SC2086 # an option or none
    build/lock/bin/pip-compile --quiet $upgrade --generate-hashes --strip-extras --allow-unsafe \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header pyproject.toml "$@"
}
compile --extra archive --output-file requirements.txt
compile --extra audio --constraint requirements.txt --output-file requirements-audio.txt
compile --extra archive --extra audio --extra report --extra dev --constraint requirements-audio.txt --output-file requirements-dev.txt
