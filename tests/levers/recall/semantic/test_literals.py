from __future__ import annotations

import string

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.literals import SOFT, Literals, clash, conflict, read

APART = {
    "number": [
        ("Are there two keys in the box?", "Are there three keys in the box?"),
        ("a loan over 15 years", "a loan over 30 years"),
        ("a room for twenty five guests", "a room for twenty-six guests"),
        ("Can I send 5,000 at once?", "Can I send 500 at once?"),
        ("What is 7 minus -3?", "What is 7 minus 3?"),
    ],
    "nth": [("Who came first in the race?", "Who came second in the race?")],
    "unit": [("Is 5 kg too heavy?", "Is 5 lb too heavy?"), ("How much is $40?", "How much is \u20ac40?")],
    "code": [
        ("Where is parcel #PK-10442?", "Where is parcel #PK-10424?"),
        ("Does v2.1.3 run on it?", "Does v2.1.4 run on it?"),
        ("What happened on 2024-03-05?", "What happened on 2024-05-03?"),
        ("Is C++ hard to learn?", "Is C# hard to learn?"),
    ],
    "clock": [("Is the desk staffed at 5pm?", "Is the desk staffed at 5 am?")],
    "date": [
        ("Are you closed on Monday?", "Are you closed on Tuesday?"),
        ("deadline of 5 March", "deadline of 5 May"),
    ],
    "address": [
        ("What is https://a.example/x about?", "What is https://a.example/y about?"),
        ("Write to ann@mill.example", "Write to bob@mill.example"),
        ("What is in /etc/hosts?", "What is in /etc/fstab?"),
        ("Who runs main.py?", "Who runs test.py?"),
        ("Is good.com safe?", "Is best.com safe?"),
        ("What does get_user return?", "What does set_user return?"),
    ],
    "quote": [('What does "carry" mean?', 'What does "curry" mean?'), ('Why "why"?', "Why it?")],
    "sign": [("Is x + y right?", "Is x * y right?"), ("Is \u00bd right?", "Is \u00bc right?")],
    "negation": [
        ("Which fees are refunded?", "Which fees aren't refunded?"),
        ("Can I sail without a licence?", "Can I sail with a licence?"),
        ("Is it possible?", "Is it NOT possible?"),
    ],
    "kind": [
        ("Who wrote the report on keels?", "When was the report on keels written?"),
        ("Why do boats sink?", "Where do boats sink?"),
        ("How much is a sextant?", "What is a sextant?"),
        ("How do you get people to talk to you?", "How do you talk to people?"),
    ],
    "name": [
        ("Is the museum in Graz free?", "Is the museum in Linz free?"),
        ("What are the fees of Ann Lee?", "What are the fees of Ann Moore?"),
        ("how is the food in portugal", "how is the food in poland"),
        ("What do I need for IT studies?", "What do I need for studies?"),
    ],
    "opposite": [
        ("How do I turn the pump on?", "How do I turn the pump off?"),
        ("What is the maximum draught?", "What is the minimum draught?"),
        ("How do I upload the log?", "How do I download the log?"),
        ("arguments for a keel", "arguments against a keel"),
        ("Should I tell him?", "Should I tell her?"),
        ("Is it legal to moor here?", "Is it illegal to moor here?"),
        ("Does it open at noon?", "Does it open at midnight?"),
    ],
    "direction": [
        ("How do I convert feet to fathoms?", "How do I convert fathoms to feet?"),
        ("a ferry from Oslo to Kiel", "a ferry from Kiel to Oslo"),
        ("Is rope better than wire?", "Is wire better than rope?"),
        ("Are gulls afraid of eagles?", "Are eagles afraid of gulls?"),
        ("go from 5 to 10", "go from 10 to 5"),
        ("Can law graduates apply for nursing?", "Can nursing graduates apply for law?"),
        ("a degree in law and a job in nursing", "a degree in nursing and a job in law"),
    ],
    "slot": [("how to varnish a rudder", "how to varnish a paddle")],
    "narrower": [
        ("What are the rules of a regatta?", "What are the rules of a junior regatta?"),
        ("How do I varnish a rudder?", "How do I varnish a rudder using spray?"),
        ("Which knots hold?", "Which knots hold in wet rope?"),
    ],
}

TOGETHER = [
    ("How do I reset my password?", "how can I reset the password"),
    ("Are there 2 keys in the box?", "are there two keys in the box"),
    ("a loan over thirty years", "loan over 30 years"),
    ("Is it a two hundred and five page book?", "is it a 205 page book"),
    ("Can I send 5,000?", "can I send 5000"),
    ("What's the status of parcel #PK-10442?", "Can you tell me the status of parcel PK-10442?"),
    ("Does the club's insurance cover hulls?", "Are hulls covered by the club's insurance?"),
    ("Why isn't my pump working?", "Why does my pump not work?"),
    ("What are the pros and cons of oars and sails?", "What are the pros and cons of sails and oars?"),
    ("What are the best hotels of Graz?", "Which are good hotels in Graz?"),
    ('What does "carvel" mean?', "What does carvel mean?"),
    ("Should I buy a boat or not?", "Should I buy a boat?"),
    ("is the desk staffed at 5pm", "is the desk staffed at 5 p.m."),
]


@pytest.mark.parametrize(("reason", "pair"), [(reason, pair) for reason, pairs in APART.items() for pair in pairs])
def test_what_keeps_two_questions_apart(reason, pair):
    assert conflict(*pair) == conflict(*reversed(pair)) == reason


@pytest.mark.parametrize("pair", TOGETHER)
def test_other_wordings_of_the_same(pair):
    assert conflict(*pair) is None


def test_only_doubts_may_be_overruled():
    assert set(APART) > SOFT
    assert SOFT.isdisjoint({"number", "unit", "code", "date", "address", "quote", "negation", "opposite", "direction"})


FRAMES = [
    "What about {}?",
    "Tell me about {} please",
    "is {} allowed here",
    "{}: is that right?",
    "why {} and not more",
]

_letters = st.text(string.ascii_lowercase, min_size=1, max_size=6)
LITERALS = {
    "integer": st.integers(0, 10**9).map(str),
    "decimal": st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: f"{pair[0]}.{pair[1]}"),
    "code": st.tuples(_letters, st.integers(0, 99999)).map(lambda pair: f"{pair[0].upper()}-{pair[1]}"),
    "number and unit": st.tuples(st.integers(0, 99), st.sampled_from(["kg", "km", "lb", "hours", "percent"])).map(
        lambda pair: f"{pair[0]} {pair[1]}"
    ),
    "money": st.tuples(st.sampled_from("$\u20ac\u00a3"), st.integers(0, 9999)).map(lambda pair: f"{pair[0]}{pair[1]}"),
    "date": st.dates().map(str),
    "day": st.tuples(st.integers(1, 31), st.sampled_from(["March", "May", "June", "December"])).map(
        lambda pair: f"{pair[0]} {pair[1]}"
    ),
    "time": st.times().map(lambda time: f"{time:%H:%M}"),
    "address": _letters.map(lambda path: f"https://harbour.example/{path}"),
    "mail": _letters.map(lambda name: f"{name}@harbour.example"),
    "file": _letters.map(lambda name: f"{name}.csv"),
    "variable": st.tuples(_letters, _letters).map("_".join),
    "path": _letters.map(lambda name: f"/srv/{name}"),
    "quote": st.lists(_letters, min_size=1, max_size=4).map(lambda words: f'"{" ".join(words)}"'),
}


@given(data=st.data(), kind=st.sampled_from(sorted(LITERALS)), frame=st.sampled_from(FRAMES))
def test_no_two_different_literals_ever_match(data, kind, frame):
    one, other = data.draw(LITERALS[kind]), data.draw(LITERALS[kind])
    assume(one != other)
    assert conflict(frame.format(one), frame.format(other)) is not None


@given(data=st.data(), kinds=st.tuples(*[st.sampled_from(sorted(LITERALS))] * 2), frame=st.sampled_from(FRAMES))
def test_a_literal_never_matches_its_absence(data, kinds, frame):
    one, more = (data.draw(LITERALS[kind]) for kind in kinds)
    assert conflict(frame.format(one), frame.format(f"{one}, {more}")) is not None
    assert conflict(frame.format("it"), frame.format(one)) is not None


SAYINGS = [
    "one",
    "two",
    "eleven",
    "twenty",
    "forty two",
    "ninety-nine",
    "one hundred",
    "two hundred and seven",
    "three million",
]
VALUES = [1, 2, 11, 20, 42, 99, 100, 207, 3_000_000]


@given(st.sampled_from(range(len(SAYINGS))), st.sampled_from(range(len(SAYINGS))))
def test_a_number_word_is_that_number_and_no_other(first, second):
    same = conflict(f"a crew of {SAYINGS[first]} hours", f"a crew of {VALUES[second]} hours") is None
    assert same == (first == second)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_read_and_compared_both_ways(one, other):
    mine, yours = read(one), read(other)
    assert (clash(mine, yours) is None) == (clash(yours, mine) is None)
    assert conflict(one, one) is None


@given(st.text(max_size=60))
def test_what_was_read_can_be_stored(text):
    literals = read(text)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(literals), type=Literals) == literals
