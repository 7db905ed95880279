"""Files go to the provider while they are read."""

import asyncio
import io
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

import farthing

DATA = b"{}\n" * 400_000
FILE = b'{"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}'


class Takes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        self.server.taken.append(b"".join(parts))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_):
        pass


@contextmanager
def taking():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    server.taken, server.url = [], f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("kind", [openai.OpenAI, openai.AsyncOpenAI])
async def test_an_upload(app_of, kind):
    with taking() as provider:
        app = app_of(provider.url)
        client = app.wrap(kind)
        if kind is openai.OpenAI:
            made = await asyncio.to_thread(client.files.create, file=io.BytesIO(DATA), purpose="batch")
            client.close()
        else:
            made = await client.files.create(file=io.BytesIO(DATA), purpose="batch")
            await client.close()
        assert made.id == "file-1"
        assert DATA in provider.taken[0]
        assert (app.row.path, app.row.cost_nano) == ("/v1/files", 0)
    await asyncio.to_thread(farthing.close)
