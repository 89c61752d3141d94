# Everything a developer or CI runs. Needs Python 3.11+ and a shell; the rest is brought along.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
UI := src/sternpost/_ui/index.html
JOBS ?= 2
WHERE = $(if $(HOME_DIR),--home "$(HOME_DIR)") $(if $(PORT),--port $(PORT))

.PHONY: setup ui demo up test unit check fix instrumentations agents bench bench-quick capability docs clean help

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) $(UI) ## Make .venv with everything, and build the web app

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Sternpost needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || { echo "making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null # a .venv that uv made has no pip
	@test -x $(BIN)/uv || { echo "installing uv ..."; $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo "installing what uv.lock names ..."
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --extra server --quiet --inexact --compile-bytecode --python $(BIN)/python
	@touch $@

ui: $(UI) ## Build the web app into src/sternpost/_ui

$(UI): $(STAMP) $(shell find web/src web/index.html web/package.json web/package-lock.json -type f 2>/dev/null)
	@echo "building the web app ..."
	@$(BIN)/python hatch_build.py

demo: setup ## Start Sternpost with a small application running through it; HOME_DIR=DIR PORT=N choose where
	@$(BIN)/sternpost demo $(WHERE)

up: setup ## Start Sternpost; HOME_DIR=DIR PORT=N choose where
	@$(BIN)/sternpost up $(WHERE)

test: setup ## Run every test
	@$(BIN)/python -m tests.support.chromium || true
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup tests

unit: setup ## Run the unit, property and structure tests alone
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup tests/unit tests/property tests/structure

check: setup ## Lint, types, layers, generated files, container
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/reference.py --check
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	@if test -x $(BIN)/hadolint; then $(BIN)/hadolint deploy/Dockerfile; else echo "hadolint has no wheel for this machine; deploy/Dockerfile is checked on others"; fi
	@$(BIN)/python -m tests.support.node npm --prefix web run check
	@$(BIN)/python -m tests.support.node npm --prefix web run --silent generate -- --check

fix: setup ## Format and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

instrumentations: setup ## Run real instrumentations, each in an environment of its own; NAMES="..." chooses, KEEP=DIR keeps what they sent
	@$(BIN)/python -m scripts.instrumentations $(NAMES) $(if $(KEEP),--keep "$(KEEP)")

agents: setup ## Run real coding agents on a task at hosts of every dialect; NAMES="..." chooses, AT=HOST one host, KEEP=DIR keeps what they sent
	@$(BIN)/python -m scripts.agents $(NAMES) $(if $(AT),--at "$(AT)") $(if $(KEEP),--keep "$(KEEP)")

bench: setup ## Measure, and write bench/results
	@$(BIN)/python -m bench

bench-quick: setup ## Compare CPU, start and memory with another commit, as ratios; BASE=REV (the commit before) PAIRS=N
	@$(BIN)/python -m bench.quick --base "$(or $(BASE),HEAD~1)" --pairs $(or $(PAIRS),5)

docs: $(STAMP) ## Generate docs/reference, web/openapi.json and the web app's client
	@$(BIN)/python scripts/reference.py
	@test -d web/node_modules || $(BIN)/python -m tests.support.node npm --prefix web ci --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m tests.support.node npm --prefix web run --silent generate # before the web app is built: it reads the client

capability: setup ## Write a new capability in its full shape; NAME=notes, ONE=note where that is not NAME without its s
	@test -n "$(NAME)" || { echo "say which: make capability NAME=notes"; exit 2; }
	@$(BIN)/python scripts/capability.py $(NAME) $(if $(ONE),--one $(ONE))
	@$(BIN)/ruff format --quiet src tests
	@$(MAKE) --no-print-directory docs

clean: ## Remove what was built
	rm -rf $(VENV) src/sternpost/_ui web/node_modules dist
