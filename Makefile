# The verbs of the house. `make` alone lists them. Each one sets up what it needs first.

PYTHON ?= python3
RUNS ?= 20
ONLY ?=
UPGRADE ?=

BIN := .venv/bin
PY := $(BIN)/python
PYTEST := $(PY) -m pytest -n 4 --dist worksteal --inline-snapshot=disable
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# Some environments forbid bytecode files; then every process compiles the whole program again before it starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-all strangers lint types fmt bench chaos docs wheel lock clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: ## make .venv with every package pinned; quick when nothing changed (PYTHON=python3.12 picks another Python)
	@PYTHON="$(PYTHON)" sh requirements/install.sh

run: setup ## run the demo campaign; the server stays up
	$(BIN)/callsheet demo --keep

test: lint types strangers ## lint, types and the tests, in minutes
	$(PYTEST) -m "not full"

test-all: lint types strangers ## the same with every long suite at its full count
	$(PYTEST)

strangers: setup ## fetch the other ends that tests talk to (npm packages, Kannel, Asterisk, sipp) into .cache/; quick when they are there
	@$(PY) tests/strangers/install.py

lint: setup ## style, format and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: setup ## mypy, strict
	$(BIN)/mypy

fmt: setup ## format, and mend what can be mended safely
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: strangers ## the benchmarks, each beside its limit in the same run (ONLY=name picks one)
	$(PY) bench $(ONLY)

chaos: setup ## kill the program inside running campaigns and compare the ledgers (RUNS=n)
	$(PY) tests/chaos/campaign.py --runs $(RUNS)

docs: setup ## build the pages into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: setup ## build the wheel into dist/
	$(PY) -m hatchling build -t wheel

lock: setup ## pin the dependencies again (UPGRADE=1 takes newer versions)
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --constraint requirements/dev.lock -o requirements/run.lock

clean: ## remove what the verbs made (not var/, which holds your data)
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist site
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
