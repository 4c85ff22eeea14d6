PYTHON ?= python3
WORKERS ?= 2
DATA ?= ../shared/data
RUN := .venv/bin/python -m
PIP := $(RUN) pip --disable-pip-version-check --quiet install --require-hashes
TEST := $(RUN) pytest -n $(WORKERS) --dist loadfile
LOCK := .venv/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade) pyproject.toml
SBOM := $(RUN) cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible
AUDIT := $(RUN) pip_audit --strict --require-hashes --disable-pip --progress-spinner off
AXE := 4.14.1
# What may be known of a pinned release and does not concern the service: its id, a reason behind it.
AUDIT_EXCEPTIONS :=

# Many processes start during the tests: compiled files let them start in a third of the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve test check browser fmt clients bench bench-models faults lock audit sbom clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.runtime ## Try it: database, sample data, service and worker, with nothing to set up
	$(RUN) app demo

serve: .venv/.runtime ## Run the service (HEALTH_DATABASE_URL, or a database of its own in .data)
	$(RUN) app serve

test: .venv/.dev ## Run the tests (WORKERS=2 at a time)
	$(TEST)

check: .venv/.dev ## All that must hold before a change lands: format, lint, types, layers, tests
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(TEST)

browser: .venv/.browser ## Run the page in a real Chromium (installs it with apt-get, if need be)
	@command -v chromium > /dev/null || (apt-get update -q && apt-get install -y -q chromium fonts-noto-cjk)
	$(RUN) pytest tests/browser -o python_files='check_*.py'

fmt: .venv/.dev ## Format the code and mend what the linter can mend
	$(RUN) ruff check --fix-only .
	$(RUN) ruff format .

clients: .venv/.dev ## Write the generated parts of the clients anew, after a change of the API
	$(RUN) clients.generation

bench: .venv/.runtime ## Measure the service on this machine (ARGS="--smallest", "--only ingest")
	$(RUN) bench $(ARGS)

bench-models: .venv/.runtime ## Measure the churn models (DATA=folder of the data sets)
	$(RUN) bench models $(DATA)

faults: .venv/.dev ## Break the service in every way and count what is lost (ARGS="--seed 7", "--only api-kills")
	$(RUN) tests.faults $(ARGS)

lock: .venv/.dev ## Pin what pyproject.toml asks for (UPGRADE=1: at the newest releases)
	$(LOCK) --output-file requirements.txt
	$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group browser --constraint requirements-dev.txt --output-file requirements-browser.txt

audit: .venv/.dev ## Ask PyPI for known vulnerabilities of what is pinned (needs its network)
	$(AUDIT) $(AUDIT_EXCEPTIONS:%=--ignore-vuln %) -r requirements.txt
	$(AUDIT) $(AUDIT_EXCEPTIONS:%=--ignore-vuln %) -r requirements-dev.txt
	$(AUDIT) $(AUDIT_EXCEPTIONS:%=--ignore-vuln %) -r requirements-browser.txt

sbom: .venv/.dev ## Write sbom.json: what the service is made of (CycloneDX)
	$(SBOM) --output-file sbom.json requirements.txt

clean: ## Remove the environment, the caches and the data of demo and serve
	rm -rf .venv .data .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist *.egg-info sbom.json
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.runtime: requirements.txt
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	@touch $@

.venv/.browser: requirements-browser.txt .venv/.dev
	$(PIP) -r requirements-browser.txt
	mkdir -p .venv/.axe
	cd .venv/.axe && npm pack --silent axe-core@$(AXE) && tar xzf axe-core-$(AXE).tgz --strip-components 1 package/axe.min.js
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) -r requirements-dev.txt
	@touch $@
