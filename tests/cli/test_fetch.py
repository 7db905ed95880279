import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from farthing.cli.fetch import credential, get, next_page, sources
from farthing.errors import StatementError

ENVIRON = {"OPENAI_ADMIN_KEY": "sk-admin", "ANTHROPIC_ADMIN_KEY": "sk-ant-admin", "MINE": "own"}


def test_every_page_of_an_address_is_asked_for():
    asked = []

    def get(address, headers):
        asked.append((address, headers))
        more = None if "page=2" in address else "2"
        return json.dumps({"data": [], "next_page": more}).encode()

    found = list(sources("https://api.openai.com/v1/organization/costs?start_time=1&page=0", ENVIRON, None, get))
    assert [name for name, _ in found] == ["https://api.openai.com/v1/organization/costs"] * 2
    assert [address.partition("?")[2] for address, _ in asked] == ["start_time=1&page=0", "start_time=1&page=2"]
    assert asked[0][1] == {"authorization": "Bearer sk-admin"}


def test_an_admin_key_goes_to_its_own_provider_alone():
    assert credential("https://api.anthropic.com/v1/organizations/cost_report", ENVIRON, None) == {
        "x-api-key": "sk-ant-admin",
        "anthropic-version": "2023-06-01",
    }
    for other in ("http://api.openai.com/v1", "https://api.openai.com.evil.example/v1", "http://127.0.0.1:9/_invoice"):
        assert credential(other, ENVIRON, None) == {}
    assert credential("https://llm.example/usage", ENVIRON, "MINE") == {"authorization": "Bearer own"}
    with pytest.raises(StatementError, match="set OPENAI_ADMIN_KEY"):
        credential("https://api.openai.com/v1/organization/costs", {}, None)


def test_pages_without_end_are_given_up():
    with pytest.raises(StatementError, match="more than 1000 pages"):
        list(sources("http://x.example/", {}, None, lambda *_: b'{"next_page": "again"}'))


def test_what_is_no_page_has_no_next_one():
    assert next_page("http://x.example/", b"model,input\n") is None
    assert next_page("http://x.example/", b"[1]") is None


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_an_address_is_asked_and_a_redirection_not_followed(server):
    assert get(server + "/", {"authorization": "Bearer x"}) == b"{}"
    with pytest.raises(StatementError, match="302"):
        get(server + "/away", {"authorization": "Bearer x"})


def test_an_address_that_does_not_answer_is_told():
    with pytest.raises(StatementError, match=r"127\.0\.0\.1:1"):
        get("http://127.0.0.1:1/", {})
