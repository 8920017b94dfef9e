# Two commands: `make demo` and `make test`. Both set up what they need in .venv, from locked, hashed dependencies.
# Nothing is fetched again while the lock files stay the same, so both work offline after the first time.

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .venv/stamps
ON ?= 2021-09-15

.PHONY: demo test lint types imports setup frontend messages lock clean

demo: setup frontend messages  ## A district of Ho Chi Minh City in September 2021, in the browser
	$(BIN)/khien demo --on $(ON)

test: lint types imports frontend messages  ## Everything that must hold before a change lands
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

setup: $(STAMPS)/python

$(STAMPS)/python: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	mkdir -p $(STAMPS) && touch $@

frontend: setup  ## The builder itself sees whether anything changed
	$(BIN)/python -m khien.web.build

messages: setup
	$(BIN)/python -m khien.web.messages compile

lock: setup  ## Renew requirements.txt (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements.txt

clean:
	rm -rf .venv .khien frontend/node_modules src/khien/web/static/khien src/khien/web/collected src/khien/territory/atlas
