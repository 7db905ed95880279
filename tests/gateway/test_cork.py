import asyncio

from farthing.gateway.cork import Corked


class Transport:
    def __init__(self):
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data):
        self.writes.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


async def test_head_and_body_of_one_turn_go_out_together():
    under = Transport()
    corked = Corked(under)
    corked.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert under.writes == []
    corked.write(b"body")
    assert under.writes == [b"HTTP/1.1 200 OK\r\n\r\nbody"]
    await asyncio.sleep(0)
    assert len(under.writes) == 1


async def test_a_head_without_a_body_goes_out_before_the_next_turn():
    under = Transport()
    corked = Corked(under)
    corked.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await asyncio.sleep(0)
    assert under.writes == [b"HTTP/1.1 200 OK\r\n\r\n"]
    corked.write(b"chunk")
    assert under.writes[1:] == [b"chunk"]


async def test_closing_loses_nothing():
    under = Transport()
    corked = Corked(under)
    corked.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    corked.close()
    assert under.writes == [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert corked.is_closing()
