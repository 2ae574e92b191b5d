"""Keys of the service: who may read, and who may also start, stop and annotate runs.

A key file has lines ``read KEY NAME`` and ``run KEY NAME``; the name, one word, says in records and
logs who did something, and may be left out. ``#`` begins a comment line. Only its owner may be able
to read the file; a container's secrets are mounted for one service, readable by whatever user that
runs as.
"""

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import read_text, weakness
from wattmark_core.printable import unprintable

LONGEST_NAME: Final = 100
FORM: Final = "a line is 'read KEY' or 'run KEY', and a name of one word after it"


class Role(StrEnum):
    """``run`` may do all that ``read`` may, and read what runs printed."""

    READ = "read"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its digest: of one length, and no key stands in memory or in a log."""

    digest: bytes
    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The known keys."""

    keys: tuple[Key, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The keys of a file; those without a name are ``read-1``, ``run-1``, ``run-2`` in their
        order. Raises ``ConfigurationError``, which never repeats a key."""
        lines = read_text(path, "key file", owner_only=True).splitlines()
        keys: dict[bytes, Key] = {}
        count: Counter[Role] = Counter()
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                key = _parsed(line, count)
                if key.digest in keys:
                    raise ValueError("the key is there already; make another")
            except ValueError as error:
                raise ConfigurationError(f"key file {path}, line {number}: {error}") from error
            keys[key.digest] = key
        if not keys:
            raise ConfigurationError(f"key file {path} has no key; add a line 'run KEY'")
        return cls(tuple(keys.values()))

    def of(self, authorization: str | None) -> Key | None:
        """The key that an ``Authorization`` header bears; None if it is not known.

        All keys are compared, in constant time, so that the time taken reveals nothing of them.
        """
        scheme, _, text = (authorization or "").partition(" ")
        digest = _digest(text.strip())
        borne: Key | None = None
        for key in self.keys:
            if hmac.compare_digest(key.digest, digest):
                borne = key
        return borne if scheme.lower() == "bearer" else None

    def role(self, authorization: str | None) -> Role | None:
        """What the bearer of a header may do; None without a known key."""
        key = self.of(authorization)
        return None if key is None else key.role


def _parsed(line: str, count: Counter[Role]) -> Key:
    role, *rest = line.split()
    if role not in set(Role) or len(rest) not in {1, 2}:
        raise ValueError(FORM)
    reason = weakness(rest[0])
    if reason is not None:
        raise ValueError(f"{reason}; openssl rand -hex 16 makes one")
    count[Role(role)] += 1
    name = rest[1] if len(rest) > 1 else f"{role}-{count[Role(role)]}"
    if len(name) > LONGEST_NAME or unprintable(name):
        raise ValueError(f"a name has at most {LONGEST_NAME} characters, all printable")
    return Key(_digest(rest[0]), Role(role), name)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
