"""InfluxQL as far as InfluxDB 2.7 decides by it: which statement, on which databases."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

NOT_IMPLEMENTED: Final = (
    "ALTER RETENTION POLICY", "CREATE CONTINUOUS QUERY", "CREATE DATABASE",
    "CREATE RETENTION POLICY", "CREATE SUBSCRIPTION", "CREATE USER", "DROP CONTINUOUS QUERY",
    "DROP DATABASE", "DROP RETENTION POLICY", "DROP SERIES", "DROP SHARD", "DROP SUBSCRIPTION",
    "DROP USER", "GRANT", "REVOKE", "SET PASSWORD", "SHOW CONTINUOUS QUERIES", "SHOW DIAGNOSTICS",
    "SHOW GRANTS", "SHOW MEASUREMENT CARDINALITY", "SHOW QUERIES", "SHOW SERIES CARDINALITY",
    "SHOW SHARD GROUPS", "SHOW SHARDS", "SHOW STATS", "SHOW SUBSCRIPTIONS", "SHOW USERS",
)  # fmt: skip
_PART: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|;|[^'";]+""", re.DOTALL)
_QUALIFIED: Final = re.compile(r"""\b(?:FROM|INTO)\s+("(?:[^"\\]|\\.)*"|\w+)\.[\w"]*\.""", re.I)
_ON: Final = re.compile(r"""\bON\s+("(?:[^"\\]|\\.)*"|\w+)""", re.I)
_INTO: Final = re.compile(r"\bINTO\b", re.I)


class Kind(Enum):
    """What 2.7 does with a statement."""

    DATABASES = auto()
    RETENTION_POLICIES = auto()
    MEASUREMENTS = auto()
    TAG = auto()
    DELETION = auto()
    SELECT = auto()
    """Also what else is shown: 2.7 makes it a SELECT."""


def split(text: str) -> list[str]:
    """The statements of a query."""
    found = [""]
    for part in _PART.findall(text):
        if part == ";":
            found.append("")
        else:
            found[-1] += part
    return [statement.strip() for statement in found if statement.strip()]


def not_implemented(statement: str) -> str:
    """The name of what 2.7 does not do; empty if it does the statement."""
    words = " ".join(_bare(statement).upper().split())
    if words.startswith("SELECT") and _INTO.search(words):
        return "SELECT INTO"
    return next((name for name in NOT_IMPLEMENTED if words.startswith(name)), "")


def kind(statement: str) -> Kind:
    """What is to be done."""
    words = " ".join(statement.upper().split())
    if words.startswith(("DELETE", "DROP MEASUREMENT")):
        return Kind.DELETION
    for kind in Kind:
        if words.startswith(f"SHOW {kind.name.replace('_', ' ')}"):
            return kind
    return Kind.SELECT


def databases(statement: str, default: str) -> Iterator[str]:
    """The databases that a statement reads; ``given``: that of the request."""
    bare = _bare(statement)
    named = _QUALIFIED.findall(bare)
    if statement.upper().startswith("SHOW"):
        named += _ON.findall(bare)
    yield from (name.strip('"') for name in named) if named else (default,)


def _bare(statement: str) -> str:
    """Without what stands in single quotes."""
    return re.sub(r"'(?:[^'\\]|\\.)*'", "''", statement)
