# Everything a person does with this repository. `make run` and `make test` need Python 3.11+ and nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock requirements-uv.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "screener needs Python 3.11 to 3.13; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode -r requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --compile-bytecode -e .
	touch $@

.PHONY: install
install: $(VENV)/.installed  ## Make .venv with everything, from the hashed lock

.PHONY: run
run: install  ## Run the whole pipeline and print the risk table
	$(BIN)/screener run

.PHONY: serve
serve: install  ## Open the dashboard and API on this machine
	$(BIN)/screener serve --port $(PORT)

.PHONY: test
test: install  ## Run the tests that need no server and no network
	$(BIN)/pytest

.PHONY: test-servers
test-servers: install  ## Run the tests against real servers: databases, Airflow, Chromium, Bluesky, WordPress and more
	sh tests/servers/install.sh
	$(BIN)/python tests/servers/with_postgres.py $(BIN)/pytest -m servers -o addopts= -q --strict-markers

.PHONY: test-train
test-train: install  ## Install PyTorch and train tiny models for real
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet torch==2.13.0
	$(BIN)/pytest tests/training -m training -o addopts= -q --strict-markers

.PHONY: check
check: install  ## Format, lint, types, import contracts, config
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/screener config check

.PHONY: bench
bench: install  ## Measure speed and memory against named alternatives, on POSTS=file.jsonl or the demonstration posts
	$(BIN)/python tests/bench/bench.py $(POSTS)
	$(BIN)/python tests/bench/collecting.py

.PHONY: lock
lock: install  ## Renew requirements.lock from pyproject.toml
	$(BIN)/uv lock
	$(BIN)/uv export --frozen --all-extras --no-extra finetune --group dev --no-emit-project --no-header --quiet --output-file requirements.lock

AIRFLOW_PORT ?= 8080

.PHONY: airflow
airflow: install  ## Run Airflow with the DAGs on this machine, to try them (Ctrl-C stops it)
	$(BIN)/python dags/_standalone.py --port $(AIRFLOW_PORT)
