"""A full disk: requests go on, ``/readyz`` says so, and what waits is written when there is room."""

import errno
import json
import os
import resource
import subprocess
from collections import Counter
from contextlib import suppress

import pytest
from tests.serving import entered, eventually, on_linux, patient, rows, serving, settled

from farthing.cli import main
from farthing.ledger.journal import Journal
from farthing.ledger.records import Opened
from farthing.ledger.segments import read_entries, segments
from farthing.pipeline.runtime import Runtime
from farthing.policy import Policy
from farthing.policy.model import Store
from farthing.simulator import running
from farthing.types import Caller

pytestmark = [pytest.mark.crash, patient]


@pytest.fixture
def sim():
    with running(seed=1) as sim:
        yield sim


class Disk:
    """A disk of a few megabytes."""

    def __init__(self, folder):
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, _gateway):
        with self._filler.open("wb", buffering=0) as filler:
            for size in (65536, 1):
                with suppress(OSError):
                    while True:
                        filler.write(b"x" * size)

    def free(self, _gateway):
        self._filler.unlink()


class Limit:
    """Files may not grow: for the process it is as if the disk were full."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self, gateway):
        self._before = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (4000, self._before[1]))

    def free(self, gateway):
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, self._before)


@pytest.fixture(params=["disk", "limit"])
def disk(request, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield Limit(folder)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "farthing", folder]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk takes root and the right to mount; the limit on files stands in for it")
    yield Disk(folder)
    subprocess.run(["umount", folder], check=True)


@on_linux
def test_it_stops_no_request_and_nothing_is_lost(tmp_path, disk, sim, capsys):
    url = f"sqlite:///{disk.folder}/farthing.db"
    asked = 0

    def answers_kept():
        assert main(["cache", "stats", "--json", "--store", url]) == 0
        return json.loads(capsys.readouterr().out)["entries"]

    def readiness():
        nonlocal asked
        asked += 1
        assert gateway.say(f"Question {asked}?").status == 200
        ready = gateway.ask("/readyz")
        return ready.status, ready.body.decode()

    with serving(tmp_path, sim.url, "--mode", "save", FARTHING_STORE_URL=url) as gateway:
        assert readiness() == (200, "ok")
        assert gateway.say().headers["x-farthing-cache"] == "miss"
        eventually(answers_kept)
        disk.fill(gateway)
        eventually(lambda: readiness()[0] == 503)
        for _ in range(50):
            status, said = readiness()
            assert status == 503
        assert any(
            f"the journal cannot be written: {why}" in said for why in ("[Errno 28] No space", "[Errno 27] File")
        )
        assert int(said.split("; ")[1].split()[0]) >= 100
        assert gateway.say().headers["x-farthing-cache"] == "exact"
        asked += 2
        disk.free(gateway)
        assert gateway.ask("/readyz").body == b"ok"
        entered(disk.folder, asked)
        assert gateway.stop() == 0
        assert gateway.errors.count("the journal cannot be written") == 1
        assert gateway.errors.count("the journal is written again; since the start 0 entries were lost") == 1
        assert "no entries" not in gateway.errors
        assert "Traceback" not in gateway.errors
    found = settled(disk.folder)
    assert len(found) == len(rows(disk.folder)) == asked
    assert max(Counter(row.request.id for row in found).values()) == 1
    assert sum(row.request.cost_nano for row in found) == sim.invoice.total_nano_usd


# ------------------------------------------------------------ in one process


class Full:
    """Stands before ``os.write``; takes so many bytes more."""

    def __init__(self, monkeypatch):
        self.room = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, handle, data):
        if self.room is None:
            return self._write(handle, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(handle, bytes(data[: self.room]))
        self.room -= written
        return written


@pytest.fixture
def full(monkeypatch):
    return Full(monkeypatch)


def opened(number):
    return Opened(f"fr_{number}", 1_750_000_000.0, Caller("acme"), "openai.chat", "/x", call_id=f"c{number}")


def ids(folder):
    return [entry.id for one in segments(folder) for entry in read_entries(one.path).entries]


async def test_what_finds_no_room_in_memory_is_counted_and_told(tmp_path, full, caplog):
    runtime = Runtime(Policy(store=Store(url=f"sqlite:///{tmp_path}/l.db")), {})
    runtime.journal._most = 3
    try:
        full.room = 0
        for number in range(5):
            runtime.journal.append(opened(number))
        assert runtime.problems() == [
            "the journal cannot be written: [Errno 28] No space left on device; 3 entries wait, 2 are lost"
        ]
        full.room = None
        assert runtime.problems() == []
        assert (runtime.journal.health().ok, runtime.journal.health().lost) == (True, 2)
    finally:
        await runtime.stop()
    assert ids(tmp_path / "l.db.journal") == ["fr_0", "fr_1", "fr_2"]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "the journal cannot be written",
        "3 entries of the journal wait for the disk, and no more find room",
        "the journal is written again; since the start 2 entries were lost",
    ]


@pytest.mark.parametrize("can_cut", [True, False])
@pytest.mark.parametrize("room", [1, 50, 100])
def test_half_a_line_is_taken_back(tmp_path, full, monkeypatch, room, can_cut):
    def no(*_):
        raise OSError(errno.EIO, "no")

    if not can_cut:
        monkeypatch.setattr(os, "ftruncate", no)
    journal = Journal(tmp_path, lambda: 1.0)
    journal.append(opened(0))
    for number in range(1, 6):
        full.room = room
        journal.append(opened(number))
        assert not journal.health().ok
    full.room = None
    assert journal.health().ok
    (segment,) = segments(tmp_path)
    chunk = read_entries(segment.path)
    assert {entry.id for entry in chunk.entries} == {f"fr_{number}" for number in range(6)}
    assert chunk.offset == segment.path.stat().st_size
    assert (chunk.corrupt == 0) is can_cut
    journal.close()


def test_what_waits_at_the_end_is_lost_and_told(tmp_path, full, caplog):
    journal = Journal(tmp_path, lambda: 1.0)
    full.room = 0
    journal.append(opened(1))
    journal.close()
    assert "1 entries of the journal are lost" in caplog.text
