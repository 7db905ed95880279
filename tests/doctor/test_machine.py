"""Who is at the port; how many files may be open."""

import resource
import socket

import pytest
from tests.serving import held

from farthing.doctor import machine
from farthing.doctor.machine import There
from farthing.policy import Server

from .conftest import only


def test_a_port_that_is_free(policy_of):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        policy = policy_of(server=Server(port=taken.getsockname()[1]))
    there = machine.at_port(policy)
    assert there is None
    assert only(machine.port(policy, there, [])).state == "ok"


def test_another_program(policy_of):
    with held() as other:
        policy = policy_of(server=Server(port=int(other.url.rpartition(":")[2])))
        there = machine.at_port(policy)
    assert there is not None
    assert not there.farthing
    assert only(machine.port(policy, there, [])).state == "bad"


@pytest.mark.parametrize(
    ("ready", "writers", "state"),
    [
        ("ok", [7], "ok"),
        ("ok\nthe cache is off: x", [7], "ok"),
        ("the gateway is stopping", [7], "bad"),
        ("ok", [], "warn"),
    ],
)
def test_a_farthing(policy, ready, writers, state):
    assert only(machine.port(policy, There(farthing=True, ready=ready), writers)).state == state


@pytest.mark.parametrize(("hard", "state"), [(1024, "warn"), (65_536, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_open_files(monkeypatch, hard, state):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, hard))
    assert only(machine.open_files()).state == state
