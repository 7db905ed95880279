"""Groups request shapes into query types, online.

After Drain (He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017): a
tree of fixed depth, varying parts masked before, a bound on the children of a node and a wildcard child for what is
beyond it. The levels here are operation and response format, family (first sentence of the system prompt), template.

- A constant system prompt is one type, whatever the users write.
- A prompt that has facts woven into it makes a new text each time: after ``EAGER`` texts of a family only those that
  recur get a type of their own, the others share the family's wildcard.
- Without a telling system prompt the set of tools, or else the beginning of the user message, is the template; it has
  to recur.

An id is a hash of what it stands for: it never changes its meaning, and two miners agree on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from farthing.insight import titles
from farthing.insight.shape import HEAD_WORDS, operation
from farthing.ledger.records import Shape

EAGER = 12
"""So many texts of a family are types at first sight."""
RECURS = 20
"""So many sightings make a later text, or a beginning of a message, a type."""
MARKED_RECURS = 5
"""The same for a beginning that ends in a colon (``classify this ticket:``): likely a template."""
LARGEST_FAMILY = 200
"""Types of one family."""
MOST_FAMILIES = 500
"""Families of one operation and response format; what is beyond shares one type."""
MOST_COUNTED = 2_000
"""Candidates counted in one family."""
PREFIX = 3
"""Words of a message's beginning that make a template."""
WILDCARD = "*"

_FREE_SPEECH = """
what what's whats who who's whose whom when where where's which why how how's is are am was were do does did
can could will would should shall may might have has had i i'm i've i'd my me we our you your it it's its this
that there the a an in on at for if hi hello hey thanks thank yes no ok okay please and but so
"""
QUESTIONS = frozenset(_FREE_SPEECH.split())
"""Beginnings of free speech: a template only if many more words recur."""


class Family(msgspec.Struct, gc=False):
    """The types below one first sentence: template → id, and how often the candidates were seen."""

    types: dict[str, str] = {}
    counts: dict[str, int] = {}


class _State(msgspec.Struct):
    families: dict[str, dict[str, Family]] = {}
    titles: dict[str, str] = {}


class Miner:
    """Assigns ids of query types to shapes, in one pass; not for several threads at once."""

    def __init__(self) -> None:
        self._state = _State()

    def assign(self, wire: str, shape: Shape) -> str:
        """The id of the shape's query type. Depends only on the shapes assigned before."""
        group, _, signature = shape.key.rpartition(":")
        families = self._state.families.setdefault(group or operation(wire), {})
        name = _family(signature)
        if name not in families and len(families) >= MOST_FAMILIES:
            return self._called(_id(group, WILDCARD), f"other {group.partition(':')[0]} requests")
        family = families.setdefault(name, Family())
        if signature == "~" and not group.startswith("chat"):
            return self._called(_id(group, name), group.partition(":")[0])
        if signature == "~":
            return self._by_head(group, family, shape)
        return self._by_text(group, name, signature, family, shape)

    def names(self) -> dict[str, str]:
        """Id → a name in plain words; no name stands twice."""
        names: dict[str, str] = {}
        taken: dict[str, int] = {}
        for id_, title in self._state.titles.items():
            taken[title] = taken.get(title, 0) + 1
            names[id_] = title if taken[title] == 1 else f"{title} ({taken[title]})"
        return names

    def dump(self) -> bytes:
        """Everything known, for ``load``."""
        return msgspec.msgpack.encode(self._state)

    @classmethod
    def load(cls, data: bytes | None) -> Miner:
        """A miner that goes on where the dumped one stopped, or (``None``) a new one.

        Raises ``ValueError`` if the bytes are not a dump.
        """
        miner = cls()
        if data is None:
            return miner
        try:
            miner._state = msgspec.msgpack.decode(data, type=_State)
        except msgspec.MsgspecError as problem:
            raise ValueError(f"not a dump of query types: {problem}") from problem
        return miner

    def _by_text(self, group: str, name: str, signature: str, family: Family, shape: Shape) -> str:
        known = family.types.get(signature)
        if known is None and (len(family.types) < EAGER or _recurs(family, signature, RECURS)):
            known = family.types[signature] = _id(group, signature)
        return self._called(known or _id(group, name, WILDCARD), shape.title or "no words")

    def _by_head(self, group: str, family: Family, shape: Shape) -> str:
        for template, least in _templates(shape.head):
            known = family.types.get(template)
            if known is None and _recurs(family, template, least):
                known = family.types[template] = _id(group, "~", template)
            if known:
                return self._called(known, titles.of_head(shape.head))
        return self._called(_id(group, "~", WILDCARD), "free questions")

    def _called(self, id_: str, title: str) -> str:
        """Note the title; what differs between the titles of one type is left out of its name."""
        known = self._state.titles.get(id_)
        if known != title:
            self._state.titles[id_] = title if known is None else titles.common(known, title)
        return id_


def _family(signature: str) -> str:
    """The first sentence; without one, whether there are tools."""
    if signature[:1] != "~":
        return signature[:8]
    return "~" if signature == "~" else "~tools"


def _templates(head: tuple[str, ...]) -> Iterable[tuple[str, int]]:
    """What a message's beginning may be an instance of, and how often that has to be seen."""
    words = len(head)
    if words > 1 and head[-1].endswith(":"):
        yield " ".join(head), MARKED_RECURS
    elif words >= PREFIX and head[0] not in QUESTIONS:
        yield " ".join(head[:PREFIX]), RECURS
    elif words == HEAD_WORDS:
        yield " ".join(head), RECURS


def _recurs(family: Family, template: str, least: int) -> bool:
    """Count a sighting; whether the template has earned a type."""
    if len(family.types) >= LARGEST_FAMILY:
        return False
    seen = family.counts.pop(template, 0) + 1
    if seen >= least:
        return True
    if len(family.counts) >= MOST_COUNTED:  # the one not seen for longest makes room
        del family.counts[next(iter(family.counts))]
    family.counts[template] = seen
    return False


def _id(*parts: str) -> str:
    return "q" + blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=5).hexdigest()
