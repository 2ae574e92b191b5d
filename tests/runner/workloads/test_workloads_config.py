"""``workloads.toml``: what may run, and what a request can and cannot set."""

from pathlib import Path
from typing import Any

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.workloads import ParameterError, Workload
from wattmark_runner.workloads.reading import load_config

SORTING = """\
[workloads.sorting]
meaning = "sorts numbers"
command = ["sort", "--model={model}", "--size", "{size}", "{how}", "{fast}"]
models = ["quick", "heap"]
[workloads.sorting.limits]
seconds = 60
memory_bytes = 1000000000
[workloads.sorting.parameters.size]
type = "integer"
default = 10
minimum = 1
maximum = 100
[workloads.sorting.parameters.share]
type = "number"
default = 0.5
[workloads.sorting.parameters.free]
type = "integer"
default = 3
[workloads.sorting.parameters.how]
type = "string"
default = "up"
[workloads.sorting.parameters.order]
type = "string"
default = "-r"
choices = ["-r", "-n"]
[workloads.sorting.parameters.fast]
type = "boolean"
default = false
[scores]
mine = "accuracy / watts"
"""


@pytest.fixture
def sorting(tmp_path: Path) -> Workload:
    """A workload with a parameter of each kind."""
    path = tmp_path / "workloads.toml"
    path.write_text(SORTING)
    return load_config(path).find("sorting")


def test_what_is_not_given_has_its_default(sorting: Workload) -> None:
    """All parameters come back; numbers as numbers."""
    assert sorting.check("heap", {"size": 7, "share": 1}) == {
        "size": 7, "share": 1.0, "free": 3, "how": "up", "order": "-r", "fast": False,
    }  # fmt: skip
    assert (sorting.limits.seconds, sorting.limits.memory_bytes) == (60.0, 1_000_000_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 0), ("size", 101), ("size", 1.5), ("size", "7"), ("size", True), ("size", None),
        ("share", float("nan")), ("share", float("inf")), ("share", "0.5"), ("share", [1]),
        ("share", 10**400), ("free", 2**63), ("free", -(10**400)),
        ("how", "--output=/etc/passwd"), ("how", "-x"), ("how", "a\nb"), ("how", "a\0b"),
        ("how", "x" * 1001), ("how", 1), ("order", "-x"), ("fast", 1), ("fast", "true"),
        ("command", "rm"), ("entry_point", "os:system"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_declared_is_refused(sorting: Workload, name: str, value: Any) -> None:
    """Wrong types, values out of range, options in disguise, and names that are not declared."""
    with pytest.raises(ParameterError, match=name) as caught:
        sorting.check("heap", {name: value})
    assert caught.value.field == f"parameters.{name}"


def test_a_limit_is_given_with_all_its_digits() -> None:
    """2147483647 is a number to type; 2.14748e+09 is not."""
    with pytest.raises(ParameterError, match="seed must be at most 2147483647"):
        load_config(None).find("digits").check("mlp-small", {"seed": 2**31})


def test_a_value_stays_within_one_argument(sorting: Workload) -> None:
    """No shell, no second argument, and no second substitution."""
    parameters = sorting.check("heap", {"how": "a; rm -rf $HOME {model}", "fast": True})
    assert sorting.arguments("heap", parameters) == [
        "sort", "--model=heap", "--size", "10", "a; rm -rf $HOME {model}", "true",
    ]  # fmt: skip


def test_an_unknown_model_or_workload_is_named(sorting: Workload) -> None:
    """One line with what there is."""
    with pytest.raises(ParameterError, match="it has quick, heap") as caught:
        sorting.check("bubble", {})
    assert caught.value.field == "model"
    with pytest.raises(ParameterError, match="known are fashion-mnist, digits"):
        load_config(None).find("imagenet")


def test_a_built_in_may_be_narrowed(tmp_path: Path) -> None:
    """Fewer models under a name of one's own, with the built-in parameters."""
    path = tmp_path / "workloads.toml"
    path.write_text('[workloads.small]\nbuiltin = "digits"\nmodels = ["mlp-small"]\n')
    small = load_config(path).find("small")
    assert (small.builtin, small.models) == ("digits", ("mlp-small",))
    assert small.check("mlp-small", {})["batch_size"] == 32


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no workload"),
        ("[workloads.x", "is not TOML"),
        ("[workloads.x]\nmodels = ['m']", "exactly one of builtin, entry_point, command"),
        ("[workloads.x]\nbuiltin = 'digits'\ncommand = ['x']", "exactly one of"),
        ("[workloads.x]\nbuiltin = 'nope'", "unknown workload 'nope'"),
        ("[workloads.x]\nbuiltin = 'keras:synthetic'", 'is written keras = "synthetic"'),
        ("[workloads.x]\nbuiltin = 'digits'\nmodels = ['vgg']", "has no model 'vgg'"),
        ("[workloads.x]\ncommand = ['x']", "models: is needed"),
        ("[workloads.x]\ncommand = 'x y'\nmodels = ['m']", "command: must be a list"),
        ("[workloads.x]\ncommand = []\nmodels = ['m']", "command: must be a list of strings"),
        ("[workloads.x]\ncommand = ['x', 1]\nmodels = ['m']", "command: must be a list of strings"),
        ("[workloads.x]\ncommand = ['x', \"\\u0000\"]\nmodels = ['m']", "NUL"),
        ("[workloads.x]\ncommand = ['x']\nmodels = [\"a\\nb\"]", "cannot be printed"),
        ("[workloads.digits]\ncommand = ['x']\nmodels = ['m']", "name of a built-in workload"),
        ("[workloads.digits]\nbuiltin = 'fashion-mnist'", "name of a built-in workload"),
        ("[workloads.x]\nbuiltin = ''", "unknown workload ''"),
        ("[workloads.x]\nentry_point = ''\nmodels = ['m']", "package.module:callable"),
        ("[workloads.x]\nentry_point = 'a b:c'\nmodels = ['m']", "package.module:callable"),
        ("[workloads.x]\ncommand = ['{model}']\nmodels = ['m']", "program itself"),
        ("[workloads.x]\ncommand = ['x', '{size}']\nmodels = ['m']", "{size} is no parameter"),
        ("[workloads.x]\nentry_point = 'x'\nmodels = ['m']", "package.module:callable"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\ncolour = 1", "colour: unknown key"),
        ("[workloads.'x y']\ncommand = ['x']\nmodels = ['m']", "names are letters"),
        ("[workload.x]\ncommand = ['x']", "workload: unknown key; known are scores, workloads"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.limits]\nhours = 1",
         "hours: unknown key"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.limits]\nseconds = 0",
         "seconds: must be above 0"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.limits]\nseconds = inf",
         "seconds: must be within"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.limits]\n"
         f"memory_bytes = {10**400}", "memory_bytes: must be a whole number"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'integer'\ndefault = 1\nchoices = 5", "choices: must be a list"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'integer'", "default is needed"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'date'\ndefault = 1", "type is one of"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'integer'\ndefault = 5\nmaximum = 4", "must be at most 4"),
        ("[workloads.x]\nbuiltin = 'digits'\n[workloads.x.parameters.p]\ntype = 'integer'\n"
         "default = 5", "declares its own"),
        ("[workloads.x]\nbuiltin = 'digits'\n[scores]\nmine = 1", "mine: must be a string"),
        ("workloads = 1", "workloads: must be a table"),
        ("[workloads]\nx = 1", "workloads.x: must be a table"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\nlimits = 1", "x.limits: must be a table"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters]\np = 1",
         "x.parameters.p: must be a table"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'integer'\ndefault = 1\nminimum = 'a'", "p.minimum: must be a number"),
        ("[workloads.x]\ncommand = ['x']\nmodels = ['m']\n[workloads.x.parameters.p]\n"
         "type = 'integer'\ndefault = 1\nmin = 1", "p.min: unknown key; known are choices"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    """The file, the key, and what is wrong with it."""
    path = tmp_path / "workloads.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So that nobody serves the built-in workloads by mistake."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        load_config(tmp_path / "nowhere.toml")
