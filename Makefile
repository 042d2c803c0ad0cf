# Every target makes .venv by itself, from requirements.lock: exact versions, checked by hash.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.made-from-lock

# Every process of demo and tests would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve lint test check long bench faults golden picture lock clean
.DEFAULT_GOAL := help

help: ## show the targets
	@awk -F':.*## ' '/^[a-z.]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv: $(STAMP) ## the environment, from the lock file

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## the whole way once: SQLite, a local mail server, a finished issue
	$(BIN)/newsletter demo

serve: $(STAMP) ## scheduler, dispatcher and web over ./var
	$(BIN)/newsletter init
	$(BIN)/newsletter run

lint: $(STAMP) ## format, ruff, mypy strict, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Decisions take values and now, so nothing excuses a branch that no test has taken.
PURE := newsletter/times.py,newsletter/patterns.py,newsletter/words.py,newsletter/content/entry.py,newsletter/content/matrix.py,$\
newsletter/content/difference.py,newsletter/assembly/*.py,newsletter/compilation/artifact.py,$\
newsletter/compilation/message.py,newsletter/preflight/finding.py,newsletter/preflight/report.py,$\
newsletter/planning/audience.py,newsletter/planning/schedule.py,newsletter/dispatch/outcome.py,$\
newsletter/dispatch/retry.py,subscribers/address.py,subscribers/language.py

test: $(STAMP) ## pytest with branch coverage
	$(BIN)/pytest
	$(BIN)/coverage report --include='$(PURE)' --fail-under=100 --skip-covered

check: lint test ## both

long: $(STAMP) ## what takes longer: many kills, many rows, deep fuzzing
	$(BIN)/pytest -m long --no-cov -n 0
	NEWSLETTER_TESTS_DATABASE=postgresql $(BIN)/pytest --no-cov tests/acceptance tests/faults tests/integration

bench: $(STAMP) ## measured figures
	$(BIN)/pytest -m bench --no-cov -n 0 -s tests/benchmarks

faults: $(STAMP) ## the long form of the fault tests
	$(BIN)/pytest -m faults --no-cov -n 0

golden: $(STAMP) ## write the approved MJML, HTML, text and messages again; review them as a diff
	$(BIN)/pytest --no-cov -n 0 tests/golden --write-golden
	git --no-pager diff --stat -- tests/golden

picture: $(STAMP) ## the README's picture of a compiled edition (needs Chromium)
	$(BIN)/python docs/picture.py docs/edition.png

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --python-version 3.11 --group dev pyproject.toml -o requirements.lock

clean: ## remove what the targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov build dist var
