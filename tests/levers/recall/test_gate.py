from __future__ import annotations

import json
import re

import msgspec
import pytest

from farthing.levers.recall import rules_asker, rules_world
from farthing.levers.recall.gate import Flags, read_flags, refusal, refused_by_words
from farthing.types import Facts, Prompt, Turn

SERVED = [
    "Is there a list of harbours?",
    "How long does it take to deliver a parcel?",
    "Why is the exchange rate for my payment wrong?",
    "How do I change the address on my policy?",
    "Why was my parcel returned to the sender?",
    "My card does not work abroad, what can I do?",
    "What does a surveyor look at?",
    "Explain the difference between a lease and a loan.",
    "Is it possible to pay in two parts?",
    "Can I get a second key for the locker?",
    "I paid with my old card yesterday and nothing arrived",
    "who wrote the first book of the cycle",
    "Which year was the bridge of 1894 opened, and who designed it?",
    "How can I cancel an order that I placed twice?",
    "What is the boiling point of ethanol?",
    "Translate into French: what is the weather like today?",
    "Classify this ticket:\nplease cancel my order",
]

REFUSED = {
    "action": [
        "turn off the lamp in the hall",
        "Please book a table for two",
        "could you please send an e-mail to the landlord",
        "remind me to water the plants",
        "I want to listen to some cello music",
        "Cancel my dentist appointment",
        "add oat milk to the list",
        "a taxi to the harbour",
        "I need you to close the garage",
    ],
    "live_data": [
        "will it rain in Trondheim",
        "what's the weather like",
        "is there much traffic on the ring road",
        "how much is 40 euros in yen",
        "what is the stock price of the mill",
        "any news about the strike",
        "what time is it in Lima",
        "where is the nearest bakery",
        "when does the next train to Graz leave",
        "is the library open now",
    ],
    "personal": [
        "what is my balance",
        "show me my calendar for the week",
        "do I have any unread messages",
        "how much did I spend on coffee",
        "what are my plans for saturday",
        "when is my next appointment",
    ],
    "time_dependent": [
        "who is the president of the chess club",
        "what is the latest version of the standard",
        "how old is the queen's dog",
        "who won the regatta",
        "who has the most medals in curling",
        "when is the next eclipse",
        "how many titles has the club",
        "who won Sing for Me",
        "which city has the cleanest beaches",
    ],
    "needs_context": [
        "is there a fee for it?",
        "and the blue ones?",
        "what about children",
        "yes",
        "how do they differ",
        "Why?",
        "the second one",
    ],
    "creative": ["know any good jokes", "another example", "surprise me"],
}


@pytest.mark.parametrize("question", SERVED)
def test_general_questions_are_served(question):
    assert refused_by_words(question) is None


@pytest.mark.parametrize(
    ("reason", "question"), [(reason, text) for reason, texts in REFUSED.items() for text in texts]
)
def test_what_must_not_come_from_a_cache(reason, question):
    assert refused_by_words(question) == reason
    assert refused_by_words(question.upper()) == reason


def test_followup_needs_context_key():
    history = (Turn("user", "What is a keel?"), Turn("assistant", "The spine of a boat."))
    prompt = Prompt(system="", turns=(*history, Turn("user", "What is a good material to build one from?")))
    assert refusal("chat", Facts(), prompt, Flags()) == "needs_context"
    assert refusal("chat", Facts(), prompt, Flags(), conversations=True) is None


def test_a_curly_apostrophe_is_an_apostrophe():
    assert refused_by_words("what\u2019s my balance") == refused_by_words("what's my balance") == "personal"


def test_a_document_is_not_read_as_a_question():
    filler = "The committee met and the minutes were approved as they stood. " * 20
    text = f"{filler} Today the weather was bad and my balance is low. {filler}"
    assert refused_by_words(f"Read the text and name its author.\n{text}\nWho wrote it down?") is None
    assert refused_by_words(f"{text}\n{filler}\nGiven all this, what is the weather in Graz?") == "live_data"


def reason(body: dict[str, object], prompt: Prompt | None = None, **facts: object) -> str | None:
    asked = prompt or Prompt(system="", turns=(Turn("user", "How do I moor a boat?"),))
    return refusal("chat", Facts(**facts), asked, read_flags(json.dumps(body).encode(), asked))  # type: ignore[arg-type]


def test_a_plain_question_is_served():
    assert reason({"model": "m", "messages": [], "n": 1, "tools": None, "background": False}) is None


def test_tool_turns_bypass_cache():
    assert reason({"tools": [{"type": "function"}]}) == "tools"
    assert reason({"tools": [{"type": "web_search"}]}) == "tools"
    assert reason({"functions": [{"name": "f"}]}) == "tools"
    assert reason({"mcp_servers": [{"url": "x"}]}) == "tools"
    question = Turn("user", "How do I moor a boat?")
    assert reason({}, Prompt(system="", turns=(question, Turn("tool", "42")))) == "tools"
    unused = Prompt(system="", turns=(question,), tools=("f",), tool_choice="none")
    assert reason({"tools": [{"type": "function"}]}, unused) is None
    assert reason({"tools": [{"type": "function"}], "mcp_servers": [{"url": "x"}]}, unused) == "tools"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("n", 2, "many_choices"),
        ("background", True, "state_elsewhere"),
        ("previous_response_id", "resp_1", "state_elsewhere"),
        ("conversation", {"id": "conv_1"}, "state_elsewhere"),
        ("container", "c", "state_elsewhere"),
        ("prompt", {"id": "pmpt_1"}, "state_elsewhere"),
        ("web_search_options", {}, "web_search"),
    ],
)
def test_answers_that_the_body_alone_does_not_decide(field, value, expected):
    assert reason({field: value}) == expected


def test_models_that_search_the_web():
    assert reason({}, model="gpt-4o-search-preview") == "web_search"
    assert reason({}, model="gpt-4o") is None


def test_pictures_by_address_may_change():
    prompt = Prompt(system="", turns=(Turn("user", "What kind of boat can you see there?"),), attachments=1)
    for part in (
        {"type": "image_url", "image_url": {"url": "https://example.com/boat.png"}},
        {"type": "input_image", "image_url": "HTTP://example.com/boat.png"},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/boat.png"}},
        {"type": "input_file", "file_url": "https://example.com/boat.pdf"},
    ):
        assert reason({"messages": [{"content": [part]}]}, prompt) == "attachments"
    inline = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert reason({"messages": [{"content": [inline]}]}, prompt) is None


def test_embeddings_are_welcome_whatever_they_say():
    prompt = Prompt(system="", turns=(Turn("user", "what is the weather today"),))
    assert refusal("embeddings", Facts(), prompt, Flags()) is None


def test_flags_need_an_object():
    with pytest.raises(msgspec.DecodeError):
        read_flags(b"[]", Prompt(system="", turns=()))


RULES = (
    *(rules_asker.ACTION, rules_asker.PERSONAL, rules_asker.CREATIVE, rules_asker.NEEDS_CONTEXT),
    *(rules_world.LIVE_DATA, rules_world.TIMELY),
)


@pytest.mark.parametrize("entry", [entry for group in RULES for entry in group], ids=lambda entry: entry[0].split()[0])
def test_every_word_of_a_rule_can_be_found(entry):
    words, pattern = entry
    assert words.split() == re.findall(r"[a-z]+", words)
    re.compile(pattern.replace("<>", "x"))


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Wie ist das Wetter heute in Berlin?", "live_data"),
        ("Welche Mannschaft ist aktuell Tabellenführer?", "time_dependent"),
        ("Quel temps fait-il aujourd'hui à Lyon ?", "time_dependent"),
        ("¿Cuánto cuesta el dólar hoy en México?", "time_dependent"),
        ("Qual è la temperatura oggi a Roma?", "time_dependent"),
        ("Quem é o presidente do Brasil atualmente?", "time_dependent"),
        ("Wie is momenteel de premier van Nederland?", "time_dependent"),
        ("今日の東京の天気を教えてください", "language"),
        ("Какая сегодня погода в Москве?", "language"),
        ("ما هو الطقس اليوم في القاهرة؟", "language"),
        ("Wie setze ich mein Passwort zurück?", None),
        ("Comment réinitialiser un mot de passe oublié ?", None),
        ("What does the symbol β mean in statistics?", None),
        ("Translate into English:\n今日は天気がいいですね、散歩に行きましょう", None),
    ],
)
def test_questions_in_other_languages(question, reason):
    """The rules know the words for the present in many languages, and do not pretend to read the others."""
    assert refused_by_words(question) == reason
