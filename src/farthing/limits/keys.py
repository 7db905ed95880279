"""Virtual keys (``fk-…``): shown once, stored hashed, bound to a tenant.

They lie in a small file beside the ledger, written whole and renamed into place; every process reads it again when
it has changed, so that a new key works and a revoked one stops working without a restart.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from farthing.errors import StoreError
from farthing.types import Clock
from farthing.upstream.credentials import VIRTUAL

Role = Literal["app", "admin"]


class Key(msgspec.Struct, frozen=True):
    """What is stored of a key. The digest is of no use as a credential."""

    id: str
    digest: str
    """SHA-256 of the whole key. A key has 256 random bits, so no salt or stretching is needed."""
    tenant: str
    name: str = ""
    role: Role = "app"
    """``app``: may call models. ``admin``: may also see the dashboard and its API off loopback."""
    created: float = 0.0
    revoked: float | None = None


class KeyRing:
    """The keys of a store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}

    def find(self, token: str) -> Key | None:
        """The key that this text is, if it is one and was not revoked. Raises ``StoreError``: fails closed."""
        self._refresh()
        key = self._keys.get(_digest(token))
        return key if key is not None and key.revoked is None else None

    def all(self) -> list[Key]:
        """Every key, also revoked ones, oldest first."""
        self._refresh()
        return sorted(self._keys.values(), key=lambda key: key.created)

    def create(self, *, tenant: str, name: str, role: Role, clock: Clock) -> tuple[Key, str]:
        """A new key and its text, which cannot be seen again."""
        token = VIRTUAL + secrets.token_urlsafe(32)
        key = Key(f"key_{secrets.token_hex(4)}", _digest(token), tenant, name, role, clock())
        with self._alone():
            self._write([*self.all(), key])
        return key, token

    def revoke(self, key_id: str, clock: Clock) -> Key | None:
        """Revoke a key by its id; ``None`` if there is none."""
        with self._alone():
            keys = self.all()
            found = next((key for key in keys if key.id == key_id), None)
            if found is None:
                return None
            gone = msgspec.structs.replace(found, revoked=found.revoked or clock())
            self._write([gone if key.id == key_id else key for key in keys])
            return gone

    @contextmanager
    def _alone(self) -> Generator[None]:
        """One change at a time: of two at once, one would undo the other, and a revoked key would work again."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise StoreError(f"{self._path}: the virtual keys cannot be written: {problem.strerror}") from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._seen = None
            yield
        finally:
            os.close(lock)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._keys, self._seen = {}, None
            return
        seen = (status.st_mtime_ns, status.st_ino)
        if seen == self._seen:
            return
        try:
            keys = msgspec.json.decode(self._path.read_bytes(), type=list[Key])
        except (OSError, msgspec.MsgspecError) as problem:
            raise StoreError(f"{self._path}: the virtual keys cannot be read: {problem}") from problem
        self._keys, self._seen = {key.digest: key for key in keys}, seen

    def _write(self, keys: list[Key]) -> None:
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            beside.touch(mode=0o600)
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(keys)))
            beside.replace(self._path)
        except OSError as problem:
            raise StoreError(f"{self._path}: the virtual keys cannot be written: {problem.strerror}") from problem


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
