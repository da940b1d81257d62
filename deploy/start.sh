#!/bin/sh
# Starts the server where AVATAR_DIR may be a volume that is new: the shipped face goes there first.
# With words it passes them to app.py: cluster, doctor, health, models ...
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-cluster}" = cluster ] && [ -n "${AVATAR_DIR:-}" ]; then
    mkdir -p "$AVATAR_DIR"
    if [ -z "$(ls -A "$AVATAR_DIR")" ]; then
        cp -R avatar/aigul "$AVATAR_DIR/"
    fi
fi
exec .venv/bin/python app.py "$@"
