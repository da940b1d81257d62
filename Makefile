# `make` prints the targets. Only Python 3.11+ with venv is needed; nothing asks for root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where torch comes from, in place of pip's own index: PyTorch's has builds for the CPU alone, as in
#   make test TORCH_INDEX=<address of PyTorch's CPU index>
TORCH_INDEX ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_TORCH = $(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) $$(grep ^torch== requirements.txt))

.DEFAULT_GOAL := help
.PHONY: help run models neural voices test lint types unit bench fuzz doctor coqui coqui-test cluster cluster-test install-test

help: ## Print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "  TORCH_INDEX=URL after any of them: torch comes from there (PyTorch's own CPU index)"

# A stamp for each list of requirements: an unchanged list is not installed again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Soyle needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: requirements-core.txt | $(BIN)/python
	@echo "Installing the embedded default into $(VENV): about 700 MB, once"
	@$(INSTALL) -r requirements-core.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt requirements-voices.txt requirements-core.txt | $(BIN)/python
	@echo "Installing everything into $(VENV), torch and linters too: about 2 GB, once"
	@$(INSTALL_TORCH)
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/core.stamp

$(VENV)/neural.stamp: requirements.txt requirements-core.txt | $(BIN)/python
	@echo "Installing torch and OpenVINO into $(VENV): about 1.3 GB more, once"
	@$(INSTALL_TORCH)
	@$(INSTALL) -r requirements.txt
	@touch $@ $(VENV)/core.stamp

run: models ## Install the embedded default and start the server
	@$(BIN)/python app.py

# Without them faces are found all the same, only worse: offline, one line says so.
models: $(VENV)/core.stamp ## Bring the networks that find faces, once (35 MB)
	@$(BIN)/python app.py models pull face || true

$(VENV)/voices.stamp: requirements-voices.txt requirements-core.txt | $(BIN)/python
	@$(INSTALL) -r requirements-voices.txt
	@touch $@ $(VENV)/core.stamp

# Silero where torch is, else Piper: each speaks both languages at once.
voices: $(VENV)/voices.stamp ## Bring the recommended voices of Russian and Kazakh
	@if $(BIN)/python -c 'import torch' 2>/dev/null; then $(BIN)/python app.py models pull silero; \
	else $(BIN)/python app.py models pull piper:kk_KZ-issai-high piper:ru_RU-denis-medium; fi

neural: $(VENV)/neural.stamp ## Install what Wav2Lip needs: torch and OpenVINO

test: lint types unit ## Lint, types and all tests

lint: $(VENV)/dev.stamp ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp ## Check types
	$(BIN)/mypy

unit: $(VENV)/dev.stamp models ## Run the tests
	$(BIN)/python -m pytest --durations=20

bench: $(VENV)/dev.stamp ## Measure first frame, cost of a frame, capacity, films, sessions, thin lines, attacks, rude clients, chaos and memory
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.first_frame
	$(BIN)/python -m benchmarks.capacity
	$(BIN)/python -m benchmarks.video
	$(BIN)/python -m benchmarks.slow_viewer
	$(BIN)/python -m benchmarks.attack
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.first_sound
	$(BIN)/python -m benchmarks.conversation
	$(BIN)/python -m benchmarks.live_capacity
	$(BIN)/python -m benchmarks.rude_sessions
	$(BIN)/python -m benchmarks.rude_clients
	$(BIN)/python -m benchmarks.chaos

fuzz: $(VENV)/dev.stamp ## Ask a server 10,000 random things by its OpenAPI document (minutes)
	@$(INSTALL) "schemathesis>=4,<5"
	$(BIN)/python -m benchmarks.fuzz --examples 200 --seed 1

# Coqui's voices run in an environment of their own, with the torch and transformers that they need.
COQUI := integrations/coqui
COQUI_PIP := $(COQUI)/.venv/bin/python -m pip install --quiet --disable-pip-version-check

$(COQUI)/.venv/bin/python: | $(BIN)/python
	@$(BIN)/python -m venv $(COQUI)/.venv

$(COQUI)/.venv/run.stamp: $(COQUI)/requirements.txt | $(COQUI)/.venv/bin/python
	@echo "Installing Coqui's voices into $(COQUI)/.venv: about 1.8 GB, once"
	@$(if $(TORCH_INDEX),$(COQUI_PIP) --index-url $(TORCH_INDEX) $$(grep ^torch== $<))
	@$(COQUI_PIP) -r $<
	@touch $@

$(COQUI)/.venv/test.stamp: $(COQUI)/requirements-test.txt $(COQUI)/.venv/run.stamp
	@$(COQUI_PIP) -r $<
	@touch $@

coqui: $(COQUI)/.venv/run.stamp ## Install what Coqui's voices need: XTTS, VITS, MMS

coqui-test: $(COQUI)/.venv/test.stamp ## Run the tests of Coqui's speech server
	cd $(COQUI) && .venv/bin/python -m pytest --durations=10

# Ray lives in an environment of its own: it pins what others leave open.
CLUSTER := .venv-cluster
CLUSTER_PIP := $(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check

$(CLUSTER)/bin/python: | $(BIN)/python
	@$(BIN)/python -m venv $(CLUSTER)

$(CLUSTER)/run.stamp: requirements-cluster.txt requirements-core.txt | $(CLUSTER)/bin/python
	@echo "Installing the core and Ray into $(CLUSTER): about 1.2 GB, once"
	@$(CLUSTER_PIP) -r $<
	@touch $@

$(CLUSTER)/test.stamp: requirements-cluster-test.txt requirements-voices.txt $(CLUSTER)/run.stamp
	@$(CLUSTER_PIP) -r $<
	@touch $@

cluster: models $(CLUSTER)/run.stamp ## Install Ray and start several replicas behind a web tier
	@$(CLUSTER)/bin/python app.py cluster

cluster-test: $(CLUSTER)/test.stamp ## Run the route tests through a web tier, and a cluster on Ray
	BACK_END=cluster $(CLUSTER)/bin/python -m pytest tests/routes -q
	$(CLUSTER)/bin/python -m pytest tests/cluster --durations=10

doctor: $(VENV)/core.stamp ## Say what this machine has and what is missing
	@$(BIN)/python app.py doctor

install-test: ## Install and run on fresh Debians by the steps of the image (root, debootstrap; minutes)
	$(PYTHON) tests/install/debian.py bookworm trixie
