"""The processes of a run, each ended by its own id: provider, gateway, scorer; and what they say afterwards."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from stand.process import Unmet, tail
from stand.serving import FARTHING, environment, serving, started

from months.books import Invoice, Ledger, Request
from months.folder import Month

LEDGER_S, LOOK_S = 120.0, 0.5
EVERY = "1000000000"
SEMANTIC = "semantic"
"""Save mode as it comes; the mode that is called ``save`` here answers repeats alone."""


class Figures(msgspec.Struct, frozen=True):
    """Of some items, by the scorer."""

    requests: int
    errors: int
    unrecorded_answers: int
    quality: float
    from_cache: int
    wrong_from_cache: int
    tenant_leaks: int
    p50_ms: float


class Totals(msgspec.Struct, frozen=True):
    """Of all items; the scorer has others, too."""

    all: Figures


class Score(msgspec.Struct, frozen=True):
    """The scorer's report."""

    totals: Totals
    features: dict[str, Figures]
    wrong_from_cache_by_reason: dict[str, int]
    unlike_the_workload: list[str] = []

    @property
    def all(self) -> Figures:
        return self.totals.all


@dataclass(frozen=True)
class Run:
    """One mode; no ledger if the provider was asked directly."""

    score: Score
    complaints: list[str]
    """Of the scorer; there are none if all went well."""
    invoice: Invoice
    ledger: Ledger | None = None
    requests: list[Request] = field(default_factory=list[Request])


def run_mode(month: Month, mode: str, folder: Path, options: Sequence[str]) -> Run:
    """A fresh provider, a fresh ledger, the whole month. Raises ``Unmet``."""
    folder.mkdir()
    sources = ["--workload", str(month.workload), "--docs", str(month.docs)]
    provider_command = [sys.executable, str(month.provider), "--port", "0", *sources]
    with serving(provider_command, folder / "provider.log", {}, r"listening on (http://\S+)") as provider:
        store = f"sqlite:///{folder / 'month.db'}"
        through = nullcontext() if mode == "direct" else gateway(mode, store, provider, folder)
        with through as url:
            to = ["--base-url", url, "--reset"] if url else ["--direct"]
            score, complaints = scored(month, [*sources, "--provider", provider, *to, *options], folder)
            ledger = settled(store, score.all.requests, folder) if url else None
            return Run(score, complaints, invoice_of(provider), ledger, requests_of(store, folder) if url else [])


@contextmanager
def gateway(mode: str, store: str, provider: str, folder: Path) -> Generator[str]:
    """``farthing serve``; gives its address."""
    environ = {
        "FARTHING_STORE_URL": store,
        "FARTHING_PROVIDERS_OPENAI_BASE_URL": f"{provider}/v1",
        "FARTHING_PROVIDERS_ANTHROPIC_BASE_URL": provider,
        "FARTHING_CACHE_SEMANTIC": "false" if mode == "save" else "true",
    }
    command = [*FARTHING, "serve", "--mode", "save" if mode == SEMANTIC else mode, "--port", "0"]
    with serving(command, folder / "gateway.log", environ, r"Anthropic +base_url = (http://\S+)") as url:
        yield url


def scored(month: Month, arguments: Sequence[str], folder: Path) -> tuple[Score, list[str]]:
    """Send the month. The scorer's own exit code 1 means complaints, which are passed on."""
    out, log = folder / "score.json", folder / "score.log"
    with started([sys.executable, str(month.scorer), *arguments, "--out", str(out)], log, {}) as process:
        code = process.wait()
    if code not in {0, 1} or not out.exists():
        raise Unmet(f"score.py ended with {code}:\n{tail(log)}")
    complaints = [line for line in log.read_text().splitlines() if line.startswith("!!")]
    if code and not complaints:
        raise Unmet(f"score.py failed:\n{tail(log)}")
    return msgspec.json.decode(out.read_bytes(), type=Score), complaints


def settled(store: str, requests: int, folder: Path) -> Ledger:
    """The ledger once it has all requests and stands still. Late ones are not hidden: it is taken as it is then."""
    deadline, before = time.monotonic() + LEDGER_S, None
    while True:
        found = msgspec.json.decode(farthing(["report", "--json", "--by", "model"], store, folder), type=Ledger)
        complete = found.total.requests >= requests and not found.total.unsettled_calls
        if (complete and found == before) or time.monotonic() > deadline:
            return found
        before = found
        time.sleep(LOOK_S)


def requests_of(store: str, folder: Path) -> list[Request]:
    """Every request of the ledger."""
    lines = farthing(["requests", "--json", "--limit", EVERY], store, folder).splitlines()
    return [msgspec.json.decode(line, type=Request) for line in lines]


def farthing(arguments: Sequence[str], store: str, folder: Path) -> bytes:
    """What a command prints."""
    command = [*FARTHING, *arguments, "--store", store]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, env=environment({}))
    if done.returncode:
        raise Unmet(f"farthing {arguments[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return done.stdout


def invoice_of(provider: str) -> Invoice:
    """What the provider bills, line by line."""
    connection = http.client.HTTPConnection(urlsplit(provider).netloc, timeout=60)
    try:
        connection.request("GET", "/_invoice?lines=1")
        return msgspec.json.decode(connection.getresponse().read(), type=Invoice)
    except (OSError, msgspec.MsgspecError) as problem:
        raise Unmet(f"no usable invoice: {problem}") from problem
    finally:
        connection.close()
