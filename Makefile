# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help install run test coverage coretest check audit fuzz bench load chaos reference screenshots

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
# The name contains a checksum of the pinned requirements, so only a change of them installs again.
INSTALLED := $(VENV)/installed-$(shell cat requirements/dev.txt | cksum | cut -d ' ' -f 1)

LOAD := $(VENV)/load

PORT ?= 8000
EMAIL_PORT ?= $(shell echo $$(( $(PORT) > 64535 ? $(PORT) - 1000 : $(PORT) + 1000 )))
ADMIN_EMAIL ?= admin@example.edu
SEED ?= 1
# Twice as many as the cores of a small machine, because many tests wait for other processes.
TEST_PROCESSES ?= 4
# Debian's own Python. Patch versions of 3.11 differ, for example in regular expressions.
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

# These override .env: in development, all mails go to a local sink that writes var/mail/*.eml.
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
run: $(INSTALLED) ## Start web, worker and mail sink on PORT (default 8000) until Ctrl-C
	@python -m dev.prepare --port $(PORT)
	@# Ctrl-C is the normal end (status 130), so make must not report an error.
	@trap : INT; honcho --env /dev/null --procfile Procfile.dev start || test $$? -eq 130

# Each of the many processes that the tests start would compile the code again.
test coretest: export PYTHONDONTWRITEBYTECODE =
test: $(INSTALLED) ## Run the tests. With REQUIRE_SERVICES=1, a missing service is a failure
	$(VENV)/bin/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(if $(COVERAGE),--cov)

# The coverage of the code that the test processes themselves run. It takes a third longer.
coverage: COVERAGE := 1
coverage: test ## Run the tests, and fail if they cover less of the branches than pyproject.toml says

# All patch versions of 3.11 can use the same packages, because they share one ABI (cp311).
coretest: $(INSTALLED) ## Run the reading and importing tests on OTHER_PYTHON (default: Debian's 3.11)
	@$(OTHER_PYTHON) -c 'import sys; print("Python", sys.version); sys.exit(sys.version_info[:2] != (3, 11))'
	PYTHONPATH=$(VENV)/lib/python3.11/site-packages $(OTHER_PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -p no:cacheprovider $(CORE_TESTS)

check: $(INSTALLED) ## Check lint, formatting, types, layers and security
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive api consumer shared config
	$(VENV)/bin/python -m dev.vulnerabilities --unless-out-of-reach requirements/base.txt

audit: $(INSTALLED) ## Check pinned packages for known vulnerabilities, and fail without an answer
	$(VENV)/bin/python -m dev.vulnerabilities requirements/dev.txt

fuzz: $(INSTALLED) ## Send the API valid and invalid requests, made from its OpenAPI document, for some minutes
	FUZZ_EXAMPLES=250 $(VENV)/bin/python -m pytest -q tests/api/rest/test_fuzz.py

bench: $(INSTALLED) ## Measure the speed of imports, compared with the bare loading of the same rows
	$(VENV)/bin/python -m benchmarks

load: $(INSTALLED) $(LOAD)/bin/locust ## Measure response times during imports of 1,000,000 rows, for a minute
	$(VENV)/bin/python -m benchmarks.load --locust $(LOAD)/bin/locust

$(LOAD)/bin/locust: requirements/load.txt
	$(PYTHON) -m venv $(LOAD)
	$(LOAD)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<

chaos: $(INSTALLED) ## Run the chaos campaign: kill private processes and servers for six minutes, then check all results
	$(VENV)/bin/python -m chaos --seed $(SEED)

reference: $(INSTALLED) ## Write docs/reference/ again from the code
	DEBUG=1 $(VENV)/bin/python -m dev.reference

screenshots: $(INSTALLED) ## Take the pictures of docs/pages.md again, with Debian's chromium
	$(VENV)/bin/python -m tests.support.screenshots
