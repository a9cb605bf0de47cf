PYTHON ?= python3
BIN := .venv/bin
# The tests of what every node must compute alike; run under a second hash seed.
PURE := $(wildcard tests/kernel tests/learning tests/rules)
# Whole networks have deadlines and run alone; the others, longest first, share the cores.
ALONE := tests/e2e
OTHERS := $(filter-out $(ALONE)/%,$(wildcard tests/*/test_*.py tests/test_*.py))
LONG := $(filter tests/sim/% tests/worker/%,$(OTHERS))
SHARED := --numprocesses=auto --dist=loadfile --no-loadscope-reorder

.PHONY: help setup test lint format demo clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

setup: ## Install everything into .venv; instant the second time
	@$(PYTHON) scripts/setup.py $(if $(DATA_FOLDER),,$(DATA)) $(PEERS)

test: DATA = fashion-mnist # its reader is tested on the real files
test: PEERS = kubo ics23 js grpcurl signer # what talks to IPFS, verifiers and wallets is tested on real ones
test: lint ## Everything CI runs: linters, types, imports, generated files, tests
	PYTHONHASHSEED=1 $(BIN)/pytest -q $(SHARED) $(PURE)
	PYTHONHASHSEED=2 $(BIN)/pytest $(ALONE)
	PYTHONHASHSEED=2 $(BIN)/pytest -q $(SHARED) $(LONG) $(filter-out $(LONG),$(OTHERS))

lint: setup ## The checks that run no test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/gen_proto.py --check
	$(BIN)/python scripts/gen_docs.py --check
	$(BIN)/python scripts/gen_js.py --check

format: setup ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

demo: setup ## A whole job on a local chain; DATA=fashion-mnist, JSON=<file> for the result
	$(BIN)/python -m scripts.demo $(if $(JSON),--json "$(JSON)") \
		$(if $(DATA),--data "$(DATA)") $(if $(DATA_FOLDER),--data-folder "$(DATA_FOLDER)")

clean: ## Remove caches and builds; .venv stays
	rm -rf build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o -name __pycache__ -exec rm -rf {} +
