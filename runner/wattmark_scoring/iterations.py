"""What repeats with the work's iterations, as a sensor shows it that looks every T.

Power that repeats every p is a sum of waves of h/p, h = 1, 2, …. At looks T apart a wave of
frequency f shows as one of ν = |f − j/T|, j the integer nearest to f·T: the looks *beat* with it,
ν·W times in a window. Over whole beats the looks make up for each other; what is left is the part
of a beat at the window's edges. Where there is no whole beat (the load is *in step*) a look sees
the same part of each iteration, and no reading tells how far off that is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattmark_scoring.arrays import Floats
from wattmark_scoring.looks import Looks

LEAST_BEATS: Final = 2.0
"""Below, the load is in step: less than what tells a wave from drift."""
HIGHEST: Final = 3
HIGHEST_MULTIPLE: Final = 10
"""Of waves and of multiples of 1/T, for a load to be in step: higher ones hold little."""
HIGHEST_OF_BURSTS: Final = 10
HALF_SEEN: Final = 0.5
"""Up to which wave short bursts count, and of each iteration what looks then see at most."""
WAVES: Final = 60
MOST_FITTED: Final = 24
LEAST_WEIGHT: Final = 0.01
DISTINCT: Final = 3.0
"""A wave is one if its power is so many times that of the noise around it: 5 % of noise is."""
LEAST_SHOWN: Final = 0.005
"""A wave of which less shows is not told apart from what a reading is rounded to."""
SLOW: Final = 0.08
"""ν·T below which a wave's jitter may reach down to where drift is, for the first wave."""


@dataclass(frozen=True, slots=True)
class Repeating:
    """``rest``: the looks without what repeats and drifts, W, scaled for what the fit took.
    ``rise_watts``: of the drift, over the window. ``fitted``: waves. ``sum_variance``: of what they
    leave in the sum over the window, W² (times T² joules²). ``least``: looks that a batch needs.
    """

    rest: Floats
    rise_watts: float
    fitted: int
    sum_variance: float
    least: int


@dataclass(frozen=True, slots=True)
class Waves:
    """For h = 1 … : the frequency f·T, the nearest integer j, ν·T, and how much a look that lasts
    c of T shows of it, over h."""

    order: Floats
    cycles: Floats
    multiple: Floats
    shown: Floats
    weight: Floats

    @classmethod
    def of(cls, period_seconds: float, coverage: float, iteration_seconds: float) -> "Waves":
        """Of a load, as looks would see it that last a share of their period."""
        order = np.arange(1.0, WAVES + 1)
        cycles = order * period_seconds / iteration_seconds
        multiple = np.round(cycles)
        weight = np.abs(np.sinc(coverage * cycles)) / order
        return cls(order, cycles, multiple, np.abs(cycles - multiple), weight)

    @classmethod
    def of_looks(cls, looks: Looks, iteration_seconds: float) -> "Waves":
        """Of a load, as these looks see it."""
        return cls.of(looks.period_seconds, looks.coverage_ratio, iteration_seconds)


def beats(looks: Looks, iteration_seconds: float) -> float:
    """How often looks and iterations beat in the window, for the wave that does so least of those
    that matter: at most half of the looks, which is also what there is where none matters.

    Waves above the third matter for short bursts, of which looks at a few places of each iteration
    may see nothing. One beat takes the looks over all of it, so that theirs count twice.
    """
    waves = Waves.of_looks(looks, iteration_seconds)
    return float(np.min(_weighed(waves, looks)[_strong(waves)], initial=0.5 * looks.count))


def in_step(looks: Looks, iteration_seconds: float) -> bool:
    """Are there too few beats in the window for its looks to make up for each other?"""
    return beats(looks, iteration_seconds) < LEAST_BEATS


def unseen_share(looks: Looks, iteration_seconds: float) -> float:
    """Of a load in step: the most by which looks may differ from its mean, in its range of power.

    A look that lasts u cycles of the wave in step shows whole cycles rightly: (1 − u) below one,
    r(1 − r)/u above, r being the part of a cycle beyond whole ones.
    """
    waves = Waves.of_looks(looks, iteration_seconds)
    in_step = _strong(waves) & (_weighed(waves, looks) < LEAST_BEATS)
    seen = looks.coverage_ratio * waves.cycles[in_step]
    rest = seen % 1.0
    shares = np.where(seen < 1.0, 1.0 - seen, rest * (1.0 - rest) / np.maximum(seen, 1e-9))
    return float(np.max(shares, initial=0.0))


def _weighed(waves: Waves, looks: Looks) -> Floats:
    """Beats in the window, those of high waves twice; half of the looks where none matters."""
    most_seen = looks.coverage_ratio * waves.multiple > HALF_SEEN
    unlike = (waves.order > HIGHEST) & (most_seen | (waves.order > HIGHEST_OF_BURSTS))
    counted = waves.shown * looks.count * np.where(waves.order > HIGHEST, 2.0, 1.0)
    return np.where(unlike, 0.5 * looks.count, counted)


def without_repeating(looks: Looks, iteration_seconds: float) -> Repeating:
    """Fit drift and the waves of the period to the looks, and take them away."""
    waves = Waves.of_looks(looks, iteration_seconds)
    chosen = _fitted(waves, looks.count)
    squares, rest, rise, spectrum = _seen_squares(looks, waves, chosen)
    variance = _edges(squares, chosen, waves) + _hidden(squares, chosen, waves, looks.count)
    return Repeating(rest, rise, len(chosen), variance, _least(waves, spectrum, looks.count))


def edge_variance(
    looks: Looks, iteration_seconds: float, averaging_seconds: float, range_watts: float
) -> float:
    """Of the sum over a window of a sensor that sees all, from both edges, W²: the straight lines
    through a counter's ticks, or averages of ``averaging_seconds``.

    A wave of amplitude A and frequency f, φ = f·T, errs there by A²/(2πφ)²·((2 + cos 2πφ)/3 + 1 −
    2·sinc² φ) and shows A·sinc φ at each tick; an average over w errs by A²/(2πφ)²·(1 − sinc(f·w))²
    and shows A·sinc(f·w). Of a first wave that does not show power may swing over half of
    ``range_watts``: a triangle of joules of that times p/8.
    """
    waves = Waves.of_looks(looks, iteration_seconds)
    chosen = _fitted(waves, looks.count)
    squares = _seen_squares(looks, waves, chosen)[0]
    cycles = waves.cycles[chosen]
    averages = averaging_seconds / looks.period_seconds
    shown = _left(cycles, averages)
    if averages:
        errs = (1.0 - shown) ** 2
    else:
        errs = (2.0 + np.cos(2.0 * np.pi * cycles)) / 3.0 + 1.0 - 2.0 * shown**2
    amplitudes = squares / np.maximum(LEAST_SHOWN, np.abs(shown)) ** 2
    seen = float(np.sum(amplitudes / (2.0 * np.pi * cycles) ** 2 * errs))
    in_step = waves.multiple[0] >= 1 and waves.shown[0] * looks.count < LEAST_BEATS
    if not in_step and abs(_left(waves.cycles[:1], averages)[0]) >= LEAST_SHOWN:
        return seen
    return seen + (range_watts / 2.0 / float(waves.cycles[0])) ** 2 / 24.0


def _left(cycles: Floats, averages: float) -> Floats:
    """What is left of a wave in the mean over T, or over so many T."""
    left: Floats = np.sinc(cycles * (averages or 1.0))
    return left


def _seen_squares(
    looks: Looks, waves: Waves, chosen: NDArray[np.int64]
) -> tuple[Floats, Floats, float, Floats]:
    """Squares of the chosen waves' amplitudes as looks show them, and what is left: the looks, the
    drift, the spectrum."""
    rest, rise, amplitudes = _fit(looks.watts, waves.shown[chosen])
    spectrum: Floats = np.abs(np.fft.rfft(rest)) ** 2 / looks.count
    squares = _distinct(amplitudes**2, waves.shown[chosen], spectrum, looks.count)
    return squares, rest, rise, spectrum


def _strong(waves: Waves) -> NDArray[np.bool_]:
    return (
        (waves.multiple >= 1)
        & (waves.multiple <= HIGHEST_MULTIPLE)
        & (waves.weight >= LEAST_WEIGHT)
    )


def _fitted(waves: Waves, count: int) -> NDArray[np.int64]:
    """Which waves are fitted: strong and slow ones first, none that looks like another."""
    chosen: list[int] = []
    most = min(MOST_FITTED, (count // 5 - 2) // 2)
    for wave in np.argsort(-waves.weight / (waves.shown + 0.05)):
        shown = waves.shown[wave]
        if len(chosen) >= most:
            break
        if waves.weight[wave] < LEAST_WEIGHT or not 1.5 / count <= shown <= 0.5 - 1.0 / count:
            continue
        if all(abs(shown - waves.shown[other]) * count >= 1.0 for other in chosen):
            chosen.append(int(wave))
    return np.array(chosen, dtype=np.int64)


def _fit(watts: Floats, shown: Floats) -> tuple[Floats, float, Floats]:
    """Least squares of a straight line and waves: what is left, the line's rise and the waves'
    amplitudes, W."""
    count = len(watts)
    at = np.arange(count)
    angles = 2.0 * np.pi * np.outer(at, shown)
    line = np.stack([np.ones(count), (at - at.mean()) / count], axis=1)
    columns = np.concatenate([line, np.cos(angles), np.sin(angles)], axis=1)
    found, *_ = np.linalg.lstsq(columns, watts, rcond=None)
    scale = np.sqrt(count / max(1, count - columns.shape[1]))
    cosines, sines = found[2 : 2 + len(shown)], found[2 + len(shown) :]
    return (watts - columns @ found) * scale, float(found[1]), np.hypot(cosines, sines)


def _distinct(squares: Floats, shown: Floats, spectrum: Floats, count: int) -> Floats:
    """Squares of amplitudes less what noise of the spectrum around them gives; 0 where that may be
    all there is."""
    places = np.arange(len(spectrum))
    noise = np.zeros(len(shown))
    for i, place in enumerate(shown * count):
        away = np.abs(places - place)
        around = spectrum[(away >= 0.8) & (away <= 6.0) & (places > 0)]
        noise[i] = 4.0 * float(around.mean()) / count if len(around) else 0.0
    return np.where(squares > DISTINCT * noise, squares - noise, 0.0)


def _edges(squares: Floats, chosen: NDArray[np.int64], waves: Waves) -> float:
    """At both edges a sum over looks ends anywhere in a beat, a²/(4·sin²(πνT)), and the power
    anywhere in an iteration, A²/(2πfT)². Waves slower than 1/2T are seen, and no error."""
    unseen = waves.multiple[chosen] >= 1
    squares, of = squares[unseen], chosen[unseen]
    looks_end = 1.0 / (4.0 * np.sin(np.pi * waves.shown[of]) ** 2)
    shows = np.maximum(LEAST_SHOWN, waves.weight[of] * waves.order[of])
    power_ends = 1.0 / (2.0 * np.pi * waves.cycles[of] * shows) ** 2
    return float(np.sum(squares * (looks_end + power_ends)))


def _hidden(squares: Floats, chosen: NDArray[np.int64], waves: Waves, count: int) -> float:
    """High waves in step: as strong as those that are seen, over h (edges are steep at most)."""
    if not len(chosen):
        return 0.0
    shows = waves.weight[chosen] * waves.order[chosen]
    strength = float(np.mean(squares * (waves.order[chosen] / np.maximum(0.2, shows)) ** 2))
    hidden = (waves.shown * count < 1.5) & (waves.multiple >= 1) & (waves.order > HIGHEST)
    left = (waves.weight * np.sinc(waves.shown * count))[hidden]
    return float(count**2 * strength * np.sum(left**2) / 2.0)


def _least(waves: Waves, spectrum: Floats, count: int) -> int:
    """Looks that a batch needs: a beat, where iterations of uneven length may make a slow one a
    hump in the spectrum. There is none where it falls from 0 on, as with drift."""
    slow = (waves.multiple >= 1) & (waves.shown * count >= 1.5)
    slow &= waves.shown < SLOW * waves.weight
    places = np.arange(len(spectrum)) / count
    for shown in np.sort(waves.shown[slow]):
        below = spectrum[(places > 0) & (places < shown / 2.0)]
        around = spectrum[(places >= shown / 2.0) & (places <= 1.5 * shown)]
        if not len(below) or not len(around) or around.mean() >= below.mean():
            return max(1, min(int(np.ceil(1.0 / shown)), count // 5))
    return 1
