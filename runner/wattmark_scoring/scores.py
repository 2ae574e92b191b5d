"""The paper's three scores.

Sources: arXiv 2310.09554 (Waltsburger et al., ISCAS 2023), eq. 1 (after Canziani et al. 2016),
eq. 2 (NetScore, Wong 2018), eq. 3.
"""

import numpy as np

from wattmark_core.units import joules_to_mwh
from wattmark_scoring.energy import Z95
from wattmark_scoring.interval import Interval


def energy_score(accuracy: float, joules_per_inference: float) -> float:
    """Eq. 3: ``accuracy² / energy per inference``; accuracy 0–1, energy taken in mWh: 1/mWh."""
    return accuracy**2 / joules_to_mwh(joules_per_inference)


def accuracy_per_parameter(accuracy: float, parameters: int) -> float:
    """Eq. 1: accuracy in per cent per million parameters; ``accuracy`` 0–1."""
    return 100.0 * accuracy / (parameters / 1e6)


def netscore(accuracy: float, parameters: int, macs: int) -> float:
    """Eq. 2: ``20·log10(a² / √(m·p))``; a in per cent, m in G MACs, p in M parameters.

    Raises ``ValueError`` for an accuracy of 0, whose logarithm does not exist.
    """
    if accuracy <= 0.0:
        raise ValueError("NetScore needs an accuracy above 0")
    size = np.sqrt((macs / 1e9) * (parameters / 1e6))
    return float(20.0 * np.log10((100.0 * accuracy) ** 2 / size))


def energy_score_interval(accuracy: float, joules_per_inference: Interval) -> Interval:
    """The score with its measurement interval: on a fixed test set accuracy is exact."""
    energy = joules_per_inference
    return Interval(
        energy_score(accuracy, energy.value),
        energy_score(accuracy, energy.high),
        energy_score(accuracy, energy.low),
    )


def population_interval(score: Interval, accuracy: float, test_images: int) -> Interval:
    """The measurement interval widened by the binomial error of an accuracy on n images.

    ``(u_S/S)² = 4(1 − A)/(nA) + (u_e/e)²``, in ln. With an accuracy of 0 it is the score itself.
    """
    if accuracy <= 0.0 or score.low <= 0.0:
        return score
    binomial = Z95 * np.sqrt(4.0 * (1.0 - accuracy) / (test_images * accuracy))
    down = np.hypot(np.log(score.value / score.low), binomial)
    up = np.hypot(np.log(score.high / score.value), binomial)
    return Interval(
        score.value, float(score.value * np.exp(-down)), float(score.value * np.exp(up))
    )
