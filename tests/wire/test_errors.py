import json

import pytest

from farthing.wire import sse
from farthing.wire.errors import error_body, error_event


@pytest.mark.parametrize(
    ("status", "openai", "anthropic"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (403, "invalid_request_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (504, "server_error", "timeout_error"),
        (529, "server_error", "overloaded_error"),
    ],
)
def test_errors_have_the_shape_of_the_clients_api(status, openai, anthropic):
    assert json.loads(error_body("openai", status, "farthing_x", "Say «why».")) == {
        "error": {"message": "Say «why».", "type": openai, "param": None, "code": "farthing_x"}
    }
    assert json.loads(error_body("anthropic", status, "farthing_x", "Say «why».")) == {
        "type": "error",
        "error": {"type": anthropic, "message": "Say «why».", "code": "farthing_x"},
    }


def test_an_error_after_the_stream_has_begun_is_one_event():
    event = error_event("anthropic", "farthing_x", "two\nlines")
    assert sse.split(event) == [event]
    assert sse.name_of(event) == "error"
    assert json.loads(sse.data_of(event) or b"")["error"]["message"] == "two\nlines"
    event = error_event("openai", "farthing_x", "two\nlines")
    assert sse.name_of(event) is None
    assert json.loads(sse.data_of(event) or b"")["error"]["code"] == "farthing_x"
