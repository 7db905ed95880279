"""Trains the small model of the cacheability gate (src/farthing/levers/recall/gate_model.msgpack).

    PYTHONPATH=src python scripts/train_gate.py PATH_TO_SETS [--check]

Needs pyarrow, numpy and scikit-learn. Reads only sets under MIT, Apache or CC BY licences; NOTICE names them. Of every
set it takes the texts of half 0 (the hash of ``benchmarks/cache_gate.py``), so that half 1 of any traffic made of
them is new to it; of CAsT it also leaves out a third of the topics. ``--check`` prints, without writing anything, how
it does on intents and sources that it has not seen.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import sys
from collections.abc import Iterator
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from farthing.levers.recall.gate import refused_by_rules
from farthing.levers.recall.gate_model import BUCKETS, Model, features

TARGET = Path(__file__).parent.parent / "src" / "farthing" / "levers" / "recall" / "gate_model.msgpack"


class Text(NamedTuple):
    text: str
    refuse: bool
    group: str
    """Intent or source: what is kept aside together."""
    weight: float = 1.0


PLAIN = {
    "clinc150": """
        oil_change_how jump_start tire_change improve_credit_score international_fees ingredient_substitution cook_time
        food_last calories nutrition_info ingredients_list recipe measurement_conversion definition spelling translate
        calculator meaning_of_life carry_on international_visa plug_type vaccines rollover_401k report_lost_card
        damaged_card replacement_card_duration report_fraud pin_change lost_luggage travel_suggestion what_can_i_ask_you
        are_you_a_bot who_made_you where_are_you_from
    """,
    "hwu64": "cooking_recipe qa_definition qa_maths datetime_convert",
}
UNDECIDED = {
    "clinc150": "oos gas_type mpg yes no maybe timezone greeting goodbye thank_you how_old_are_you do_you_have_pets "
    "what_are_your_hobbies what_is_your_name who_do_you_work_for next_holiday account_blocked card_declined "
    "meal_suggestion insurance restaurant_reviews accept_reservations",
    "hwu64": "qa_factoid general_quirky general_praise general_negate general_dontcare general_confirm "
    "general_affirm general_explain general_repeat transport_query music_query recommendation_movies",
}
"""Intents whose questions are of both sorts, or say nothing. All others must not be answered twice."""
MIXED = ("qa_factoid",)

ROLES = (
    "president",
    "prime minister",
    "ceo",
    "captain",
    "head coach",
    "governor",
    "chairman",
    "mayor",
    "king",
    "manager",
)
BODIES = (
    "the country",
    "the chess club",
    "a big bank",
    "the team",
    "the state",
    "the union",
    "norway",
    "the city",
    "acme",
)
THINGS = ("the phone", "the console", "the framework", "python", "the standard", "the car", "the show", "the album")
PLACES = ("norway", "ghana", "new york", "the us", "london", "brazil", "europe", "india", "texas", "paris")
SOULS = ("mozart", "marie curie", "the singer", "lincoln", "the director", "shakespeare", "the inventor of radio")
TONGUES = ("python", "javascript", "sql", "rust", "c++", "bash", "kotlin", "regex", "html")
TASKS = ("sorts a list", "reads a csv file", "draws a tree", "finds duplicates", "resizes images", "calls an api")
TIMELY = {
    "who owns {}": (THINGS,),
    "how many people live in {}": (PLACES,),
    "what is the population of {}": (PLACES,),
    "what is the minimum wage in {}": (PLACES,),
    "which is the {} in {}": (("tallest building", "richest family", "largest company", "best school"), PLACES),
    "who holds the record for {} in {}": (("the mile", "most goals", "the high jump"), PLACES),
    "what country is the largest producer of {}": (("coffee", "steel", "rice", "oil", "copper"),),
    "who hosts the {} on tv": (("quiz", "news", "late show", "contest"),),
    "is {} still {}": (THINGS, ("free", "alive", "supported", "on sale")),
    "who is leading in the {} in {}": (("polls", "table", "race"), PLACES),
    "what movies are coming to {}": (PLACES,),
    "how much does {} cost": (THINGS,),
    "who is the {} of {}": (ROLES, BODIES),
    "who is the current {} of {}": (ROLES, BODIES),
    "name of the {} of {}": (ROLES, BODIES),
    "what is the latest version of {}": (THINGS,),
    "when does the new season of {} come out": (THINGS,),
    "when is the next {} coming out": (THINGS,),
    "what is the newest model of {}": (THINGS,),
    "how many {} are there in {} now": (("members", "seats", "teams", "episodes", "players"), BODIES),
    "who has the most {} of all time": (("goals", "wins", "medals", "titles", "points", "followers"),),
    "who won the {} this year": (("cup", "league", "election", "award", "race", "final"),),
    "when was the last time {} won the {}": (BODIES, ("cup", "league", "title")),
    "how old is the {} of {}": (ROLES, BODIES),
    "what is the price of {} today": (("gold", "oil", "a share", "bitcoin", "petrol", "silver"),),
}
LASTING = {
    "when was {} {}": (SOULS, ("born", "famous")),
    "where was {} born": (SOULS,),
    "when did {} die": (SOULS,),
    "what is {} known for": (SOULS,),
    "what is the capital of {}": (PLACES,),
    "how did {} get its name": (PLACES,),
    "what language do they speak in {}": (PLACES,),
    "which river flows through {}": (PLACES,),
    "when did {} become independent": (PLACES,),
    "list the {} by {}": (("books", "films", "works", "songs"), SOULS),
    "count the {} that {} wrote": (("books", "letters", "songs"), SOULS),
    "write a {} script that {}": (TONGUES, TASKS),
    "create a function in {} that {}": (TONGUES, TASKS),
    "give me the code for a {} program that {}": (TONGUES, TASKS),
    "fix this {} code so that it {}": (TONGUES, TASKS),
    "please explain how a {} program {}": (TONGUES, TASKS),
    "who was the first {} of {}": (ROLES, BODIES),
    "what does a {} do in {}": (ROLES, BODIES),
    "how is the {} of {} chosen": (ROLES, BODIES),
    "who designed {}": (THINGS,),
    "what is {} used for": (THINGS,),
    "how do i learn to use {}": (THINGS,),
    "what are the advantages of {}": (THINGS,),
    "why is {} so popular": (THINGS,),
    "is {} hard to learn": (THINGS,),
    "what is the difference between {} and {}": (THINGS, THINGS),
    "who won the {} in 1998": (("cup", "league", "election", "award", "race", "final"),),
}
"""Questions of our own: what changes with time beside what does not."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, help="the folder with cache/, routing/ and compress/")
    parser.add_argument("--check", action="store_true", help="only measure, on intents kept aside")
    args = parser.parse_args()
    texts = [text for text in gather(args.sets) if half(text.text) == 0]
    aside = {text.group for text in texts if blake2b(text.group.encode(), digest_size=1).digest()[0] % 5 == 0}
    known = [text for text in texts if text.group not in aside]
    unseen = [text for text in texts if text.group in aside]
    if args.check:
        report(fit(known), unseen)
        return
    TARGET.write_bytes(msgspec.msgpack.encode(fit(texts)))
    print(f"{len(texts)} texts, {sum(text.refuse for text in texts)} to be refused, {TARGET.stat().st_size} bytes")


def gather(sets: Path) -> Iterator[Text]:
    yield from assistant(sets / "cache" / "clinc150_stream.parquet", "clinc150", "class_id")
    yield from assistant(sets / "cache" / "hwu64_slots_stream.parquet", "hwu64", "intent")
    for row in table(sets / "cache" / "banking77_stream.parquet"):
        yield Text(row["query"], refuse=False, group=f"banking77 {row['class_id']}")
    yield from cast(sets)
    yield from general(sets)
    for templates, refuse in ((TIMELY, True), (LASTING, False)):
        for template, lists in templates.items():
            for filling in product(*lists):
                yield Text(template.format(*filling), refuse, f"own {template}", weight=0.5)


def assistant(path: Path, name: str, column: str) -> Iterator[Text]:
    """What is said to a voice assistant, by its intent; of questions for facts what no rule refuses counts as plain,
    with half the weight.
    """
    for row in table(path):
        intent, text = row[column], row["query"]
        if intent not in UNDECIDED[name].split():
            yield Text(text, intent not in PLAIN[name].split(), f"{name} {intent}")
        elif intent in MIXED and refused_by_rules(text.lower()) is None:
            yield Text(text, refuse=False, group=f"{name} {intent}", weight=0.5)


def general(sets: Path) -> Iterator[Text]:
    for name in ("mmlu_pro_queries", "arena_bench"):
        for query in sorted({row["query"] for row in table(sets / "routing" / f"{name}.parquet")}):
            yield Text(query.split("\nA.")[0], refuse=False, group=f"{name} {len(query) % 7}", weight=0.5)
    with gzip.open(sets / "compress" / "covidqa_questions.jsonl.gz", "rt") as lines:
        for line in lines:
            yield Text(json.loads(line)["question"], refuse=False, group="covidqa")


def cast(sets: Path) -> Iterator[Text]:
    """Only what stands by itself: what leans on earlier turns is told by its pronouns, which the rules know."""
    for row in table(sets / "cache" / "cast_multiturn.parquet"):
        group = f"cast {row['year']} {row['topic']}"
        if not held_out(row):
            if not row["context_dependent"]:
                yield Text(row["raw"], refuse=False, group=group)
            if row["resolved"]:
                yield Text(row["resolved"], refuse=False, group=group)


def held_out(row: dict[str, Any]) -> bool:
    """A third of CAsT's topics, to measure on."""
    return blake2b(f"{row['year']} {row['topic']}".encode(), digest_size=1).digest()[0] % 3 == 0


def fit(texts: list[Text]) -> Model:
    """Logistic regression over hashed features, rounded to bytes; refusing and not weigh alike."""
    numpy = importlib.import_module("numpy")
    sparse = importlib.import_module("scipy.sparse")
    linear = importlib.import_module("sklearn.linear_model")
    crc32 = importlib.import_module("zlib").crc32
    rows = [sorted({crc32(one) & (BUCKETS - 1) for one in features(text.text.lower())}) for text in texts]
    starts = numpy.cumsum([0, *(len(row) for row in rows)])
    matrix = sparse.csr_matrix((numpy.ones(starts[-1]), numpy.concatenate(rows), starts), (len(rows), BUCKETS))
    wanted = numpy.array([text.refuse for text in texts])
    regression = linear.LogisticRegression(C=0.7, class_weight="balanced", max_iter=500)
    regression.fit(matrix, wanted, sample_weight=numpy.array([text.weight for text in texts]))
    weights = regression.coef_[0]
    scale = float(abs(weights).max()) / 127
    return Model(numpy.round(weights / scale).astype("int8").tobytes(), scale, float(regression.intercept_[0]))


def report(model: Model, texts: list[Text]) -> None:
    print(f"{len(texts)} texts of intents and sources that were kept aside")
    for refuse in (True, False):
        chosen = [text for text in texts if text.refuse == refuse]
        found = sum(model.doubts(text.text.lower()) for text in chosen)
        print(
            f"{'must be refused' if refuse else 'plain'}: {found} of {len(chosen)} refused, {found / len(chosen):.1%}"
        )
        for group in sorted({text.group for text in chosen}):
            own = [text for text in chosen if text.group == group]
            print(f"    {group}: {sum(model.doubts(text.text.lower()) for text in own)} of {len(own)}")


def half(text: str) -> int:
    return blake2b(text.lower().strip().encode(), digest_size=4).digest()[0] & 1


def table(path: Path) -> list[dict[str, Any]]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        sys.exit("reading the sets needs pyarrow, numpy and scikit-learn")
    return parquet.read_table(path).to_pylist()


if __name__ == "__main__":
    main()
