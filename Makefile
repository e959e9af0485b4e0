# Everything is done in .venv, which every target makes for itself.
PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= config.toml
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: install demo run check test fix bench delivery eval lock help

install: .venv/installed  ## make .venv with the locked versions

demo: install  ## show the whole path on bundled samples: no token, no network
	$(BIN)/python bot.py demo

run: install  ## run the bot with config.toml (CONFIG=PATH for another)
	$(BIN)/python bot.py --config $(CONFIG) run

test: .venv/tested  ## run the tests
	$(BIN)/python -m pytest -n auto --cov --cov-report=
	$(BIN)/python -m coverage report --fail-under=95 --skip-covered --include="$$($(BIN)/python tests/floors.py 0 1)"

check: .venv/tested  ## lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

fix: .venv/tested  ## format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/tested  ## measure speed, side by side with the obvious ways
	$(BIN)/python benchmarks/matching.py
	$(BIN)/python benchmarks/polling.py
	$(BIN)/python benchmarks/scheduling.py

delivery: .venv/tested  ## show that alerts survive kills and faults, and how fast they go (see docs/benchmarks.md)
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/fanout.py
	$(BIN)/python benchmarks/crash.py
	$(BIN)/python benchmarks/chaos.py

eval: .venv/tested  ## score the packs on labelled items (DATA=PATH of the items)
	$(BIN)/python benchmarks/topics.py $(DATA)

lock: .venv/tested  ## write the lock files anew after a change of pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet $(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet $(LOCK) --group dev pyproject.toml -o requirements-dev.lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/tested: requirements-dev.lock .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@
