# Every command of the project. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test browser screenshots faults check bench format requirements clean

# A caller's own environment must not leak into ours.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
COMPILE := $(PY) -m uv pip compile pyproject.toml --quiet --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	--no-header

help: ## List these commands.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## Run the whole product on this machine (PORT=8000); Ctrl-C stops it.
	@.ci/install runtime
	@exec $(PY) manage.py demo

test: ## Run the whole test suite against a database of its own.
	@.ci/install dev
	$(PY) -m pytest -n 3 --dist worksteal

browser: ## Run the tests that use the product in Chromium (installs Debian's, as root).
	@.ci/install dev
	$(PY) -m pytest -p no:xdist -m browser tests/browser

screenshots: ## Take pictures of every page as every role into var/screenshots (PICTURES=--help).
	@.ci/install dev
	$(PY) -m tests.browser.screenshots $(PICTURES)

faults: ## Break everything at length, and prove the books afterwards (PART=name for one).
	@.ci/install dev
	PAYOUTS_TESTS=durable $(PY) -m pytest -p no:xdist -m faults $(if $(PART),-k "$(PART)") tests/faults
	$(if $(PART),,FUZZ_EXAMPLES=300 FUZZ_WALKS=100 $(PY) -m pytest -p no:xdist tests/api_fuzz)

check: ## Run the format, lint, type, migration, deployment and security checks.
	@.ci/install dev
	@.ci/check

bench: ## Measure the product against the database's own limit.
	@.ci/install dev
	$(PY) -m tests.bench

format: ## Format the code and mend what ruff can mend.
	@.ci/install dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

requirements: ## Compile the pinned requirement files anew from pyproject.toml.
	$(COMPILE) --extra dev --output-file config/requirements-dev.txt $(UPGRADE)
	$(COMPILE) --constraint config/requirements-dev.txt --output-file config/requirements.txt

clean: ## Remove what the commands above made, the demo's data included.
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .hypothesis
