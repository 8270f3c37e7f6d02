.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: setup run test browser bench lint format help

.venv/.ready: pyproject.toml uv.lock
	@command -v uv >/dev/null 2>&1 || { python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check uv; }
	@$$(command -v uv || echo .venv/bin/uv) sync --frozen --all-groups --inexact --quiet
	@touch $@

setup: .venv/.ready ## install everything from the lock; leaves .venv/bin/monitor

run: setup ## start the demo town, collect, tag and open the inbox
	@.venv/bin/monitor demo

lint: setup ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: setup ## rewrite to the house style
	.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

test: setup browser ## lint, types and all tests
	@$(MAKE) --no-print-directory lint
	.venv/bin/pytest

browser: # Debian's chromium for the browser tests: installed in CI, elsewhere only looked for
	@command -v chromium >/dev/null || { [ "$$CI" = true ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get -qq update >/dev/null && apt-get -qq install -y chromium >/dev/null 2>&1; } \
	  || echo "no chromium here: the browser tests are skipped (apt-get install chromium)"

bench: setup ## measure speed and memory, print the table, write build/bench.json
	.venv/bin/python -m tests.benchmarks

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10
