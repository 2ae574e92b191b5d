"""Scores of the owner's own: formulas in configuration, evaluated by simpleeval.

A formula is arithmetic over the variables of ``VARIABLES``: numbers, ``+ - * / **``, parentheses
and ``FUNCTIONS``. As in every ranking, the higher score is the better one.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import simpleeval  # type: ignore[import-untyped]  # it has no types

from wattmark_core.errors import ConfigurationError
from wattmark_core.results import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE, Score
from wattmark_core.units import joules_to_mwh

BUILT_IN: Final = frozenset({ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE})
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.^/+-]{0,62}")
LONGEST_TEXT: Final = 500
FUNCTIONS: Final[dict[str, Callable[..., float]]] = {
    "min": min, "max": max, "abs": abs, "sqrt": math.sqrt,
    "log": math.log, "log10": math.log10, "exp": math.exp,
}  # fmt: skip
OPERATORS: Final[dict[type[ast.AST], Callable[..., float]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Pow: math.pow,  # no complex numbers, and no integers that grow for ever
}  # fmt: skip
PARTS: Final = frozenset({ast.Expr, ast.Name, ast.UnaryOp, ast.BinOp, ast.Call, ast.Constant})
"""No conditions: each part of a formula is evaluated every time, and so once when it is read."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What a formula may use. ``value`` takes a score and the joules per inference to assume."""

    meaning: str
    sample: float
    value: Callable[[Score, float | None], float | None]


def _mwh(joules: float | None) -> float | None:
    return None if joules is None else joules_to_mwh(joules)


def _net(score: Score, joules: float | None) -> float | None:
    """The idle part is taken as known: net energy moves by as many joules as gross energy."""
    net, gross = score.net_joules_per_inference, score.joules_per_inference
    return None if net is None or gross is None or joules is None else net + (joules - gross)


def _watts(score: Score, joules: float | None) -> float | None:
    """Time is taken as known: power moves with energy."""
    if score.watts is None or joules is None or not score.joules_per_inference:
        return None
    return score.watts * (joules / score.joules_per_inference)


def _seconds(score: Score) -> float | None:
    return 1.0 / score.inferences_per_second if score.inferences_per_second else None


VARIABLES: Final[Mapping[str, Variable]] = {
    "accuracy": Variable("0 to 1", 0.9, lambda score, _: score.accuracy),
    "energy_mwh_per_inference": Variable("gross, mWh", 0.01, lambda _, joules: _mwh(joules)),
    "energy_joules_per_inference": Variable("gross, J", 0.036, lambda _, joules: joules),
    "net_energy_mwh_per_inference": Variable(
        "above the idle baselines, mWh", 0.005, lambda score, joules: _mwh(_net(score, joules))
    ),
    "watts": Variable("mean power, W", 50.0, _watts),
    "seconds_per_inference": Variable("s", 0.00072, lambda score, _: _seconds(score)),
    "inferences_per_second": Variable(
        "1/s", 1389.0, lambda score, _: score.inferences_per_second
    ),
    "cpu_seconds_per_inference": Variable(
        "CPU time of the program that infers, s", 0.0007,
        lambda score, _: score.cpu_seconds_per_inference,
    ),
    "parameters": Variable("of the network", 1e6, lambda score, _: score.parameters),
    "macs": Variable("multiply-accumulates per inference", 1e8, lambda score, _: score.macs),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Formula:
    """A named formula; ``parse`` makes sound ones."""

    name: str
    text: str

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """A formula, evaluated once on sample values. Raises ``ConfigurationError``."""
        if NAME.fullmatch(name) is None or name in BUILT_IN:
            raise ConfigurationError(
                f"score formula {name!r}: the name is taken or not a name; use letters, digits"
                " and . _ ^ / + -"
            )
        if len(text) > LONGEST_TEXT:
            raise ConfigurationError(f"score formula {name!r} is longer than {LONGEST_TEXT}")
        try:
            _evaluated(text, {key: variable.sample for key, variable in VARIABLES.items()})
        except BROKEN as error:
            raise ConfigurationError(f"score formula {name!r}: {_reason(error)}") from error
        return cls(name, text)

    def evaluate(self, score: Score) -> tuple[float | None, float | None, float | None]:
        """Value, low and high; each None where a variable is missing or has no finite result.

        Low and high are the least and the most of the values at the energy's own value and at
        both ends of its 95 % interval, so they hold for formulas that rise or fall with energy.
        """
        value = self._at(score, score.joules_per_inference)
        ends = [
            self._at(score, score.joules_per_inference_low),
            self._at(score, score.joules_per_inference_high),
        ]
        known = [at for at in (value, *ends) if at is not None]
        if len(known) < 3:
            return value, None, None
        return value, min(known), max(known)

    def _at(self, score: Score, joules: float | None) -> float | None:
        values = {key: variable.value(score, joules) for key, variable in VARIABLES.items()}
        known = {key: float(value) for key, value in values.items() if value is not None}
        try:
            return _evaluated(self.text, known)
        except (simpleeval.NameNotDefined, RecursionError, *ARITHMETIC):
            return None


ARITHMETIC: Final = (ZeroDivisionError, OverflowError, ValueError)
"""What can be wrong with numbers: ``ValueError`` is a logarithm of 0, a root of −1, an infinity."""

BROKEN: Final = (
    simpleeval.InvalidExpression, SyntaxError, TypeError, RecursionError, MemoryError, *ARITHMETIC,
)  # fmt: skip
"""What else can be wrong with a text that should be a formula."""


def _evaluated(text: str, names: Mapping[str, float]) -> float:
    evaluator = simpleeval.SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=dict(names))
    evaluator.nodes = {kind: evaluator.nodes[kind] for kind in PARTS} | {ast.Constant: _number}
    tree = ast.parse(" ".join(text.split()), mode="eval")
    result = evaluator.eval(text, previously_parsed=tree.body)
    if not isinstance(result, float):
        raise TypeError("its result is not a number")
    if not math.isfinite(result):
        raise ValueError("its result is not finite")
    return result


def _number(node: ast.Constant) -> float:
    if type(node.value) not in (int, float):
        raise simpleeval.FeatureNotAvailable(f"{node.value!r} is not a number")
    return float(node.value)  # type: ignore[arg-type]  # checked above


def _reason(error: Exception) -> str:
    match error:
        case simpleeval.NameNotDefined():
            return f"unknown variable {error.name!r}; there are {', '.join(VARIABLES)}"
        case simpleeval.FunctionNotDefined():
            return f"unknown function {error.func_name!r}; there are {', '.join(FUNCTIONS)}"
        case simpleeval.OperatorNotDefined():
            return f"no operator {type(error.attr).__name__}; there are + - * / and ** (power)"
        case simpleeval.InvalidExpression():
            return f"only numbers, variables, functions and + - * / ** may stand in it ({error})"
        case ZeroDivisionError() | OverflowError() | ValueError():
            return f"it does not work out on sample values ({error})"
        case SyntaxError():
            return error.msg
    return str(error).partition("\n")[0] or type(error).__name__
