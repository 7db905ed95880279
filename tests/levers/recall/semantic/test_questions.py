from __future__ import annotations

import logging
import math
import random
import subprocess
import sys
from array import array

import lmdb
import pytest

from farthing.errors import StoreError
from farthing.levers.recall.semantic import questions as module
from farthing.levers.recall.semantic import shelves
from farthing.levers.recall.semantic.questions import Questions, open_questions
from farthing.levers.recall.semantic.tables import Entry
from farthing.levers.recall.semantic.usearch_index import is_installed
from farthing.levers.recall.store import open_answers

NOW = 1500.0
HERE, THERE = b"h" * 32, b"t" * 32
SIZE = 16


def vector(seed: int) -> bytes:
    rng = random.Random(seed)
    numbers = [rng.gauss(0, 1) for _ in range(SIZE)]
    length = math.sqrt(sum(x * x for x in numbers))
    return array("b", [round(127 * x / length) for x in numbers]).tobytes()


def entry(seed: int, **changes) -> Entry:
    fields = {
        "question": f"question {seed}?",
        "vector": vector(seed),
        "literals": b"",
        "answer": seed.to_bytes(32, "big"),
        "tenant": "acme",
        "stored_at": 1000.0,
        "expires_at": 2000.0,
    }
    return Entry(**fields | changes)


def texts(questions: Questions, seed: int, partition=HERE, now=NOW, count=1) -> list[str]:
    return [found.entry.question for found in questions.nearest(partition, vector(seed), count, now)]


@pytest.fixture
def answers(tmp_path):
    opened = open_answers(tmp_path / "answers", 8 << 20, lambda: 1000.0)
    yield opened
    opened.close()


@pytest.fixture
def questions(answers):
    opened = open_questions(answers, lambda: 1000.0)
    yield opened
    opened.close()


def test_a_question_is_found_again_with_all_that_was_known_of_it(questions):
    kept = entry(1, user="ann", feature="chat", tags=("a=b",), knowledge="v2", literals=b"\x00x")
    assert questions.nearest(HERE, vector(1), 3, NOW) == []
    assert questions.add(HERE, kept)
    questions.rest()
    found = questions.nearest(HERE, vector(1), 3, NOW)
    assert [(one.entry, one.similarity) for one in found] == [(kept, 1.0)]
    assert questions.same(HERE, kept.question, NOW) == found[0]
    assert questions.same(HERE, "another?", NOW) is None


def test_what_is_too_far_away_is_not_even_read(questions):
    for seed in (1, 2):
        questions.add(HERE, entry(seed))
    questions.rest()
    near, far = questions.nearest(HERE, vector(1), 2, NOW)
    assert near.similarity > far.similarity
    assert questions.nearest(HERE, vector(1), 2, NOW, least=near.similarity) == [near]
    assert questions.nearest(HERE, vector(1), 2, NOW, least=1.1) == []


def test_no_partition_sees_another_one(questions):
    questions.add(HERE, entry(1))
    questions.rest()
    assert texts(questions, 1, THERE) == []
    assert questions.same(THERE, "question 1?", NOW) is None


def test_the_nearest_come_first(questions):
    for seed in range(40):
        questions.add(HERE, entry(seed))
    questions.rest()
    found = questions.nearest(HERE, vector(7), 5, NOW)
    assert found[0].entry.question == "question 7?"
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
    assert len(found) == 5


def test_what_is_added_later_is_read_on(questions):
    for seed in range(3):
        questions.add(HERE, entry(seed))
        questions.rest()
        assert texts(questions, seed) == [f"question {seed}?"]


def test_the_same_text_stands_there_once(questions):
    questions.add(HERE, entry(1))
    questions.add(HERE, entry(1, answer=b"n" * 32))
    questions.rest()
    assert [one.entry.answer for one in questions.nearest(HERE, vector(1), 3, NOW)] == [b"n" * 32]
    assert questions.stats().entries == 1


def test_expired_entries_are_not_found_and_go(questions):
    questions.add(HERE, entry(1, expires_at=1600.0))
    questions.add(HERE, entry(2))
    questions.rest()
    assert texts(questions, 1, now=1599.9) == ["question 1?"]
    assert texts(questions, 1, now=1600.0) == ["question 2?"]
    assert questions.same(HERE, "question 1?", 1600.0) is None
    questions.rest()
    assert questions.stats().entries == 1


def test_all_that_has_expired_is_deleted_on_opening(questions, answers, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 3)
    for seed in range(10):
        questions.add(HERE, entry(seed, expires_at=1600.0 + seed))
    questions.rest()
    again = open_questions(answers, lambda: 1607.0)
    for _ in range(4):  # batch after batch
        answers.flush()
    assert again.stats().entries == 2
    again.close()


def test_what_is_dropped_is_not_found(questions):
    for seed in range(3):
        questions.add(HERE, entry(seed))
    questions.rest()
    number = questions.nearest(HERE, vector(1), 1, NOW)[0].number
    assert questions.drop(HERE, number)
    questions.rest()
    assert "question 1?" not in texts(questions, 1, count=3)
    assert len(texts(questions, 1, count=3)) == 2


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ({"tenant": "acme"}, {1}),
        ({"feature": "chat"}, {0, 1, 3}),
        ({"tag": "a=b"}, {0, 1, 2}),
        ({"knowledge": "v1"}, {1, 2, 3}),
        ({"older_than": 1100.0}, {1, 3}),
        ({"tenant": "acme", "feature": "chat"}, {0, 1, 3}),
        ({}, set()),
    ],
)
def test_purge(questions, answers, make_answer, conditions, left):
    entries = [
        entry(0, knowledge="v1"),
        entry(1, tenant="other", stored_at=1200.0),
        entry(2, feature="chat"),
        entry(3, tags=("a=b", "c=d"), stored_at=1100.0),
    ]
    for one in entries:
        questions.add(HERE, one)
        answers.put(one.answer, make_answer(), NOW)
    questions.rest()
    assert questions.purge(**conditions) == 4 - len(left)
    assert {one.entry.question for one in questions.nearest(HERE, vector(0), 9, NOW)} == {
        f"question {seed}?" for seed in left
    }
    assert {seed for seed in range(4) if answers.get(entries[seed].answer, NOW) is not None} == left


def test_one_user_cannot_fill_a_partition(answers):
    questions = Questions(answers, quota=5)
    questions.add(HERE, entry(1, user="ann"))
    questions.add(HERE, entry(2))
    for seed in range(10, 30):
        questions.add(HERE, entry(seed, user="mallory"))
    questions.rest()
    found = set(texts(questions, 1, count=50))
    assert found == {"question 1?", "question 2?", *(f"question {seed}?" for seed in range(25, 30))}
    questions.close()


def test_evidence_is_changed_by_one_after_another(questions):
    def more(row: bytes | None) -> bytes | None:
        return b"%d" % (int(row or b"0") + 1)

    for _ in range(100):
        assert questions.learn(b"row", more)
    questions.rest()
    assert questions.evidence(b"row") == b"100"
    questions.learn(b"row", lambda _row: None)
    questions.rest()
    assert questions.evidence(b"row") is None


def test_a_large_partition_is_read_in_the_background(questions, answers):
    for seed in range(300):
        questions.add(HERE, entry(seed))
    questions.rest()
    other = Questions(answers)
    assert texts(other, 7) == []  # not there yet, and nobody waits
    other.rest()
    assert all(texts(other, seed) == [f"question {seed}?"] for seed in range(300))
    other.close()


def test_what_cannot_be_looked_through_in_time_is_kept_in_part(questions, monkeypatch):
    monkeypatch.setattr(shelves, "SCANNED", 100)
    for seed in range(300):
        questions.add(HERE, entry(seed))
    questions.rest()
    assert texts(questions, 3) == []
    questions.rest()
    found = questions.nearest(HERE, vector(3), 300, NOW)
    assert 100 <= len(found) < 200
    assert found[0].entry.question == "question 3?"


def test_a_partition_grows_while_it_is_in_use(questions):
    for seed in range(500):
        questions.add(HERE, entry(seed))
        if seed % 100 == 99:
            questions.rest()
            assert texts(questions, 3) in (["question 3?"], [])
    for _ in range(20):
        questions.nearest(HERE, vector(3), 1, NOW)
        questions.rest()
    assert all(texts(questions, seed) == [f"question {seed}?"] for seed in range(500))


def test_an_index_full_of_what_is_gone_is_made_again(questions, answers):
    for seed in range(200):
        questions.add(HERE, entry(seed))
    questions.rest()
    texts(questions, 1)
    questions.rest()
    full = questions.stats().memory
    other = Questions(answers)
    assert other.purge(older_than=1001.0) == 200
    other.add(HERE, entry(1))
    other.rest()
    texts(questions, 1)
    questions.rest()
    assert texts(questions, 1, count=3) == ["question 1?"]
    assert questions.stats().memory < full
    other.close()


def test_memory_is_bounded_and_the_partition_longest_unused_goes(answers):
    questions = Questions(answers, memory=20_000)
    for place in range(10):
        questions.add(bytes([place]) * 32, entry(place))
    questions.rest()
    for place in range(10):
        assert texts(questions, place, bytes([place]) * 32) == [f"question {place}?"]
        assert questions.stats().memory <= 20_000
    assert questions.stats().loaded == 4
    questions.close()


def test_a_partition_larger_than_the_memory_is_kept_in_part(answers):
    questions = Questions(answers, memory=20_000)
    for seed in range(300):
        questions.add(HERE, entry(seed))
    questions.rest()
    texts(questions, 0)
    questions.rest()
    assert texts(questions, 0) == ["question 0?"]
    assert texts(questions, 299) != ["question 299?"]
    assert questions.stats().memory < 30_000
    questions.close()


def test_a_vector_of_another_length_is_no_trouble(questions):
    questions.add(HERE, entry(1))
    questions.add(HERE, entry(2, vector=bytes(5)))
    questions.add(HERE, entry(3))
    questions.rest()
    assert texts(questions, 3) == ["question 3?"]
    assert questions.nearest(HERE, bytes(7), 1, NOW) == []
    assert questions.stats().errors == 1


def test_a_store_that_fails_is_a_miss_and_counted(questions, answers):
    questions.add(HERE, entry(1))
    questions.rest()
    questions.close()
    answers.close()
    assert questions.nearest(HERE, vector(1), 1, NOW) == []
    assert questions.same(HERE, "question 1?", NOW) is None
    assert questions.evidence(b"row") is None
    assert (questions.add(HERE, entry(1)), questions.drop(HERE, 1), questions.learn(b"row", lambda row: row)) == (
        False,
        False,
        False,
    )


def test_what_cannot_be_written_is_counted_and_harms_nobody(questions, answers):
    questions.add(HERE, entry(1, question="half a \ud800 character"))
    questions.add(b"short", entry(2))
    questions.add(HERE, entry(3))
    questions.learn(b"row", lambda _row: 1 // 0)
    questions.rest()
    assert texts(questions, 3, count=9) == ["question 3?"]
    assert questions.stats().errors == 1
    assert answers.stats().errors >= 2


def test_tables_that_cannot_be_made_are_an_error(answers, monkeypatch):
    def refuse(_env):
        raise lmdb.DbsFullError("full")

    monkeypatch.setattr(module.rows, "open_tables", refuse)
    with pytest.raises(StoreError, match="full"):
        open_questions(answers, lambda: 1.0)


def test_a_failure_in_the_background_is_told_and_tried_again(questions, monkeypatch, caplog):
    for seed in range(100):
        questions.add(HERE, entry(seed))
    questions.rest()
    with monkeypatch.context() as patch:
        patch.setattr(shelves, "Shelf", lambda _index: 1 // 0)
        assert texts(questions, 1) == []
        questions.rest()
    assert "could not be read" in caplog.text
    assert questions.stats().errors == 1
    assert texts(questions, 1) == []
    questions.rest()
    assert texts(questions, 1) == ["question 1?"]


@pytest.mark.skipif(not is_installed(), reason="needs farthing[ann]")
def test_many_questions_are_a_graph(answers):
    questions = Questions(answers, worth_it=200)
    for seed in range(400):
        questions.add(HERE, entry(seed))
        if seed % 50 == 0:
            questions.rest()
            texts(questions, seed)
    for _ in range(20):
        texts(questions, 1)
        questions.rest()
    shelf = questions._shelves._shelves[HERE]
    assert isinstance(shelf.index, shelves.Layers)
    assert shelf.index.unsettled <= 200 // 8
    assert sum(texts(questions, seed) == [f"question {seed}?"] for seed in range(400)) >= 396
    number = questions.nearest(HERE, vector(9), 1, NOW)[0].number
    questions.drop(HERE, number)
    questions.rest()
    assert texts(questions, 9) != ["question 9?"]
    questions.close()


def test_without_the_extra_the_scan_goes_on_and_says_so(answers, monkeypatch, caplog):
    monkeypatch.setattr(shelves, "is_installed", lambda: False)
    questions = Questions(answers, worth_it=100)
    for seed in range(150):
        questions.add(HERE, entry(seed))
    questions.rest()
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            texts(questions, 1)
            questions.rest()
    assert texts(questions, 1) == ["question 1?"]
    assert caplog.text.count("farthing[ann]") == 1
    questions.close()


OTHER = """
import sys
from pathlib import Path
from farthing.levers.recall.semantic.questions import open_questions
from farthing.levers.recall.semantic.tables import Entry
from farthing.levers.recall.store import open_answers
answers = open_answers(Path(sys.argv[1]), 8 << 20, lambda: 1000.0)
questions = open_questions(answers, lambda: 1000.0)
here, vector = b"h" * 32, bytes.fromhex(sys.argv[2])
def more(row):
    return b"%d" % (int(row or b"0") + 1)
def note(text):
    print(text, flush=True)
"""


def run(code: str, answers_path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OTHER + code, str(answers_path), vector(1).hex(), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_share(questions, answers, tmp_path):
    code = """
found = questions.nearest(here, vector, 1, 1500.0)
note(found[0].entry.question)
questions.drop(here, found[0].number)
questions.add(here, Entry("theirs?", vector, b"", b"a" * 32, "t", 1000.0, 2000.0))
for _ in range(500):
    questions.learn(b"row", more)
    answers.flush() if _ % 50 == 0 else None
questions.rest()
questions.close()
answers.close()
"""
    questions.add(HERE, entry(1))
    questions.rest()
    assert texts(questions, 1) == ["question 1?"]
    other = run(code, tmp_path / "answers")
    for _ in range(500):
        questions.learn(b"row", lambda row: b"%d" % (int(row or b"0") + 1))
        questions.rest()
    out, _ = other.communicate(timeout=60)
    assert (out, other.returncode) == ("question 1?\n", 0)
    assert texts(questions, 1, count=3) == ["theirs?"]
    assert questions.evidence(b"row") == b"1000"


def test_a_killed_process_loses_at_most_what_it_had_not_written(questions, answers, tmp_path):
    code = """
for number in range(100_000):
    questions.add(here, Entry(f"q{number}", vector, b"", b"a" * 32, "t", 1000.0, 2000.0))
    if number % 20 == 19:
        questions.rest()
        note(number + 1)
"""
    other = run(code, tmp_path / "answers")
    told = 0
    while told < 200:
        told = int(other.stdout.readline())
    other.kill()
    rest, _ = other.communicate(timeout=60)
    told = int(rest.split()[-1]) if rest.split() else told
    kept = questions.stats().entries
    assert told <= kept <= told + 20
    questions.add(HERE, entry(1))  # and the next one goes on
    questions.rest()
    assert questions.same(HERE, "question 1?", NOW) is not None
    assert questions.stats().entries == kept + 1
