"""Starting: sockets, and errors that name the way out."""

import pickle
import socket

import pytest

from farthing.errors import ConfigError
from farthing.gateway.server import bind, server_config
from farthing.gateway.workers import Worker
from farthing.policy import Policy, Source


def test_a_port_in_use_names_the_way_out():
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(ConfigError, match=r"port \d+ on 127\.0\.0\.1 is in use.*--port"):
            bind("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_not_ours():
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1"):
        bind("192.0.2.1", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_loopback():
    try:
        with bind("::1", 0) as listener:
            assert listener.family == socket.AF_INET6
    except ConfigError as problem:  # a machine without an IPv6 loopback
        assert "::1" in str(problem)  # noqa: PT017 - either way is right


def test_nothing_of_uvicorn_s_own_is_added():
    config = server_config(Policy(), lambda: None)
    config.load()
    assert config.encoded_headers == []
    assert (config.access_log, config.proxy_headers, config.date_header) == (False, False, False)


async def test_a_worker_process_has_the_settings_that_were_read_whatever_the_file_says_now(tmp_path):
    path = tmp_path / "f.toml"
    path.write_text(f'mode = "save"\n[store]\nurl = "sqlite:///{tmp_path}/w.db"\n')
    source = Source({}, path)
    worker = Worker(source, source.read())
    path.write_text("[[[")
    runtime = pickle.loads(pickle.dumps(worker))().runtime
    assert (runtime.policy.mode, runtime.policy.store.path) == ("save", f"{tmp_path}/w.db")
    await runtime.stop()
