"""Damage of a segment costs the records that it is in."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from wattmark_collector.spool.files import segment_path
from wattmark_collector.spool.record import MAGIC, Record, pack
from wattmark_collector.spool.spool import Spool

RECORDS = [
    Record(
        tuple(f"m,host=h{n} value={n}.5 {n * 10 + line}" for line in range(3)),
        at_ns=n, oldest_ns=n * 10, latest_ns=n * 10 + 2, target="t", cursor=f"i:{n}",
    )
    for n in range(1, 7)
]  # fmt: skip
PACKED = [pack(record) for record in RECORDS]
WHOLE = b"".join(PACKED)
ENDS = [sum(map(len, PACKED[: n + 1])) for n in range(len(PACKED))]


@settings(max_examples=200, deadline=None)
@given(
    start=st.integers(0, len(WHOLE) - 1), length=st.integers(0, 200),
    new=st.one_of(st.binary(max_size=60), st.just(MAGIC), st.just(PACKED[2][:30])),
)  # fmt: skip
def test_damage_costs_the_records_that_it_is_in(start: int, length: int, new: bytes) -> None:
    """Bytes overwritten, taken away or put in, wherever: all other records are sent, as they were
    and in order, and their cursors are known."""
    end = min(start + length, len(WHOLE))
    sound = [
        record for record, packed, stop in zip(RECORDS, PACKED, ENDS, strict=True)
        if stop <= start or stop - len(packed) >= end
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "spool"
        folder.mkdir()
        segment_path(folder, 1).write_bytes(WHOLE[:start] + new + WHOLE[end:])
        segment_path(folder, 2).write_bytes(PACKED[0])
        spool = Spool(folder)
        sent: list[Record] = []
        while waiting := spool.next(4, 0):
            sent += waiting.records
            spool.sent(waiting)
        assert [record for record in sent[:-1] if record in sound] == sound
        assert all(record in RECORDS for record in sent)
        assert sent[-1] == RECORDS[0]
        assert spool.cursor("t") == "i:1"
        spool.append([RECORDS[4]])
        assert spool.next(9, 0) is not None
        spool.close()
