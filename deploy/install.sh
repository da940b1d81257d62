#!/bin/sh
# Installs Soyle where its files lie: .venv, the networks, compiled Python. Whoever runs the server
# needs no right to write here. The image is made by these steps, and tests/install tries them.
#
#   PYTHON=python3                      at least 3.11, with venv
#   REQUIREMENTS=requirements-core.txt  requirements.txt brings torch and OpenVINO too,
#                                       requirements-cluster.txt ray; several are read in turn
#   TORCH_INDEX=                        where torch comes from, in place of pip's own index
#   MODELS=face                         what `app.py models pull` brings
set -eu
cd "$(dirname "$0")/.."
REQUIREMENTS=${REQUIREMENTS:-requirements-core.txt}

"${PYTHON:-python3}" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
if [ -n "${TORCH_INDEX:-}" ]; then
    pip install --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"
fi
for list in $REQUIREMENTS; do
    pip install -r "$list"
done
for name in ${MODELS:-face}; do
    .venv/bin/python app.py models pull "$name"
done
.venv/bin/python -m compileall -q app_core
