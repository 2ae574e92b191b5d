"""Whose requests a listener answers at all: none that the page of a stranger makes a browser send.

A page on any site can make the browser of somebody who reads it send requests to an address of this
machine or network. Two things betray it: the name in ``Host``, if the page's own name was made to
point here (DNS rebinding), and what browsers say of where a request comes from, ``Origin`` and
``Sec-Fetch-Site`` (https://www.w3.org/TR/fetch-metadata/).
"""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import HOST_NAME, is_address, is_loopback

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
HOST: Final = re.compile(rf"({HOST_NAME})(:[0-9]*)?")
"""Name or address, and port."""
ALLOWED_HOST: Final = re.compile(rf"{HOST_NAME}|[0-9a-fA-F:.]+")
"""The same without a port; an IPv6 address also without brackets."""
WRONG_HOST: Final = 421
WRONG_ORIGIN: Final = 403
OTHER_SITES: Final = frozenset({"cross-site", "same-site"})


@dataclass(frozen=True, slots=True)
class Guard:
    """``hosts``: names and addresses, beside the loopback ones, that clients know this machine by.

    ``local_names``: also any address, any name without a dot and the machine's own names; none of
    them can be a name that a stranger made to point here. ``any_name``: TLS is spoken, so a browser
    goes no further than the certificate under a name that is not in it.
    """

    hosts: frozenset[str] = frozenset()
    local_names: bool = False
    any_name: bool = False

    @classmethod
    def of(cls, listen_host: str, allowed: Iterable[str] = (), *, tls: bool = False) -> "Guard":
        """For programs that other programs ask, by whatever name their configuration has."""
        hosts = frozenset(plain(host) for host in (listen_host, *allowed) if host)
        return cls(hosts, local_names=not is_loopback(listen_host), any_name=tls)

    def refusal(
        self, method: str, host: str | None, origin: str | None, fetch_site: str | None,
        fetch_mode: str | None,
    ) -> tuple[int, str] | None:  # fmt: skip
        """Status and reason if the request is not to be answered; the rest are its headers."""
        if host is None or not self._is_ours(host):
            return WRONG_HOST, (
                "the Host header names another machine; use a name the service was given"
            )
        if origin is not None and not _same_origin(origin, host):
            return WRONG_ORIGIN, "a page of another origin may not do this"
        if method in READING:  # a link to here may be followed, nothing be fetched into a page
            foreign = fetch_site in OTHER_SITES and fetch_mode != "navigate"
        else:
            foreign = fetch_site == "cross-site"
        return (WRONG_ORIGIN, "a page of another origin may not do this") if foreign else None

    def _is_ours(self, host: str) -> bool:
        match = HOST.fullmatch(host)
        name = plain(match[1]) if match else ""
        return bool(name) and (
            is_loopback(name)
            or name in self.hosts
            or self.any_name
            or (self.local_names and ("." not in name or is_address(name) or name in own_names()))
        )


def check_allowed(names: Iterable[str]) -> None:
    """Raise ``ConfigurationError`` for one of ``--allowed-host`` that no ``Host`` header has."""
    for name in names:
        if not ALLOWED_HOST.fullmatch(name):
            raise ConfigurationError(
                f"--allowed-host {name!r}: give a host name or an address, without port or URL"
            )


@cache
def own_names() -> frozenset[str]:
    """The machine's names, as it knows them itself; the name server may be asked, once."""
    return frozenset(plain(name) for name in (socket.gethostname(), socket.getfqdn()))


def plain(host: str) -> str:
    """A name or address in lower case, without brackets and the root's dot."""
    return host.lower().removesuffix(".").strip("[]")


def _same_origin(origin: str, host: str) -> bool:
    """Whether an origin is at the address of a Host header.

    Its scheme is not compared: behind a proxy that ends TLS, the service does not know its own.
    """
    theirs = _split(origin)
    ours = _split(f"{theirs.scheme}://{host}")
    return theirs.hostname is not None and _address(theirs) == _address(ours)


def _address(url: SplitResult) -> tuple[str, int | None]:
    try:
        port = url.port
    except ValueError:
        port = -1
    return plain(url.hostname or ""), port or DEFAULT_PORTS.get(url.scheme)


def _split(url: str) -> SplitResult:
    """The parts of a URL; none at all of what is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
