"""No tenant sees another's text (DESIGN, law 8): not in the name of a query type either, which is made of prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.cli import main
from farthing.dashboard.app import Dashboard
from farthing.dashboard.books import LedgerBooks
from farthing.insight.query_types import EAGER, RECURS, Miner
from farthing.insight.shape import shape_of
from farthing.ledger import listing
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.records import Call, Settled
from farthing.ledger.store import Store, open_store
from farthing.types import Caller, Prompt, Turn, Usage

NOW = 1_795_000_000.0
SECRETS = {"acme": re.compile("acme\\w+", re.IGNORECASE), "globex": re.compile("globex\\w+", re.IGNORECASE)}
"""Every prompt of a tenant has words that begin with its name and go on: the name alone is no secret."""


def prompts(tenant: str) -> Iterator[Prompt]:
    """Of the same families for both tenants, with their own words in all places that names are made of."""
    secret = f"{tenant}merger"
    big = secret.capitalize()
    yield Prompt(f"You are the support assistant of {big}. Be kind.", (Turn("user", f"Where is {secret}?"),))
    yield Prompt(f"You are {big}! You translate letters.", (Turn("user", "A letter"),))
    yield Prompt(f"You are the clerk of {secret}. Be kind.", (Turn("user", "Hello"),))
    yield Prompt(f"Summarise what {big} {secret} wrote.", (Turn("user", f"{secret} wrote this"),))
    for rest in range(EAGER + 3):
        words = "abcdefghijklmnopqrstuvwxyz"[rest]
        yield Prompt(f"You work for the bank. Do {secret} {words} now.", (Turn("user", "Go on"),))
    for _ in range(RECURS + 1):
        yield Prompt("", (Turn("user", f"Classify this {secret} ticket:\nbroken"),))
        yield Prompt("", (Turn("user", f"translate the {secret} letter for me today"),))
    yield Prompt("You are a helpful assistant.", (Turn("user", "hi"),), tools=(f"{secret}_refund", "search"))


def entries(tenant: str) -> Iterator[Settled]:
    for number, prompt in enumerate(prompts(tenant)):
        cost, id_, caller = 1_000 * (number + 1), f"fr_{tenant}_{number}", Caller(tenant, "ada", "chat")
        call = Call(f"c_{id_}", "openai", "gpt-4o", NOW, status=200, usage=Usage(9, output=9), cost_nano=cost)
        shape = shape_of("openai.chat", prompt, keep_example=True)
        yield Settled(
            id_, NOW - number, caller, "openai.chat", "/v1/chat/completions", "openai", "gpt-4o", status=200,
            calls=(call,), cost_nano=cost, baseline_nano=cost, shape=shape,
        )  # fmt: skip


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Store]:
    """First one tenant asks, then the other, then both again: whose words come first must not matter."""
    store = open_store(f"sqlite:///{tmp_path / 'books.db'}", lambda: NOW)
    journal = Journal(tmp_path / "books.db.journal", lambda: NOW)
    for tenant in ("globex", "acme", "globex"):
        for one in entries(tenant):
            journal.append(one)
        keeper = Keeper(store, tmp_path / "books.db.journal", lambda: NOW, Miner.load)
        keeper.run_once()
        keeper.close()
    journal.close()
    yield store
    store.close()


def assert_only_its_own(said: str, tenant: str) -> None:
    [other] = SECRETS.keys() - {tenant}
    assert SECRETS[tenant].search(said), "nothing is hidden from its owner"
    assert SECRETS[other].findall(said) == []


@pytest.mark.parametrize("tenant", SECRETS)
@pytest.mark.parametrize(
    "command",
    [
        ["report"],
        ["report", "--by", "query_type"],
        ["report", "--by", "query_type", "--json"],
        ["report", "--by", "query_type", "--csv"],
        ["requests", "--limit", "500"],
        ["requests", "--limit", "500", "--json"],
    ],
)
def test_on_the_command_line(books: Store, tenant: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--tenant", tenant, "--store", f"sqlite:///{books.path}"]) == 0
    said = capsys.readouterr().out
    if command[0] == "requests" and "--json" not in command:
        assert SECRETS["acme" if tenant == "globex" else "globex"].findall(said) == []
    else:
        assert_only_its_own(said, tenant)


@pytest.mark.parametrize("tenant", SECRETS)
async def test_on_the_dashboard(books: Store, tenant: str) -> None:
    reader = LedgerBooks(books)
    dashboard = Dashboard(
        reader, lambda: NOW, authorise=lambda _: True, allowed_hosts=(), mode="save", miner_names=reader.names
    )
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        raise AssertionError

    for path, query in (("/farthing/", f"tenant={tenant}"), (f"/farthing/requests/fr_{tenant}_0", "")):
        scope = {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "scheme": "http",
            "headers": [(b"host", b"localhost:8321")],
        }  # fmt: skip
        sent.clear()
        await dashboard(scope, receive, send)
        assert sent[0]["status"] == 200
        body = sent[1]["body"]
        assert isinstance(body, bytes)
        assert_only_its_own(body.decode(), tenant)


@pytest.mark.parametrize("tenant", SECRETS)
def test_in_what_is_kept_of_a_tenant(books: Store, tenant: str) -> None:
    """Names and examples, and what its miner has learned."""
    types = listing.query_types(books, tenant)
    assert_only_its_own("\n".join(f"{one.name}\n{one.example}" for one in types), tenant)
    with books.reading() as connection:
        [(learned,)] = connection.execute("SELECT learned FROM miners WHERE tenant = ?", (tenant,)).fetchall()
    assert_only_its_own(learned.decode("latin-1"), tenant)


def test_the_same_template_has_the_same_id_for_every_tenant(books: Store) -> None:
    ids = [{one.id for one in listing.query_types(books, tenant)} for tenant in SECRETS]
    assert len(ids[0] & ids[1]) >= 3


def test_for_the_owner_of_all_a_shared_type_is_called_what_all_of_them_call_it(books: Store) -> None:
    names = LedgerBooks(books).names()
    assert "support assistant of …" in names.values()
    shared = {one.id for one in listing.query_types(books, "acme")} & {
        one.id for one in listing.query_types(books, "globex")
    }
    for secret in SECRETS.values():
        assert secret.findall("\n".join(names[id_] for id_ in shared)) == []
