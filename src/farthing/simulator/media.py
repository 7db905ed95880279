"""Pictures and files in requests: their types and their base64."""

from __future__ import annotations

import binascii
from base64 import b64decode

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def is_base64(data: str) -> bool:
    """Whether it is base64 with at least one byte in it."""
    try:
        return bool(b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return False


def data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 of a ``data:`` URL; ``None`` if it is another one."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return head.removeprefix("data:").removesuffix(";base64"), data
