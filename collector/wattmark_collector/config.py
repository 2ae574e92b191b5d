"""The target file: a subset of Prometheus's ``scrape_configs``; any other key is an error.

Every error names the file, the line and the key.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

import yaml

from wattmark_collector.config_text import read_nodes
from wattmark_collector.targets import SERIES_LIMIT, Target
from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable, quoted, unprintable

INTERVAL_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 5.0
METRICS_PATH: Final = "/metrics"
Value = TypeVar("Value")

_TOP: Final = ("global", "scrape_configs", "scrape_config_files")
_GLOBAL: Final = ("scrape_interval", "scrape_timeout")
_JOB: Final = ("job_name", *_GLOBAL, "scheme", "metrics_path", "static_configs", "authorization",
               "tls_config", "metric_relabel_configs", "max_watts", "series_limit")  # fmt: skip
LONGEST_SECONDS: Final = 86_400.0
MOST_CHARACTERS: Final = 4096
"""Of a text in the file."""
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def load_targets(path: Path) -> tuple[Target, ...]:
    """The targets that the file names, and those of the files that it names.

    Raises ``ConfigurationError`` with one line.
    """
    return _Reader(path).targets(read_nodes(path))


def further_files(path: Path) -> tuple[Path, ...]:
    """The patterns of its ``scrape_config_files``; none where the file cannot be used."""
    try:
        return _Reader(path).patterns(read_nodes(path))
    except ConfigurationError:
        return ()


def fitting(patterns: Iterable[Path]) -> list[Path]:
    """The files that fit; the last part of a path is the pattern."""
    return [
        file for pattern in patterns if pattern.name
        for file in sorted(pattern.parent.glob(pattern.name))
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Defaults:
    interval_seconds: float = INTERVAL_SECONDS
    timeout_seconds: float = TIMEOUT_SECONDS


class _Reader:
    """Reads YAML nodes, which know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def targets(self, root: yaml.Node) -> tuple[Target, ...]:
        top = self._mapping(root, "the file", _TOP)
        if "scrape_configs" not in top:
            self._fail(root, "scrape_configs is missing")
        defaults = self._times(top["global"], _Defaults()) if "global" in top else _Defaults()
        targets: dict[str, Target] = {}
        self.add_jobs(top, defaults, targets)
        for file in fitting(self.patterns(root)):
            reader = _Reader(file)
            reader.add_jobs(reader.keys_of_more(read_nodes(file)), defaults, targets)
        return tuple(targets.values())

    def patterns(self, root: yaml.Node) -> tuple[Path, ...]:
        top = self._mapping(root, "the file", _TOP)
        if "scrape_config_files" not in top:
            return ()
        nodes = self._sequence(top["scrape_config_files"], "scrape_config_files")
        return tuple(self._pattern(node) for node in nodes)

    def _pattern(self, node: yaml.Node) -> Path:
        pattern = self._path.parent / self._text(node, "scrape_config_files")
        if not pattern.name or "**" in pattern.name:
            self._fail(node, f"scrape_config_files {quoted(str(pattern))} names no file")
        return pattern

    def keys_of_more(self, root: yaml.Node) -> Mapping[str, yaml.Node]:
        """A further file holds jobs and nothing else."""
        keys = self._mapping(root, "the file", ("scrape_configs",))
        if not keys:
            self._fail(root, "scrape_configs is missing")
        return keys

    def add_jobs(
        self, keys: Mapping[str, yaml.Node], defaults: _Defaults, targets: dict[str, Target]
    ) -> None:  # fmt: skip
        for job in self._sequence(keys["scrape_configs"], "scrape_configs"):
            for target in self._job(job, defaults):
                if target.url in targets:
                    self._fail(job, f"target {target.url} is named twice")
                targets[target.url] = target

    def _times(self, node: yaml.Node, before: _Defaults) -> _Defaults:
        keys = self._mapping(node, "global", _GLOBAL)
        return self._defaults(keys, before)

    def _defaults(self, keys: Mapping[str, yaml.Node], before: _Defaults) -> _Defaults:
        return _Defaults(
            self._optional(keys, "scrape_interval", self._duration, before.interval_seconds),
            self._optional(keys, "scrape_timeout", self._duration, before.timeout_seconds),
        )

    def _job(self, node: yaml.Node, defaults: _Defaults) -> list[Target]:
        keys = self._mapping(node, "scrape_configs", _JOB)
        if "job_name" not in keys:
            self._fail(node, "job_name is missing")
        name = self._text(keys["job_name"], "job_name")
        if "static_configs" not in keys:
            self._fail(node, f"job {name} has no static_configs")
        times = self._defaults(keys, defaults)
        scheme = self._optional(keys, "scheme", self._scheme, "http")
        path = self._optional(keys, "metrics_path", self._metrics_path, METRICS_PATH)
        credentials = self._optional(keys, "authorization", self._credentials, None)
        ca_file = self._optional(keys, "tls_config", self._ca_file, None)
        keep = self._optional(keys, "metric_relabel_configs", self._keep, None)
        max_watts = self._optional(keys, "max_watts", self._max_watts, None)
        series_limit = self._optional(keys, "series_limit", self._series_limit, SERIES_LIMIT)
        return [
            Target(
                job=name, url=f"{scheme}://{address}{path}", host=host,
                interval_seconds=times.interval_seconds, timeout_seconds=times.timeout_seconds,
                credentials_file=credentials, ca_file=ca_file, keep=keep,
                max_watts=max_watts, series_limit=series_limit,
            )
            for static in self._sequence(keys["static_configs"], "static_configs")
            for address, host in self._static(static)
        ]  # fmt: skip

    def _static(self, node: yaml.Node) -> list[tuple[str, str]]:
        keys = self._mapping(node, "static_configs", ("targets", "labels"))
        if "targets" not in keys:
            self._fail(node, "targets is missing")
        host = ""
        if "labels" in keys:
            labels = self._mapping(keys["labels"], "labels", ("host",))
            host = self._optional(labels, "host", lambda n: self._text(n, "host"), "")
        return [
            (self._address(address), host) for address in self._sequence(keys["targets"], "targets")
        ]

    def _address(self, node: yaml.Node) -> str:
        text = self._text(node, "targets")
        try:
            parts = urlsplit(f"//{text}")
            usable = parts.netloc == text and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or "@" in text or not re.fullmatch(r"[!-~]+", text):
            self._fail(node, f"target {quoted(text)} is not HOST:PORT")
        return text

    def _scheme(self, node: yaml.Node) -> str:
        text = self._text(node, "scheme")
        if text not in {"http", "https"}:
            self._fail(node, f"scheme {quoted(text)} is neither http nor https")
        return text

    def _metrics_path(self, node: yaml.Node) -> str:
        text = self._text(node, "metrics_path")
        if not re.fullmatch(r"/[!-~]*", text):
            self._fail(node, f"metrics_path {quoted(text)} does not begin with / or holds a space")
        return text

    def _credentials(self, node: yaml.Node) -> Path:
        keys = self._mapping(node, "authorization", ("type", "credentials_file"))
        if "type" in keys and self._text(keys["type"], "type") != "Bearer":
            self._fail(keys["type"], "authorization type is not Bearer, the only one known")
        if "credentials_file" not in keys:
            self._fail(node, "authorization needs credentials_file")
        return self._file(keys["credentials_file"], "credentials_file")

    def _ca_file(self, node: yaml.Node) -> Path:
        keys = self._mapping(node, "tls_config", ("ca_file",))
        if "ca_file" not in keys:
            self._fail(node, "tls_config needs ca_file")
        return self._file(keys["ca_file"], "ca_file")

    def _keep(self, node: yaml.Node) -> re.Pattern[str]:
        rules = self._sequence(node, "metric_relabel_configs")
        if len(rules) != 1:
            self._fail(node, "metric_relabel_configs takes one rule")
        keys = self._mapping(rules[0], "metric_relabel_configs",
                             ("source_labels", "regex", "action"))  # fmt: skip
        if set(keys) != {"source_labels", "regex", "action"} or (
            self._text(keys["action"], "action") != "keep"
            or [self._text(label, "source_labels")
                for label in self._sequence(keys["source_labels"], "source_labels")]
            != ["__name__"]
        ):  # fmt: skip
            self._fail(
                rules[0], "a rule has source_labels [__name__], a regex and action keep, no other"
            )
        text = self._text(keys["regex"], "regex")
        try:
            return re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            self._fail(keys["regex"], f"regex {quoted(text)} is not one: {error}")

    def _duration(self, node: yaml.Node) -> float:
        text = self._text(node, "a duration")
        parts = re.findall(r"([0-9]{1,9})(ms|s|m|h|d)", text)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
        if not seconds or "".join(number + unit for number, unit in parts) != text:
            self._fail(node, f"{quoted(text)} is not a duration like 1s, 500ms or 1m30s")
        if seconds > LONGEST_SECONDS:
            self._fail(node, f"{quoted(text)} is longer than a day")
        return seconds

    def _max_watts(self, node: yaml.Node) -> float:
        text = self._text(node, "max_watts")
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not float(text):
            self._fail(node, f"max_watts {quoted(text)} is not a number of watts like 3000")
        return float(text)

    def _series_limit(self, node: yaml.Node) -> int:
        text = self._text(node, "series_limit")
        if not re.fullmatch(r"[0-9]{1,7}", text) or not int(text):
            self._fail(node, f"series_limit {quoted(text)} is not a number like 20000")
        return int(text)

    def _file(self, node: yaml.Node, key: str) -> Path:
        """A file beside the target file, or an absolute path; it must be readable now."""
        path = self._path.parent / self._text(node, key)
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            self._fail(node, f"{key} {path} cannot be read: {error.strerror}")
        return path

    def _optional(
        self, keys: Mapping[str, yaml.Node], key: str, read: Callable[[yaml.Node], Value],
        default: Value,
    ) -> Value:  # fmt: skip
        return read(keys[key]) if key in keys else default

    def _mapping(
        self, node: yaml.Node, place: str, allowed: tuple[str, ...]
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{place} holds no keys; it takes {', '.join(allowed)}")
        named: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in allowed:
                self._fail(key, f"key {quoted(name)} is not known in {place};"
                                f" it takes {', '.join(allowed)}")  # fmt: skip
            if name in named:
                self._fail(key, f"key {quoted(name)} stands twice in {place}")
            named[name] = value
        return named

    def _sequence(self, node: yaml.Node, place: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._fail(node, f"{place} is not a list with at least one entry")
        return list(node.value)

    def _text(self, node: yaml.Node, place: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            self._fail(node, f"{place} is not a text")
        odd = unprintable(node.value)
        if odd is not None:
            self._fail(node, f"{place} holds {odd}, which cannot be printed; take it out")
        if len(node.value) > MOST_CHARACTERS:
            self._fail(node, f"{place} is longer than {MOST_CHARACTERS} characters")
        return str(node.value)

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigurationError(
            f"target file {printable(str(self._path))}, line {node.start_mark.line + 1}:"
            f" {printable(message)}"
        )
