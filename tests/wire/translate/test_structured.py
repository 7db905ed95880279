import msgspec
import pytest

from farthing.wire.translate.conversation import Choice, Conversation, Format, Message, Text, Tool
from farthing.wire.translate.structured import as_tool, in_words

SCHEMA = msgspec.Raw(b'{"type":"object"}')
ASKED = Conversation(
    "m", (Message("user", (Text("hi"),)),), format=Format("json_schema", "person", SCHEMA, strict=True)
)
TOOL = Tool("look_up", parameters=SCHEMA)


def test_alone_it_is_forced_once():
    changed, name = as_tool(ASKED)
    assert name == "person"
    assert changed.tools == (Tool("person", "Gives the answer.", SCHEMA, strict=True),)
    assert (changed.choice, changed.parallel, changed.format) == (Choice("tool", "person"), False, None)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [(None, Choice("any")), (Choice("auto"), Choice("any")), (Choice("none"), Choice("tool", "person"))],
)
def test_beside_other_tools_some_tool_is_called(choice, wanted):
    changed, name = as_tool(msgspec.structs.replace(ASKED, tools=(TOOL,), choice=choice))
    assert (changed.choice, name) == (wanted, "person")
    assert [tool.name for tool in changed.tools] == ["look_up", "person"]


@pytest.mark.parametrize("choice", [Choice("any"), Choice("tool", "look_up")])
def test_where_another_tool_has_to_be_called_there_is_none(choice):
    asked = msgspec.structs.replace(ASKED, tools=(TOOL,), choice=choice)
    assert as_tool(asked) == (msgspec.structs.replace(asked, format=None), None)


def test_its_name_is_nobody_else_s():
    changed, name = as_tool(msgspec.structs.replace(ASKED, tools=(Tool("person"), Tool("person_"))))
    assert name == "person__"
    assert len({tool.name for tool in changed.tools}) == 3
    odd = msgspec.structs.replace(ASKED, format=Format("json_schema", "a person! " * 9, SCHEMA))
    assert as_tool(odd)[1] == ("a_person__" * 6)
    unnamed = msgspec.structs.replace(ASKED, format=Format("json_schema", schema=SCHEMA))
    assert as_tool(unnamed)[1] == "answer"


def test_in_words_it_stands_last_in_the_system_s():
    changed = in_words(msgspec.structs.replace(ASKED, system=(Text("Be brief."),)))
    assert changed.format == Format("json_object")
    assert changed.system[0] == Text("Be brief.")
    assert changed.system[1].text.endswith('{"type":"object"}')
    assert "JSON" in changed.system[1].text


@pytest.mark.parametrize("change", [as_tool, in_words])
def test_without_a_schema_there_is_nothing_to_do(change):
    with pytest.raises(ValueError, match="no schema"):
        change(msgspec.structs.replace(ASKED, format=Format("json_object")))
