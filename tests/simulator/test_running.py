"""A simulator in a thread of its own: it ends without a trace, whoever is just connecting."""

import gc
import logging
import socket
import urllib.request
from contextlib import ExitStack

import pytest

from farthing.simulator import running


def test_it_answers_and_is_gone_afterwards():
    with running(seed=1) as sim, urllib.request.urlopen(f"{sim.url}/_health") as reply:
        assert reply.status == 200
        port = int(sim.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_in_use_is_the_caller_s_error():
    with running() as sim, pytest.raises(OSError, match="in use"), running(port=int(sim.url.rpartition(":")[2])):
        pass


def test_who_connects_while_it_ends_leaves_no_socket_behind(caplog):
    """asyncio drops connections that it has accepted and not yet set up when their server closes, with a complaint."""
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        for count in (1, 20, 50, 100):
            with ExitStack() as stack, running() as sim:
                address = ("127.0.0.1", int(sim.url.rpartition(":")[2]))
                for _ in range(count):
                    stack.enter_context(socket.create_connection(address)).sendall(
                        b"GET /_health HTTP/1.1\r\nhost: sim\r\n\r\n"
                    )
        gc.collect()  # what is left behind warns when it goes, and a warning is an error
    assert caplog.records == []
