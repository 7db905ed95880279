"""Who is measured, and how each is started in front of an upstream."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from stand import peers
from stand.process import Unmet, free_port, started, tail

START_S = 90.0
HERE = Path(__file__).parent
RULES = "You are terse."
QUESTION = "What is the capital of France?"
KEY = "sk-benchmark"


@dataclass(frozen=True)
class Start:
    """How to start a contender."""

    command: list[str]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """A gateway under test. ``start`` gets a folder, a port to listen on and the upstream's base URL."""

    label: str
    start: Callable[[Path, int, str], Start]
    model: str = "gpt-4o-mini"
    headers: Mapping[str, str] = field(default_factory=dict)
    says_where: bool = False
    """It chooses its port itself and prints ``listening on URL``."""
    distinct: bool = False
    """See ``Target``."""
    hits: bool = False
    """Its upstream is stopped once the cache is filled: whatever is answered comes from the cache."""
    streams: bool = True
    """Takes part in the streaming rounds."""
    patience: int = 1
    """Its streaming runs take so many times as long: with 32 streams at once, a slow one ends none in a usual run."""


@dataclass(frozen=True)
class Target:
    """Where requests go and what they hold."""

    url: str
    """Of the chat completions."""
    model: str
    headers: Mapping[str, str]
    pid: int | None
    """The gateway's process; none for the upstream itself."""
    distinct: bool = False
    """Every request asks something else, so that no cache can answer."""

    def body(self, question: str = QUESTION, *, stream: bool = False) -> str:
        """The JSON of one request."""
        messages = [{"role": "system", "content": RULES}, {"role": "user", "content": question}]
        asked = {"model": self.model, "messages": messages, "temperature": 0, **({"stream": True} if stream else {})}
        return json.dumps(asked, separators=(",", ":"))


FARTHING = """
mode = "{mode}"
[server]
host = "127.0.0.1"
port = {port}
workers = 1
[providers.openai]
base_url = "{upstream}"
api_key_env = "OPENAI_API_KEY"
[store]
url = "sqlite:///{folder}/bench.db"
[cache]
exact = {cache}
"""
TENSORZERO = """
[gateway]
observability.enabled = false
[models.gpt-4o-mini]
routing = ["mock"]
[models.gpt-4o-mini.providers.mock]
type = "openai"
model_name = "gpt-4o-mini"
api_base = "{upstream}/"
api_key_location = "none"
"""
LITELLM = """
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "{upstream}", api_key: sk-benchmark}}
"""
LITELLM_ENVIRON = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no prices from the network
    "LITELLM_LOG": "ERROR",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # on loopback; without authentication it is faster
}


def _farthing(mode: str, *, cache: bool = True) -> Callable[[Path, int, str], Start]:
    def start(folder: Path, port: int, upstream: str) -> Start:
        config = folder / "bench.toml"
        config.write_text(
            FARTHING.format(mode=mode, port=port, upstream=upstream, folder=folder, cache=str(cache).lower())
        )
        command = str(peers.farthing().with_name("farthing"))
        return Start([command, "serve", "--config", str(config)], {"OPENAI_API_KEY": KEY})

    return start


def _python(module: str) -> Callable[[Path, int, str], Start]:
    def start(_: Path, port: int, upstream: str) -> Start:
        command = [str(peers.farthing()), "-m", "uvicorn", "--app-dir", str(HERE.parent), f"stand.{module}:app"]
        command += ["--port", str(port), "--http", "httptools", "--loop", "uvloop", "--no-access-log"]
        command += ["--log-level", "warning", "--no-server-header", "--no-date-header"]
        return Start(command, {"BARE_UPSTREAM": upstream})

    return start


def _tensorzero(folder: Path, _: int, upstream: str) -> Start:
    config = folder / "tensorzero.toml"
    config.write_text(TENSORZERO.format(upstream=upstream))
    return Start([str(peers.python_with(peers.TENSORZERO)), str(HERE / "tensorzero_http.py"), str(config)])


def _litellm(folder: Path, port: int, upstream: str) -> Start:
    config = folder / "litellm.yaml"
    config.write_text(LITELLM.format(upstream=upstream))
    program = peers.python_with(peers.LITELLM).with_name("litellm")
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    return Start(command, LITELLM_ENVIRON)


def _portkey(_: Path, port: int, upstream: str) -> Start:
    return Start(["node", str(peers.portkey()), f"--port={port}", "--headless"], {"UPSTREAM": upstream})


CONTENDERS = {
    "constant": Contender("constant answer, the ceiling of hits", _python("constant"), streams=False),
    "bare": Contender("bare Python pass-through", _python("bare")),
    "farthing": Contender("farthing, pass-through and ledger", _farthing("observe", cache=False)),
    "farthing-observe": Contender("farthing, observe", _farthing("observe"), streams=False),
    "farthing-save": Contender("farthing, save, all misses", _farthing("save"), distinct=True, streams=False),
    "farthing-hits": Contender("farthing, save, exact hits", _farthing("save"), hits=True, streams=False),
    "tensorzero": Contender("TensorZero", _tensorzero, model="tensorzero::model_name::gpt-4o-mini", says_where=True),
    "litellm": Contender("LiteLLM proxy", _litellm, patience=5),
    "portkey": Contender(
        "Portkey",
        _portkey,
        headers={"x-portkey-provider": "openai", "x-portkey-custom-host": "{upstream}"},
        streams=False,  # 1.15.2 answers 500 ("TypeError: immutable") to every stream of this mock under Node 20
    ),
}


@contextmanager
def running(contender: Contender, folder: Path, core: int, upstream_port: int) -> Iterator[Target]:
    """A contender in front of the upstream, once it has given one right answer."""
    folder.mkdir()
    port, log = free_port(), folder / "log"
    upstream = f"http://127.0.0.1:{upstream_port}/v1"
    start = contender.start(folder, port, upstream)
    headers = {"authorization": f"Bearer {KEY}"}
    headers |= {name: value.format(upstream=upstream) for name, value in contender.headers.items()}
    with started(start.command, core, log, start.environ) as process:
        base = _said(log, process) if contender.says_where else f"http://127.0.0.1:{port}/v1"
        target = Target(f"{base}/chat/completions", contender.model, headers, process.pid, contender.distinct)
        _wait_for_answer(target, process, log)
        yield target


def _said(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listening on (http://\S+)", log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.1)
    raise Unmet(f"it did not say where it listens:\n{tail(log)}")


def _wait_for_answer(target: Target, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    status, text = 0, ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            status, text = ask(target)
        except OSError:
            time.sleep(0.1)
            continue
        if status == 200:
            return
        time.sleep(0.3)
    raise Unmet(f"it gives no answer (last: {status} {text[:300]}):\n{tail(log)}")


def ask(target: Target, *, stream: bool = False) -> tuple[int, str]:
    """One request: status and text of the answer."""
    parts = urlsplit(target.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        sent = {"content-type": "application/json", **target.headers}
        connection.request("POST", parts.path, target.body(stream=stream), sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
