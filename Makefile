# `make run` and `make test` need Python 3.11 or newer and nothing else: each first installs what it needs.

.DEFAULT_GOAL := help
.PHONY: help run test check bench docs install clean
.SUFFIXES:

VENV  := .venv
BENCH := .venv-bench
BIN   := $(VENV)/bin

# The first interpreter on PATH that is new enough; `make PYTHON=/path/to/python3` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$python; break; }; done)

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/.installed ## Install if needed, then serve (make run ARGS="--port 9000")
	$(BIN)/livery serve $(ARGS)

test: $(VENV)/.installed ## Install if needed, then run the whole test suite (make test ARGS="-k merge")
	$(BIN)/pytest -n 2 $(if $(CI),-ra) $(ARGS)

check: $(VENV)/.installed ## Format, lint, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/pytest tests/architecture

bench: $(BENCH)/.installed ## Run the benchmarks; JSON on standard output
	@$(BENCH)/bin/python -m bench $(ARGS)

docs: $(VENV)/.installed ## Check the links of the documentation, regenerate its reference pages
	$(BIN)/python scripts/docs.py

install: $(VENV)/.installed ## Install the locked packages and Livery itself into .venv

clean: ## Remove the environments, caches and build products
	rm -rf $(VENV) $(BENCH) $(VENV).unfinished $(BENCH).unfinished build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find src tests bench scripts docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Installing. `.installed` is written last and holds the folder it was made in; it is believed only as long as
# the interpreter starts and the folder is the same. An installation that was cut short leaves `.unfinished`
# beside the environment, and the next one starts from nothing. Everything is said on standard error.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(call install,$(VENV),requirements.lock)

$(BENCH)/.installed: requirements.lock requirements-bench.lock pyproject.toml
	$(call install,$(BENCH),requirements.lock requirements-bench.lock)

installed_here = $(shell $(1)/bin/python -c pass 2>/dev/null && cat $(1)/.installed 2>/dev/null)
ifneq ($(call installed_here,$(VENV)),$(CURDIR))
.PHONY: $(VENV)/.installed
endif
ifneq ($(call installed_here,$(BENCH)),$(CURDIR))
.PHONY: $(BENCH)/.installed
endif

define install
@exec >&2; set -e; \
say() { echo "make: $$*"; exit 1; }; \
test -n "$(PYTHON)" || say "Livery needs Python 3.11 or newer, and PATH has none (tried python3 and" \
	"python3.11 to python3.14). Install one, or name it: make PYTHON=/path/to/python3"; \
moved() { test -e $(1)/.installed && test "$$(cat $(1)/.installed)" != "$(CURDIR)"; }; \
if test -e $(1).unfinished || moved || ! $(1)/bin/python -m pip --version >/dev/null 2>&1; then \
	echo "Creating $(1) with $(PYTHON)"; \
	touch $(1).unfinished; \
	$(PYTHON) -m venv --clear $(1) || say "$(PYTHON) cannot create a virtual environment: its venv module" \
		"is missing or incomplete (Debian and Ubuntu: apt install python3-venv)."; \
fi; \
touch $(1).unfinished; rm -f $(1)/.installed; \
echo "Installing the packages of $(2) into $(1)"; \
for lock in $(2); do \
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-build-isolation \
		--require-hashes -r $$lock || say "the packages of $$lock could not be installed (pip says why above);" \
		"is the package index reachable from here?"; \
done; \
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-build-isolation \
	--no-deps -e . || say "Livery itself could not be installed (pip says why above)."; \
rm -f $(1).unfinished; \
echo "$(CURDIR)" >$(1)/.installed
endef
