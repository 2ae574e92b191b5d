"""The databases' page says what is so."""

import re
from itertools import pairwise
from pathlib import Path

from wattmark_store.databases import (
    DATABASES,
    FOR_EVER,
    KEPT,
    POWER,
    READS,
    WRITES,
)

README = (Path(__file__).parents[2] / "influxdb/README.md").read_text(encoding="utf-8")


def test_the_page_lists_every_database_and_how_long_it_is_kept() -> None:
    """In their order."""
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\d+d|for ever) \|$", README, re.M)
    shown = {name: "for ever" if length == FOR_EVER else length for name, length in KEPT.items()}
    assert rows == [(name, shown[name]) for name in DATABASES]


def test_the_statements_for_1_x_make_them_and_grant_the_rights() -> None:
    """All databases, and to each user what it may and no more."""
    made = dict(re.findall(r"^CREATE DATABASE (\w+)(?: WITH DURATION (\w+))?$", README, re.M))
    assert made == {name: "" if length == FOR_EVER else length for name, length in KEPT.items()}
    granted = re.findall(r"^GRANT (\w+) ON (\w+) TO (\w+)$", README, re.M)
    assert sorted(granted) == sorted(
        ("ALL" if name in WRITES[user] else "READ", name, user)
        for user, names in READS.items() for name in names
    )  # fmt: skip


def test_each_width_of_power_is_a_whole_number_of_the_one_before() -> None:
    """So that its buckets are sums."""
    assert all(two.seconds % one.seconds == 0 for one, two in pairwise(POWER))
