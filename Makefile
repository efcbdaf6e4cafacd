# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help install run test coretest check audit fuzz bench load chaos reference screenshots

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
# Named after the pinned requirements, so that a change of them installs anew and nothing else does.
INSTALLED := $(VENV)/installed-$(shell cat requirements/dev.txt | cksum | cut -d ' ' -f 1)

LOAD := $(VENV)/load

PORT ?= 8000
EMAIL_PORT ?= $(shell echo $$(( $(PORT) > 64535 ? $(PORT) - 1000 : $(PORT) + 1000 )))
ADMIN_EMAIL ?= admin@example.edu
SEED ?= 1
# Tests side by side; more than a machine has cores make those late that look at the clock.
TEST_PROCESSES ?= 2
# Debian's own Python. Patch versions of 3.11 differ, as in how they match regular expressions.
OTHER_PYTHON ?= /usr/bin/python3.11
CORE_TESTS := tests/roll_file tests/importing

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Create .venv and install the pinned requirements

$(INSTALLED):
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	rm -f $(VENV)/installed-*
	touch $@

# Development: mails go to a local sink that writes var/mail/*.eml, whatever .env says.
run: export DEBUG = 1
run: export EMAIL_HOST = 127.0.0.1
run: export EMAIL_USE_TLS = 0
run: export EMAIL_USE_SSL = 0
run: export EMAIL_HOST_USER =
run: export EMAIL_HOST_PASSWORD =
run: export PORT := $(PORT)
run: export PUBLIC_URL := http://127.0.0.1:$(PORT)
run: export EMAIL_PORT := $(EMAIL_PORT)
run: export ADMIN_EMAIL := $(ADMIN_EMAIL)
run: export PYTHONUNBUFFERED = 1
run: export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
run: $(INSTALLED) ## Start web, worker and mail sink on PORT (default 8000); Ctrl-C stops them
	@python -m dev.prepare --port $(PORT)
	@# Ctrl-C is how it ends, which is no error to tell of.
	@trap : INT; honcho --env /dev/null --procfile Procfile.dev start || test $$? -eq 130

test: $(INSTALLED) ## Run the tests; REQUIRE_SERVICES=1 fails where a service is missing
	$(VENV)/bin/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# Packages for one patch version of 3.11 serve them all: the ABI (cp311) is one.
coretest: $(INSTALLED) ## Run the tests of reading and importing on OTHER_PYTHON (default Debian's 3.11)
	@$(OTHER_PYTHON) -c 'import sys; print("Python", sys.version); sys.exit(sys.version_info[:2] != (3, 11))'
	PYTHONPATH=$(VENV)/lib/python3.11/site-packages $(OTHER_PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile -p no:cacheprovider $(CORE_TESTS)

check: $(INSTALLED) ## Lint, formatting, types, layers, security
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive api consumer shared config
	$(VENV)/bin/python -m dev.audit --unless-out-of-reach requirements/base.txt

audit: $(INSTALLED) ## Ask whether a pinned package has a known vulnerability; fails without an answer
	$(VENV)/bin/python -m dev.audit requirements/dev.txt

fuzz: $(INSTALLED) ## Send the API whatever its document allows and forbids, for some minutes
	FUZZ_EXAMPLES=250 $(VENV)/bin/python -m pytest -q tests/api/rest/test_fuzz.py

bench: $(INSTALLED) ## Measure imports, each beside what no importer can beat
	$(VENV)/bin/python -m benchmarks

load: $(INSTALLED) $(LOAD)/bin/locust ## Time answers beside imports of 1,000,000 rows, for a minute
	$(VENV)/bin/python -m benchmarks.load --locust $(LOAD)/bin/locust

$(LOAD)/bin/locust: requirements/load.txt
	$(PYTHON) -m venv $(LOAD)
	$(LOAD)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<

chaos: $(INSTALLED) ## Kill everything for six minutes, on servers of its own, and reckon up
	$(VENV)/bin/python -m chaos --seed $(SEED)

reference: $(INSTALLED) ## Write docs/reference/ anew, from the code
	DEBUG=1 $(VENV)/bin/python -m dev.reference

screenshots: $(INSTALLED) ## Take the pictures of docs/pages.md anew, with Debian's chromium
	$(VENV)/bin/python -m tests.support.screenshots
