"""Recording rules for Prometheus: power from the exporter's energy counters."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from dashboards.colors import DOMAINS
from dashboards.colors import ESTIMATED as SAID
from dashboards.promql import (
    COUNTED_POWER,
    ESTIMATED,
    GPU_IDENTITY,
    HOST_POWER,
    MEASURED,
    PART_POWER,
    POWER,
    domains,
    in_all,
    name,
    one_source,
)
from wattmark_core.catalogue import WEAKEST_LAST, Domain, Method
from wattmark_core.labels import WHOLE_CPU

WINDOW: Final = "1m"
HEAD: Final = """\
# Made by `make dashboards` from dashboards/prometheus_rules.py. Do not edit.
# Power of what wattmark-exporter measures, in W: see grafana/README.md, "Without InfluxDB".
# Needs a scrape every 15 s or more often: power is the mean of the last minute.
"""


class _Rule(NamedTuple):
    record: str
    expression: str
    comment: str = ""
    method: Method | None = None


def text(window: str = WINDOW) -> str:
    """The file. ``window``: the time of which the mean power is recorded."""
    rules = "".join(map(_yaml, _rules(window)))
    return f"{HEAD}groups:\n  - name: wattmark_power\n    rules:\n{rules}"


def _rules(window: str) -> Iterator[_Rule]:
    joules, epoch = name("energy", "joules"), name("energy", "epoch")
    yield _Rule(
        POWER,
        f"deriv({joules}[{window}])\nand changes({epoch}[{window}]) == 0\nand {joules}",
        "Each counter: the slope between its scrapes. rate() would be too low where a series\n"
        "begins or ends, and after a new epoch, when joules begin again at 0 and nobody counted\n"
        "meanwhile: there is no power then, and none of a counter that is gone.",
    )
    yield _Rule(
        COUNTED_POWER, one_source(lambda matchers: f"{POWER}{{{matchers}}}", "\nor "),
        "What a host's power adds up: one source per device, in the catalogue's order. core and\n"
        "uncore lie inside package, psys contains it: they are not here.",
    )  # fmt: skip
    yield _Rule(
        PART_POWER, "\nor ".join([*_named_by_domain(), *_named_gpus()]),
        "The same with a name for people, which says so of an estimate.",
    )  # fmt: skip
    for method in WEAKEST_LAST:
        comment = "The host's power: all parts, or none. The weakest part names the method."
        yield _Rule(
            HOST_POWER, _host_power(method), comment if method is WEAKEST_LAST[0] else "", method
        )


def _named_by_domain() -> Iterator[str]:
    for domain in (Domain.PACKAGE, Domain.DRAM):
        words, _ = DOMAINS[domain]
        for method, more in ((MEASURED, ""), (ESTIMATED, f" {SAID}")):
            series = f'{COUNTED_POWER}{{domain="{domain}", {method}}}'
            named = f'label_replace({series}, "part", "{words} $1{more}", "device", "(.*)")'
            yield f'label_replace({named}, "part", "{words}{more}", "device", "{WHOLE_CPU}")'


def _named_gpus() -> Iterator[str]:
    """By number and model, else by device."""
    series = f'{COUNTED_POWER}{{domain="{Domain.GPU}"}}'
    identity = "|".join(name("gpu", field) for field in GPU_IDENTITY)
    yield (
        "sum without (gpu, model) (label_replace(label_join(\n"
        f"  {series}\n"
        "  * ignoring (domain, source, method, gpu, model) group_left (gpu, model)\n"
        f'  group without () ({{__name__=~"{identity}"}}),\n'
        '  "part", " ", "gpu", "model"), "part", "GPU $1", "part", "(.*)"))'
    )
    unnamed = f'label_replace({series}, "part", "GPU $1", "device", "(.*)")'
    yield f"ignoring (part) {unnamed}"


def _host_power(method: Method) -> str:
    """The sum where some part is of this method, none is of a weaker one, and none is missing."""
    weaker = WEAKEST_LAST[WEAKEST_LAST.index(method) + 1 :]
    joules = f"{name('energy', 'joules')}{{{domains()}}}"
    missing = f"{joules} unless {POWER}"
    return "\n".join([
        in_all(COUNTED_POWER),
        f"and {in_all(_of(method))}",
        *(f"unless {in_all(_of(source))}" for source in weaker),
        f"unless {in_all(missing)}",
    ])  # fmt: skip


def _of(method: Method) -> str:
    return f'{COUNTED_POWER}{{method="{method}"}}'


def _yaml(rule: _Rule) -> str:
    lines = [*(f"# {line}" for line in rule.comment.splitlines()), f"- record: {rule.record}"]
    if rule.method is not None:
        lines += ["  labels:", f"    method: {rule.method}"]
    lines += ["  expr: |", *(f"    {line}" for line in rule.expression.splitlines())]
    return "".join(f"      {line}\n" for line in lines)
