"""Plain English rules: what a question's own words say about whether its answer may be given again.

A rule is a handful of words and a pattern around them, ``<>`` standing for any of the words; without a pattern the
words alone decide. Only the rules of words that occur are looked at, so a question costs some microseconds. They lie in
``rules_asker`` and ``rules_world``; here is what they share.

Written for questions as people type or dictate them, over their lower-case text. They err towards refusing: a refusal
costs one call, a wrong answer costs trust. ``benchmarks/cache_gate.py`` measures them.
"""

from __future__ import annotations

RULES_VERSION = 3
"""Raised whenever a rule or the model beside them begins to refuse more: it is part of every key, so
what was let in before is not found."""

Rules = tuple[tuple[str, str], ...]
"""Words, separated by spaces; a pattern."""

HAIL = (
    r"(?:(?:hey|hi|hello|ok|okay|please|pls|kindly|just|now|then|yes|let's|lets|let us|go ahead and"
    r"),? )*"
)

YOU = r"(?:(?:can|could|would|will) (?:you|u) (?:please |kindly |just )*)?"

ASKED = rf"^\W*(?:\w+ please,? )?{HAIL}{YOU}{HAIL}"

WANT = r"(?:i|we)(?:'d| would|'ll| will| really)? (?:want|need|like|love|wanna|have)(?: you)?(?: to)?"

GENERAL = (
    r"(?!.*(?:\bnot\b|n't\b|\bwhy\b|\bcannot\b|\bwrong\b|\bif\b|\bhow (?:do|can|to|long|come)\b"
    r"|\b(?:can|do|should|must) i (?!have\b)))"
)
"""Not a question that is answered alike for everyone: why, how to, may I, what if, it does not work."""

PERIOD = (
    "minutes? hours? days? nights? mornings? afternoons? evenings? weeks? weekend months? quarters? years? seasons?"
).replace(" ", "|")

DATE = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july"
    "|august|september"
    "|october|november|december"
)

NEXT = "next|last|past|coming|previous|this"

FRAGMENT = (
    r"\W*\S+(?: \S+)?\W*$"
    r"|\W*(?:why not|how so|how come|go on|go ahead|tell me more|what else|all of them"
    r"|thank you very much)\W*$"
    r"|\W*(?:and|but|or|also|so|then|yes|actually|instead|what about|how about|tell me more|more about"
    r"|which (?:one|of)|are there (?:any )?other"
    r"|any other|anything else|is that)\b(?!.{70})"
)
"""A word or two, or the second half of something: matched at the beginning."""

DATED = r"\b1[0-9]\d\d\b|\b20\d\d\b|\bfirst\b|\boriginal|\b(?:1[0-9]|20)\d0s\b|\bseason \w+ episode\b"
"""Words that fix a question in time: its answer is history."""

OWN_STORY = r"^(?!\W*who\b).*\b(?:i|i'm|i've|i'd|my|me|we|our)\b"
"""Someone tells what happened to them: ``today`` is then when it happened, not what is asked for. Who won is still
who won, of "I Want to Sing" too."""

PAYLOAD = (
    r"\W{0,3}(?:please )?(?:classify|categori[sz]e|label|translate|summari[sz]e|extract|rewrite|rephrase"
    r"|paraphrase|proofread|correct|fix"
    r"|convert|detect|identify|analy[sz]e|edit|shorten|parse|format)\b[^\n]{0,200}?(?::\s|\n)"
)
"""An instruction, then the text it is about: what that text says is not asked of anyone."""
