"""Workers tell one another how they are; who has ended is not asked."""

import os
import subprocess
import sys

from farthing.telemetry.families import Vitals
from farthing.telemetry.vitals import Beat, others

OTHER = """
import asyncio, sys
from pathlib import Path
from farthing.telemetry.families import Vitals
from farthing.telemetry.vitals import Beat

async def main():
    beat = Beat(Path(sys.argv[1]), lambda: Vitals(3, 2, 1))
    beat.start()
    print("here", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    beat.stop()

asyncio.run(main())
"""


def another(folder):
    process = subprocess.Popen([sys.executable, "-c", OTHER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"here\n"
    return process


def test_a_living_worker_is_heard_and_one_that_has_ended_is_gone(tmp_path):
    with another(tmp_path) as one, another(tmp_path) as two:
        assert others(tmp_path) == [Vitals(3, 2, 1)] * 2
        one.communicate()
        assert others(tmp_path) == [Vitals(3, 2, 1)]
        two.kill()
        two.wait()
        assert others(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


async def test_its_own_is_not_among_the_others(tmp_path):
    beat = Beat(tmp_path, Vitals)
    beat.start()
    assert others(tmp_path) == []
    beat.stop()


async def test_what_has_changed_is_written(tmp_path):
    now = [Vitals(100, 100, 100)]
    beat = Beat(tmp_path, lambda: now[0])
    beat.start()
    now[0] = Vitals(1)
    beat.beat()
    text = (tmp_path / f"{os.getpid()}.worker").read_bytes()
    assert text.rstrip() == b'{"in_flight":1,"journal_waiting":0,"journal_lost":0}'
    beat.stop()
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_made_is_told_and_nothing_else(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    beat = Beat(tmp_path / "file", Vitals)
    beat.start()
    beat.stop()
    assert "cannot be shared" in caplog.text
