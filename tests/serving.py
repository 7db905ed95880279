"""``farthing`` as a user runs it: processes of their own on loopback, each of them ended by its own number."""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from farthing.ledger.listing import requests
from farthing.ledger.store import open_store

PATIENCE_S = 60.0
"""Longest wait for what has to come: only a failing test takes so long."""
CHAT = "/v1/chat/completions"
KEY = "sk-sim"
COMMAND = (sys.executable, "-c", "import sys; from farthing.cli import main; sys.exit(main())")
patient = pytest.mark.timeout(300)
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them")


def environment(folder, provider=None, **more):
    """What a user's environment would be: nothing of the machine's own settings, keys and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FARTHING_") and not name.upper().endswith(("_API_KEY", "_PROXY"))
    }
    kept |= {"FARTHING_STORE_URL": f"sqlite:///{folder}/farthing.db", "PYTHONWARNINGS": "error::ResourceWarning"}
    if provider is not None:
        kept |= {
            "FARTHING_PROVIDERS_OPENAI_BASE_URL": f"{provider}/v1",
            "FARTHING_PROVIDERS_ANTHROPIC_BASE_URL": provider,
        }
    return kept | more


def run(folder, *arguments, command=COMMAND, provider=None, **more):
    """A command that ends by itself: exit code, stdout and stderr."""
    return subprocess.run(
        [*command, *arguments], env=environment(folder, provider, **more), cwd=folder, capture_output=True, text=True,
        check=False, timeout=PATIENCE_S,
    )  # fmt: skip


class Watched:
    """A process that need not be our child. Its end is an event, and its number is nobody else's meanwhile."""

    def __init__(self, pid):
        self.pid, self._handle = pid, os.pidfd_open(pid)

    @property
    def command(self):
        """What it runs: for a moment that of its parent, and nothing once it has ended."""
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{self.pid}/cmdline").read_text().replace("\0", " ")
        return ""

    def wait(self):
        if not select.select([self._handle], [], [], PATIENCE_S)[0]:
            pytest.fail(f"process {self.pid} goes on: {self.command}")

    def kill(self, number=signal.SIGKILL):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self):
        self.kill(signal.SIGTERM)

    def close(self):
        os.close(self._handle)


def children(pid):
    """The numbers of the processes that this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def eventually(look):
    """What ``look`` finds, once it finds something: for what sends no event."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    return pytest.fail("it did not come about")


class Answered:
    """What a client got."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Served:
    """``farthing serve``; has told where it listens."""

    def __init__(self, folder, provider, *arguments, **more):
        self.folder = folder
        self._log = folder / "serve.log"
        self._watched = {}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0", *arguments],
                env=environment(folder, provider, **more), cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.said = []
        self.port = self._announced()

    def _announced(self):
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"Anthropic +base_url = http://\S+:(\d+)$", line):
                return int(found[1])
        self.close()
        return pytest.fail(f"it did not start: {self.errors}")

    @property
    def errors(self):
        """What it has written to stderr."""
        return self._log.read_text()

    # ------------------------------------------------------------ asking

    @contextmanager
    def asking(self, path=CHAT, body=None, **headers):
        """A request whose reply has begun."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        own = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        named = {name.replace("_", "-"): text for name, text in (own | headers).items() if text is not None}
        try:
            connection.request("GET" if body is None else "POST", path, body and json.dumps(body), named)
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def ask(self, path=CHAT, body=None, **headers):
        with self.asking(path, body, **headers) as response:
            return Answered(response)

    def say(self, text="How do I top up my card?", **headers):
        return self.ask(CHAT, question(text), **headers)

    # ------------------------------------------------------------ processes

    def family(self):
        """Every process that it has started and that lives."""
        pids, waiting = [], [self.process.pid]
        while waiting:
            found = children(waiting.pop())
            pids, waiting = pids + found, waiting + found
        return [one for pid in pids if (one := self._watch(pid)) is not None]

    def _watch(self, pid):
        if pid not in self._watched:
            with suppress(ProcessLookupError):
                self._watched[pid] = Watched(pid)
        return self._watched.get(pid)

    def keepers(self):
        return [one for one in self.family() if "farthing.pipeline.keeping" in one.command]

    def workers(self):
        return [one for one in self.family() if "spawn_main" in one.command]

    def stop(self, number=signal.SIGTERM):
        """Ask it to stop; gives its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Whatever has become of it: no process stays behind."""
        if self.process.poll() is None:
            self.family()
            self.kill()
        self.process.stdout.close()
        for one in self._watched.values():
            one.kill()
            one.close()


@contextmanager
def serving(folder, provider, *arguments, **more):
    """A running gateway."""
    served = Served(folder, provider, *arguments, **more)
    try:
        yield served
    finally:
        served.close()


def question(text="How do I top up my card?", **fields):
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]} | fields


def rows(folder):
    """What the ledger's database has, newest first."""
    store = open_store(f"sqlite:///{folder}/farthing.db", time.time)
    try:
        return requests(store, 100_000)
    finally:
        store.close()


def entered(folder, count):
    """The rows, once there are so many that have ended."""
    return eventually(lambda: (found := settled(folder)) and len(found) >= count and found)


def settled(folder):
    return [row for row in rows(folder) if row.state == "settled"]


# ------------------------------------------------------------ a provider that waits


def _event(**fields):
    return b"data: " + json.dumps({"id": "c1", "object": "chat.completion.chunk", **fields}).encode() + b"\n\n"


def _word(text, finish=None):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return _event(model="gpt-4o-mini-2024-07-18", choices=[choice])


BEGINNING = _word("It ") + _word("ends ")
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
REST = _word("well.", "stop") + _event(model="gpt-4o-mini-2024-07-18", choices=[], usage=USAGE) + b"data: [DONE]\n\n"


class Held(ThreadingHTTPServer):
    """Its streams stop in the middle, until ``go`` is set."""

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.go, self.broken = threading.Event(), []

    def handle_error(self, request, client_address):
        self.broken.append(sys.exc_info()[1])


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        for name, value in (("content-type", "text/event-stream"), ("transfer-encoding", "chunked")):
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        self._chunk(BEGINNING)
        self.server.go.wait(PATIENCE_S)
        self._chunk(REST)
        self._chunk(b"")

    def _chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, *_):
        pass


@contextmanager
def held():
    """A running provider of this kind."""
    server = Held()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.go.set()
        server.shutdown()
        thread.join()
        server.server_close()
