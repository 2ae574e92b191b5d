"""Keys of the service: who may read, and who may also start, stop and annotate runs.

A key file has lines ``read KEY`` and ``run KEY``; ``#`` begins a comment line. Only its owner may
be able to read it; a container's secrets are mounted for one service, readable by whatever user
that runs as.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import read_text

LEAST_CHARACTERS: Final = 16


class Role(StrEnum):
    """``run`` may do all that ``read`` may, and read what runs printed."""

    READ = "read"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Keys:
    """The known keys, as digests: of one length, and no key stands in memory or in a log."""

    digests: tuple[tuple[bytes, Role], ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The keys of a file. Raises ``ConfigurationError``, which never repeats a key."""
        lines = read_text(path, "key file", owner_only=True).splitlines()
        digests: dict[bytes, Role] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                role, digest = _parsed(line)
                if digest in digests:
                    raise ValueError("the key is there already; make another")
            except ValueError as error:
                raise ConfigurationError(f"key file {path}, line {number}: {error}") from error
            digests[digest] = role
        if not digests:
            raise ConfigurationError(f"key file {path} has no key; add a line 'run KEY'")
        return cls(tuple(digests.items()))

    def role(self, authorization: str | None) -> Role | None:
        """What the bearer of an ``Authorization`` header may do; None without a known key.

        All keys are compared, in constant time, so that the time taken reveals nothing of them.
        """
        scheme, _, key = (authorization or "").partition(" ")
        digest = _digest(key.strip())
        owner: Role | None = None
        for known, role in self.digests:
            if hmac.compare_digest(known, digest):
                owner = role
        return owner if scheme.lower() == "bearer" else None


def _parsed(line: str) -> tuple[Role, bytes]:
    role, *rest = line.split()
    if role not in set(Role) or len(rest) != 1:
        raise ValueError("a line is 'read KEY' or 'run KEY'")
    if len(rest[0]) < LEAST_CHARACTERS:
        raise ValueError(f"a key has at least {LEAST_CHARACTERS} characters")
    return Role(role), _digest(rest[0])


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
