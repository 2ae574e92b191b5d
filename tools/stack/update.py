"""``make stack-update``: newer images, databases and rights, and back again where that fails.

Shows what would change, copies the data out, changes it, works out the power of the past, and
tests. If anything fails, the images and the data of before come back.
"""

import time
from pathlib import Path
from typing import Final

from tools.stack import backup, images, secret_files, smoke, up, users
from tools.stack.compose import ROOT, Compose, StackError, say

BACKUPS: Final = ROOT / "backups"


def update(compose: Compose, place: Path | None, *, show: bool = False) -> None:
    """``compose`` is without the lock; ``place`` is the new folder of the copy. ``show``: change
    nothing. Raises ``StackError``."""
    now = images.locked(compose)
    if "influxdb" not in now.containers():
        raise StackError("the stack is not running; `make stack` starts it")
    before, after = images.running(now), images.newest(compose)
    _say_changes(now, before, after)
    if show:
        say("nothing was changed")
        return
    up.check_targets()
    secret_files.make_missing()
    place = place or BACKUPS / time.strftime("update-%Y%m%d-%H%M%S")
    tags = images.keep(images.built(compose))
    try:
        backup.copy(now, place)
    except BaseException:
        now.run("start")
        raise
    say(f"all copied to {place}; keep it as safe as the secrets in it")
    try:
        _change(compose, after)
    except (StackError, KeyboardInterrupt) as error:
        say(f"it failed: {str(error) or 'interrupted'}")
        say("going back to the images and the data of before")
        images.write_lock(before)
        images.bring_back(tags)
        backup.put_back(images.locked(compose), place)
        raise StackError(
            f"not updated, all is as before; {error}; the copy stays in {place}"
        ) from error
    say(f"updated and tested; the copy of before stays in {place}, delete it when you like")


def _change(compose: Compose, after: dict[str, images.Image]) -> None:
    images.write_lock(after)
    compose = images.locked(compose)
    compose.run("build")
    up.start(compose)
    smoke.test(compose)


def _say_changes(
    compose: Compose, before: dict[str, images.Image], after: dict[str, images.Image]
) -> None:  # fmt: skip
    lines = []
    for service, image in after.items():
        known, now = before.get(service), f"{images.short(image.locked)} ({image.tag})"
        if known is None:
            lines.append(f"{service}: new, {now}")
        elif not images.same(known, image):
            lines.append(f"{service}: {now}, was {images.short(known.locked)}")
    lines += [f"{service}: built again from this folder" for service in images.built(compose)]
    lines += users.server(compose).changes()
    say("what would change:")
    for line in lines:
        say(f"  {line}")
