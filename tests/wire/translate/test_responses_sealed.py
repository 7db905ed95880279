import pytest
from hypothesis import given
from tests.wire.translate.responses_strategies import reasonings

from farthing.wire.translate.conversation import Reasoning
from farthing.wire.translate.responses_sealed import sealed, unsealed


@given(reasonings)
def test_what_is_signed_comes_back(reasoning):
    seal = sealed(reasoning)
    if reasoning.signature is None and reasoning.redacted is None:
        assert seal is None
    else:
        assert unsealed(seal) == reasoning


def test_another_ones_seal_is_left_alone():
    assert unsealed("gAAAAABo") is None
    assert unsealed("") is None


@pytest.mark.parametrize("damage", [lambda seal: seal[:-3], lambda seal: seal + "!", lambda _: "farthing.1.e30="])
def test_a_broken_seal_is_told(damage):
    with pytest.raises(ValueError, match="seal"):
        unsealed(damage(sealed(Reasoning("I think", "c2ln"))))
