from __future__ import annotations

import importlib.util
import math
import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.levers.recall.semantic.index import Index, Scan

HAS_GRAPH = importlib.util.find_spec("usearch") is not None
KINDS = ["scan", pytest.param("graph", marks=pytest.mark.skipif(not HAS_GRAPH, reason="needs farthing[ann]"))]


def new(kind: str, dimensions: int) -> Index:
    if kind == "scan":
        return Scan(dimensions)
    from farthing.levers.recall.semantic.usearch_index import Graph

    return Graph(dimensions)


def cosine(a: bytes, b: bytes) -> float:
    one, two = array("b", a), array("b", b)
    product = sum(x * y for x, y in zip(one, two, strict=True))
    return product / math.sqrt(max(sum(x * x for x in one), 1) * max(sum(x * x for x in two), 1))


def scaled(numbers: list[float]) -> bytes:
    length = math.sqrt(sum(x * x for x in numbers))
    return array("b", [round(127 * x / length) for x in numbers]).tobytes()


def near(rng: random.Random, vector: bytes, noise: float) -> bytes:
    return scaled([x + rng.gauss(0, noise) for x in array("b", vector)])


def some(rng: random.Random, count: int, dimensions: int) -> list[bytes]:
    return [scaled([rng.gauss(0, 1) for _ in range(dimensions)]) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vector_is_exactly_similar(kind):
    index, vectors = new(kind, 256), some(random.Random(1), 200, 256)
    for number, vector in enumerate(vectors):
        index.add(number, vector)
    assert [index.nearest(vector, 1) for vector in vectors] == [[(number, 1.0)] for number in range(200)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimensions", [40, 256, 384])
def test_what_is_near_is_found_among_many_and_its_similarity_is_exact(kind, dimensions):
    rng = random.Random(dimensions)
    index, vectors = new(kind, dimensions), some(rng, 2000, dimensions)
    for number, vector in enumerate(vectors):
        index.add(number, vector)
    for number in range(0, 2000, 50):
        sought = near(rng, vectors[number], 60 / math.sqrt(dimensions))
        best = index.nearest(sought, 1)[0]
        assert best == (number, pytest.approx(cosine(sought, vectors[number]), abs=1e-12))


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_may_come_back_with_another_vector(kind):
    index = new(kind, 8)
    one, two = some(random.Random(3), 2, 8)
    index.add(7, one)
    index.remove(7)
    index.remove(7)
    assert (len(index), index.nearest(one, 3)) == (0, [])
    index.add(7, two)
    assert index.nearest(two, 3) == [(7, 1.0)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_of_nothing_is_similar_to_nothing(kind):
    index = new(kind, 8)
    index.add(1, bytes(8))
    assert index.nearest(bytes(8), 1) == [(1, 0.0)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_of_another_length_is_refused(kind):
    index = new(kind, 8)
    with pytest.raises(ValueError, match="7 instead of 8"):
        index.add(1, bytes(7))
    with pytest.raises(ValueError, match="9 instead of 8"):
        index.nearest(bytes(9), 1)


vectors = st.binary(min_size=5, max_size=5).map(lambda raw: raw.replace(b"\x80", b"\x81"))
steps = st.lists(st.tuples(st.integers(0, 150), st.none() | vectors), max_size=250)


@settings(deadline=None)
@given(steps, vectors)
def test_a_scan_is_what_it_would_be_with_a_dict(done, sought):
    index, model = Scan(5), dict[int, bytes]()
    for number, vector in done:
        index.remove(number)
        model.pop(number, None)
        if vector is not None:
            index.add(number, vector)
            model[number] = vector
    found = index.nearest(sought, len(model))
    assert len(index) == len(model) == len(found)
    assert {number: pytest.approx(cosine(sought, vector)) for number, vector in model.items()} == dict(found)
    assert [similarity for _, similarity in found] == sorted(dict(found).values(), reverse=True)
    assert index.nearest(sought, 2) == found[:2] or len(model) > 64
