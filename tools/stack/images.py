"""Which images the stack runs: tags resolved once, on this machine, into ``images.lock``.

The lock is a compose file of its own, read after all others. It has the images that are not built
here: by the registry's digest, or by the engine's id where no registry knows them. What is built
here is what the checkout and its hashes say.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.stack.compose import ROOT, Compose, StackError, say
from tools.stack.settings import setting

BEFORE: Final = "before-update"
"""Tag of the images built before an update, until the next one."""
HEAD: Final = """# This machine's images, resolved by `make stack`; `make stack-update` renews them.
# Delete the file to take what the tags name today.
services:
"""
LINE: Final = re.compile(r'  (\S+): \{image: "(\S+)"\} # (\S+)')


@dataclass(frozen=True, slots=True)
class Image:
    """What a service is to run: the tag of the compose files, and what it was resolved to."""

    tag: str
    locked: str


def lock_file() -> Path:
    """``images.lock``, or what WATTMARK_IMAGES_LOCK names."""
    return (ROOT / setting("WATTMARK_IMAGES_LOCK", "images.lock")).resolve()


def read_lock() -> dict[str, Image]:
    """Of each service its locked image; none without a lock."""
    try:
        lines = lock_file().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    matches = [LINE.fullmatch(line) for line in lines]
    return {match[1]: Image(match[3], match[2]) for match in matches if match is not None}


def write_lock(images: Mapping[str, Image]) -> None:
    """The whole lock, at once; without images there is none."""
    if not images:
        lock_file().unlink(missing_ok=True)
        return
    lines = [f'  {name}: {{image: "{image.locked}"}} # {image.tag}\n'
             for name, image in images.items()]  # fmt: skip
    partial = lock_file().with_suffix(".new")
    partial.write_text(HEAD + "".join(lines), encoding="utf-8")
    partial.replace(lock_file())


def locked(compose: Compose) -> Compose:
    """The same with the lock, where there is one."""
    return compose.with_file(lock_file()) if read_lock() else compose


def complete(compose: Compose) -> Compose:
    """The lock as ``make stack`` leaves it: what is locked stays, as long as the compose files
    name the same tag; the rest is resolved. The Compose with it."""
    before = read_lock()
    images = {}
    for service, tag in _tags(compose).items():
        known = before.get(service)
        images[service] = known if known and known.tag == tag else Image(tag, _resolve(tag))
    if images != before:
        write_lock(images)
        say(f"images are kept in {lock_file()}: {', '.join(sorted(images))}")
    return locked(compose)


def running(compose: Compose) -> dict[str, Image]:
    """What runs now, of the images that are not built here: as the lock says it, else by its id."""
    known, containers = read_lock(), compose.containers()
    return {
        service: known.get(service) or Image(tag, str(containers[service]["Image"]))
        for service, tag in _tags(compose).items() if service in containers
    }  # fmt: skip


def same(one: Image, other: Image) -> bool:
    """Do both stand for one image of this machine?"""
    ids = [known["Id"] for image in (one, other)
           if (known := _inspect(image.locked)) is not None]  # fmt: skip
    return len(ids) == 2 and ids[0] == ids[1]


def newest(compose: Compose) -> dict[str, Image]:
    """What the tags name today, fetched where a registry has it. The lock stays as it is."""
    return {
        service: Image(tag, _resolve(tag, fetch=True)) for service, tag in _tags(compose).items()
    }


def built(compose: Compose) -> dict[str, str]:
    """Of each service that is built here the tag it gets."""
    return {
        service: image for service, (image, is_built) in _configured(compose).items() if is_built
    }


def keep(tags: Mapping[str, str]) -> list[str]:
    """Give the images of these tags a second one, for going back; the tags that had an image."""
    present = [tag for tag in tags.values() if _inspect(tag) is not None]
    for tag in present:
        _docker("tag", tag, _before(tag))
    return present


def bring_back(tags: list[str]) -> None:
    """Point the tags at the images that they named before."""
    for tag in tags:
        _docker("tag", _before(tag), tag)


def short(image: str) -> str:
    """For people: of a digest its first letters."""
    name, _, digest = image.rpartition("sha256:")
    return f"{name.rstrip('@')} {digest[:12]}".strip() if digest else image


def _tags(compose: Compose) -> dict[str, str]:
    return {
        service: image
        for service, (image, is_built) in _configured(compose).items() if not is_built
    }  # fmt: skip


def _configured(compose: Compose) -> dict[str, tuple[str, bool]]:
    """Of each service its image and whether it is built here; without those of a profile.

    Both Composes print the merged files as YAML, two spaces a level.
    """
    text = compose.read("config")
    services = re.search(r"^services:\n((?: .*\n?)*)", text, re.MULTILINE)
    parts = re.split(r"^  ([^\s:]+):\n", services[1] if services else "", flags=re.MULTILINE)
    images = {}
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        keys = dict(re.findall(r"^    (\w+):(.*)$", part, re.MULTILINE))
        if "image" in keys and "profiles" not in keys:
            images[name] = keys["image"].strip().strip("'\""), "build" in keys
    return images


def _resolve(tag: str, *, fetch: bool = False) -> str:
    """The registry's digest of a tag, else the id of the image that has it on this machine."""
    known = _inspect(tag)
    if known is None or (fetch and known["RepoDigests"]):
        say(f"fetching {tag}")
        _docker("pull", "--quiet", tag)
        known = _inspect(tag)
    if known is None:
        raise StackError(f"image {tag} is neither here nor in its registry; correct its name")
    if "@sha256:" in tag:
        return tag
    name = re.sub(r":[^:/]+$", "", tag)
    same = [digest for digest in known["RepoDigests"] if digest.split("@")[0].endswith(name)]
    return str((same or known["RepoDigests"] or [known["Id"]])[0])


def _inspect(image: str) -> Any:
    """What the engine knows of an image; None where it has none of that name."""
    done = subprocess.run(
        ["docker", "image", "inspect", image], check=False, text=True, capture_output=True
    )
    return json.loads(done.stdout)[0] if done.returncode == 0 else None


def _docker(*arguments: str) -> None:
    done = subprocess.run(["docker", *arguments], check=False, text=True, capture_output=True)
    if done.returncode:
        raise StackError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")


def _before(tag: str) -> str:
    return f"{re.sub(r':[^:/]+$', '', tag)}:{BEFORE}"
