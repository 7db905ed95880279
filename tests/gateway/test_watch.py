"""A change of a file is noticed once it is whole."""

import os

import pytest

from farthing.gateway.watch import Watch


@pytest.fixture
def watched(tmp_path):
    paths = [tmp_path / "a.toml", tmp_path / "b.env"]
    paths[0].write_text("1")
    seen = []
    watch = Watch(lambda: paths, lambda: seen.append(1), every_s=3600)
    yield watch, paths, seen
    watch.stop()


def test_nothing_happens_while_nothing_changes(watched):
    watch, _, seen = watched
    for _ in range(3):
        watch.look()
    assert seen == []


def test_a_change_is_told_once_and_only_when_it_stays(watched):
    watch, (a, b), seen = watched
    a.write_text("12")
    watch.look()
    a.write_text("123")
    watch.look()
    assert seen == []
    watch.look()
    watch.look()
    assert seen == [1]
    b.write_text("new")
    watch.look()
    watch.look()
    assert seen == [1, 1]


def test_a_file_that_is_put_in_the_place_of_another(watched, tmp_path):
    watch, (a, _), seen = watched
    stat = a.stat()
    beside = tmp_path / "new"
    beside.write_text("2")
    os.utime(beside, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    beside.replace(a)
    watch.look()
    watch.look()
    assert seen == [1]
