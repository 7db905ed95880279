# Two commands on a fresh machine with Python 3.11 or later: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test format bench lock clean

run: $(VENV)/run.stamp  ## with a provider key in the environment: real traffic; without: the demo
	@if [ -n "$$OPENAI_API_KEY$$ANTHROPIC_API_KEY" ]; then exec $(BIN)/farthing serve; else exec $(BIN)/farthing demo; fi

test: $(VENV)/dev.stamp  ## everything that CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	@scripts/chromium || true
	$(BIN)/pytest -n 2

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp  ## pass-through beside its peers, installed into environments of their own
	$(BIN)/python benchmarks/gateway.py --json benchmarks/results/gateway.json --plot benchmarks/results/gateway.svg
	$(BIN)/python benchmarks/ledger.py --json benchmarks/results/ledger.json

lock: $(VENV)/dev.stamp  ## choose the newest versions again
	$(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header -o requirements.lock --upgrade
	$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header -o requirements-dev.lock --upgrade

$(VENV)/run.stamp: pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml requirements-dev.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
