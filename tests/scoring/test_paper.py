"""The paper's tables, computed again: what agrees is known, and so is what does not."""

from collections import Counter

import pytest

from wattmark_scoring.paper import HOSTS, MODELS, Match, recompute
from wattmark_scoring.paper.printed import Printed, extremes

CELLS = {(cell.table, cell.column, cell.model): cell for cell in recompute()}


def agreements(*columns: str) -> Counter[str | None]:
    """How many cells of the columns agree, and how well."""
    return Counter(cell.agreement for cell in CELLS.values() if cell.column in columns)


def test_the_scores_agree_but_for_one() -> None:
    """28 of 32 at print precision, 3 within the rounding of their inputs, 1 not."""
    columns = [f"score_{host.key}" for host in HOSTS]
    assert agreements(*columns) == {
        Match.PRINTED: 28, Match.ROUNDING: 3, Match.DIFFERENT: 1,
    }  # fmt: skip
    assert CELLS["III", "score_bixeon", "MobileNetV3 Large"].agreement is Match.DIFFERENT
    close = [key[1:] for key, cell in CELLS.items() if cell.column in columns
             and cell.agreement is Match.ROUNDING]  # fmt: skip
    assert sorted(close) == [
        ("score_bixeon", "NasNet Mobile"), ("score_i7", "MobileNetV3 Small"),
        ("score_quadro", "MobileNetV3 Large"),
    ]  # fmt: skip


def test_the_size_scores_agree_where_the_sizes_do() -> None:
    """NetScore 5 of 8, score [5] 7 of 8: MobileNetV3 Small was printed with another size."""
    assert agreements("netscore")[Match.PRINTED] == 5
    assert agreements("score5")[Match.PRINTED] == 7
    wrong = {key[2] for key, cell in CELLS.items() if cell.agreement is Match.DIFFERENT
             and cell.column in {"netscore", "score5"}}  # fmt: skip
    assert wrong == {"MobileNetV3 Small", "NasNet Large"}
    assert CELLS["II", "score5", "MobileNetV3 Small"].computed == pytest.approx(23.48, abs=0.01)


def test_energy_follows_from_power_and_time_not_from_the_printed_watt_hours() -> None:
    """All eight of the A100's; 0.5 Wh for MobileNetV3 Small would be 10 µWh, and 9 are printed."""
    agreement = agreements("uwh_a100")
    assert agreement[Match.PRINTED] + agreement[Match.ROUNDING] == 8
    small = CELLS["III", "uwh_a100", "MobileNetV3 Small"]
    assert small.agreement is Match.PRINTED
    assert small.computed == pytest.approx(8.92, abs=0.01)


def test_the_ratio_that_is_printed_wrong_is_shown() -> None:
    """8.9 for 9.74; the ratios of which we have no print stand alone."""
    cell = CELLS["III", "energy_ratio_bixeon", "NasNet Mobile"]
    assert (cell.published, cell.agreement) == ("8.9", Match.DIFFERENT)
    assert cell.computed == pytest.approx(9.742, abs=0.001)
    assert agreements(*(f"energy_ratio_{host.key}" for host in HOSTS[1:]))[None] == 23


def test_ranks_are_what_the_scores_say_but_for_a_repeated_column() -> None:
    """Table II's ranks of score [5] are NetScore's: by the score itself two networks swap."""
    ranks = [cell for cell in CELLS.values() if cell.column.startswith("rank by ")]
    assert len(ranks) == 6 * len(MODELS)
    wrong = {(cell.column, cell.model) for cell in ranks if cell.agreement is Match.DIFFERENT}
    assert wrong == {
        ("rank by score5", "Inception ResNet V2"), ("rank by score5", "EfficientNetV2 M"),
    }  # fmt: skip
    tied = {cell.model for cell in ranks if cell.agreement is Match.ROUNDING}
    # Equal in print, told apart by the computed scores: two print 14, two 0.21.
    assert tied == {"NasNet Mobile", "MobileNetV3 Large", "EfficientNetV2 S"}


@pytest.mark.parametrize(
    ("text", "half", "holds", "holds_not"),
    [("0.9", 0.05, 0.928, 0.96), ("15", 0.5, 14.96, 15.6), ("1.70", 0.005, 1.704, 1.711)],
)
def test_digits_say_how_well_a_number_is_known(
    text: str, half: float, holds: float, holds_not: float
) -> None:
    """Half a unit of the last one, zeros too."""
    printed = Printed(text)
    assert printed.half == pytest.approx(half)
    assert printed.holds(holds)
    assert not printed.holds(holds_not)
    assert extremes(lambda x: -x, (printed,)) == pytest.approx(
        (-printed.value - half, -printed.value + half)
    )
