"""Lines into a store: they leave in it what the samples would that they say, either way."""

from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattmark_core.line_protocol import decode
from wattmark_core.sample import AnySample, Sample
from wattmark_core.series_lines import LineReader, PlainLine
from wattmark_store import Store

START_NS = 1_700_000_000_000_000_000
MEASUREMENTS = ("energy", "power", "gpu", "sensor", "odd", "#hash", "two=parts")
SERIES = st.builds(
    "{}{}".format,
    st.sampled_from(["energy", "power", "gpu", "sensor", "odd", "#hash", "two\\=parts"]),
    st.sampled_from([",host=h", ",model=A\\ B,host=h", ",host=h\\\\", ",host=h\\n2", ""]),
)
FLOATS = st.sampled_from(["1.5", "0", "-0.0", "3", "1e-05", "2.5e+20", "1e5", "007.5", "1_0", "+4"])
INTEGERS = st.sampled_from(["1i", "0i", "-7i", "1700000000000i", "9223372036854775807i", "05i"])
"""Forms that Python's ``float`` and ``int`` know and InfluxDB's own do not are among them."""
FIELDS = st.lists(
    st.builds("{}={}".format, st.sampled_from(["joules", "watts", "uncertainty_seconds"]), FLOATS)
    | st.builds("{}={}".format, st.sampled_from(["epoch", "end_ns"]), INTEGERS)
    | st.builds("{}={}".format, st.sampled_from(["state", "a\\ b"]), FLOATS | INTEGERS),
    min_size=1, max_size=4, unique_by=lambda pair: pair.partition("=")[0],
).map(",".join)  # fmt: skip
TIMES = st.integers(START_NS, START_NS + 3)
LINES = st.lists(st.builds("{} {} {}".format, SERIES, FIELDS, TIMES), min_size=1, max_size=6)


def stored(store: Store, samples: Sequence[AnySample]) -> list[str]:
    """All that a store holds once it was given them."""
    store.write(samples)
    return [
        repr(series) for name in MEASUREMENTS for series in store.series(name, 0, 2 * START_NS, {})
    ]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES)
def test_lines_leave_what_their_samples_leave(
    empty_store: Callable[[], Store], lines: list[str]
) -> None:
    """Of a field that the catalogue does not know the type is that of its name, in InfluxDB; of
    several samples of an instant the last counts."""
    reader = LineReader()
    read = [[reader.read(line) for line in lines] for _ in range(2)]
    by_samples = stored(empty_store(), [decode(line) for line in lines])
    assert stored(empty_store(), read[0]) == by_samples
    assert stored(empty_store(), read[1]) == by_samples


def test_lines_of_an_exporter_are_plain() -> None:
    """Else they would go the long way."""
    reader = LineReader()
    for rest in ("joules=1.5,epoch=17i 1700000000000000000", "joules=1e-05,epoch=17i 5"):
        for prefix in ("energy,host=h", "energy,host=h,model=A\\ B", "a\\,b,c=d\\\\"):
            line = f"{prefix} {rest}"
            read = reader.read(line)
            assert isinstance(read, PlainLine)
            assert read.text == line
            assert Sample(read.measurement, read.tags, read.fields, read.time_ns) == decode(line)
