# The commands of Anban. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_VERSION := 0.13.9
JOBS ?= 2
PYTEST = $(PY) -m pytest
BOTH := tests/base tests/contexts tests/api tests/reliability tests/lake/test_snapshot.py
LOCK = $(UV) pip compile pyproject.toml - --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links --quiet

# uv must use the environment built here and nothing else on the machine.
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PYTHONUTF8 := 1
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup setup-dev system up test soak check bench fmt messages openapi migrations roles mutate lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(PY):
	@for candidate in python3 python3.13 python3.12 python3.11; do
		if command -v $$candidate >/dev/null 2>&1 && \
			$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$candidate; break; fi
	done
	if [ -z "$${python:-}" ]; then
		echo "Anban needs Python 3.11 or newer as python3. On Debian 12: apt-get install python3 python3-venv" >&2; exit 1
	fi
	if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then
		tools/system-packages python3-venv
	fi
	echo "Building $(VENV) with $$($$python --version) …"
	rm -rf $(VENV)
	$$python -m venv $(VENV)
	# uv sits inside the environment; nothing is installed globally.
	$(VENV)/bin/pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" </dev/null

# A developer's environment is kept when only `setup` is asked for again.
$(VENV)/setup.stamp: requirements.lock pyproject.toml | $(PY)
	@lock=requirements.lock; [ -e $(VENV)/setup-dev.stamp ] && lock=requirements-dev.lock
	$(UV) pip sync --quiet --require-hashes $$lock </dev/null
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable . </dev/null
	touch $@
	[ $$lock = requirements.lock ] || touch $(VENV)/setup-dev.stamp

$(VENV)/setup-dev.stamp: requirements-dev.lock pyproject.toml | $(PY)
	@$(UV) pip sync --quiet --require-hashes requirements-dev.lock </dev/null
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable . </dev/null
	touch $(VENV)/setup.stamp $@

setup: $(VENV)/setup.stamp ## build .venv with the pinned packages and .venv/bin/anban

system:
	@tools/system-packages postgresql chromium fonts-noto-cjk java-runtime

setup-dev: $(VENV)/setup-dev.stamp system ## the same with the developer's tools, PostgreSQL and Chromium

up: setup ## start Anban here: create everything, load the city, print address and sign-in
	@exec $(VENV)/bin/anban up

test: setup-dev ## every check and test, on SQLite and on PostgreSQL
	@status=0
	$(MAKE) check || status=1
	echo "== tests on SQLite"
	$(PYTEST) -n $(JOBS) --dist worksteal --durations=15 || status=1
	echo "== tests on PostgreSQL"
	$(PYTEST) -n $(JOBS) --dist worksteal --durations=15 --database=postgresql $(BOTH) || status=1
	[ $$status = 0 ] || echo "make test: something above failed" >&2
	exit $$status

soak: setup-dev ## the reliability tests with their full counts, on both databases
	@status=0
	$(PYTEST) --soak --durations=15 tests/reliability tests/lake/test_warning.py || status=1
	$(PYTEST) --soak --durable --durations=15 --database=postgresql tests/reliability || status=1
	exit $$status

check: setup-dev ## format, lint, types, imports, texts, migrations, OpenAPI: nothing is changed
	@status=0
	try() { echo "-- $$1"; shift; "$$@" || { status=1; echo "   failed: $$*" >&2; }; }
	try "format" $(VENV)/bin/ruff format --check --quiet .
	try "lint" $(VENV)/bin/ruff check --quiet .
	try "types" $(VENV)/bin/mypy --no-error-summary
	try "imports" $(VENV)/bin/lint-imports --no-logo
	try "texts" $(PY) tools/messages.py --check
	try "migrations" $(PY) tools/made.py migrations --check
	try "OpenAPI" $(PY) tools/made.py openapi --check
	try "rules" $(PY) tools/made.py rules --check
	exit $$status

fmt: setup-dev ## format the code and mend what can be mended by machine
	@$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

messages: setup-dev ## merge and compile the English texts
	@$(PY) tools/messages.py

openapi: setup-dev ## write the committed OpenAPI document
	@$(PY) tools/made.py openapi

migrations: setup-dev ## write the migrations that the models ask for
	@$(PY) tools/made.py migrations

roles: setup-dev ## print who may open which page
	@$(PY) tools/made.py roles --check

bench: setup-dev ## the benchmarks (docs/benchmarks.md says what they mean)
	@$(PY) -m bench

mutate: setup-dev ## plant faults in the pure rules and count those that no test catches
	@$(PY) tools/mutate.py

lock: setup-dev ## pin the newest allowed packages again
	@echo 'setuptools>=77' | $(LOCK) --upgrade --output-file requirements.lock
	echo 'setuptools>=77' | $(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove the environment and caches, never the data in .anban
	@rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
