"""What a measured program may read: workers behind Landlock, and the record where there is none."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.worker.test_worker_own import carry_out, of_python
from wattmark_runner.execution.worker_places import WorkerPlaces, of_service, passed_on
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.worker import landlock
from wattmark_runner.worker.confinement import confine, granted, hidden_places
from wattmark_runner.worker.landlock import NotConfined
from wattmark_runner.worker.mounts import Mounted, mounted, other_ways
from wattmark_runner.worker.protocol import Done, Load, Loaded, Measure, WorkerMessage
from wattmark_runner.workloads import Workload

try:
    ABI = landlock.version()
except NotConfined:
    ABI = 0
needs_landlock = pytest.mark.skipif(not ABI, reason="the kernel has no Landlock")
MEASURE = Measure(repeats=1, seconds=0.01, guard_seconds=0.0, warmup_seconds=0.0)
ATTEMPTS = """
import json, os, subprocess, sys
service = int(open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[1])
tried = {}
def attempt(name, action):
    try:
        action()
        tried[name] = 0
    except OSError as error:
        tried[name] = error.errno
reading = json.loads(os.environ["KERAS_READING"])
for path in reading:
    attempt(path, lambda: open(path, "rb").read(1))
for name in ("environ", "mem", "maps", "cwd/", "root/etc/passwd", "fd/0", "fd/1"):
    path = f"/proc/{service}/{name}"
    attempt(name, lambda: os.listdir(path) if name == "cwd/" else open(path, "rb").read(1))
attempt("append", lambda: open(reading[0], "ab").close())
attempt("remove", lambda: os.unlink(reading[0]))
attempt("signal", lambda: os.kill(service, 0))
said = subprocess.run(["cat", reading[0]], env={"LC_ALL": "C"}, stderr=subprocess.PIPE).stderr
tried["by another program"] = 13 if b"Permission denied" in said else 0
"""


class Service:
    """A folder as a service has it, and beside it what its owner has."""

    def __init__(self, root: Path) -> None:
        self.data, self.own = root / "data", root / "own"
        self.data.joinpath("logs").mkdir(parents=True)
        self.own.mkdir()
        self.keys = root / "keys"
        self.store = root / "elsewhere/store.sqlite"
        self.store.parent.mkdir()
        self.log = self.data / "logs/run.log"
        secret = (
            self.keys, root / "keys.old", self.data / "runner.sqlite", self.data / "logs/other.log",
            self.store, root / "elsewhere/store.sqlite-wal",
        )  # fmt: skip
        for path in secret:
            path.write_text("secret")
        self.secret = [*secret, self.own / "link"]
        (self.own / "link").symlink_to(self.keys)
        (self.own / "images").write_text("pixels")
        self.private = (*of_service(self.data, self.keys, None), self.store)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Its folder."""
    return Service(tmp_path)


def tried(log: Path) -> dict[str, int]:
    """What the program printed of its attempts."""
    lines = [line for line in log.read_text().splitlines() if line.startswith('{"tried"')]
    found: dict[str, int] = json.loads(lines[-1])["tried"]
    return found


def run(service: Service, load: Load, needed: tuple[Path, ...] = ()) -> Loaded:
    """A worker of the service's carries out a workload; what it said when it had loaded."""
    loaded: list[WorkerMessage] = []
    with WorkerProcess(service.log, places=WorkerPlaces(service.private, needed)) as worker:
        worker.send(load)
        for message in worker.messages(None, 60.0):
            if isinstance(message, Loaded):
                loaded.append(message)
                worker.send(MEASURE)
            if isinstance(message, Done):
                break
    (first,) = loaded
    assert isinstance(first, Loaded)
    return first


@needs_landlock
def test_a_measured_program_reaches_neither_keys_nor_databases_nor_the_service(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key file, its copy, databases, logs, and the service's environment, memory and descriptors:
    none can be read, nor by a link or another program; the files are still there."""
    monkeypatch.setenv("KERAS_READING", json.dumps([str(path) for path in service.secret]))
    text = (
        ATTEMPTS + "print(json.dumps({'tried': tried}), flush=True)\n"
        "report(event='start'); report(event='end', inferences=1)\n"
    )
    loaded = run(service, of_python(text))
    found = tried(service.log)
    assert found.pop("signal") == (errno.EPERM if ABI >= 6 else 0)
    assert found.pop("remove") in {errno.EACCES, errno.EBUSY}  # by Landlock, or of what is covered
    assert set(found.values()) == {errno.EACCES}, found
    assert all(path.exists() for path in service.secret)
    assert loaded.environment["confinement"] == f"landlock {ABI}"
    assert f"out of reach: {service.data}" in service.log.read_text()


@needs_landlock
def test_a_measured_program_can_do_its_work(service: Service) -> None:
    """Read what is its owner's, write there, to temporary files and to what it was given within the
    data folder, use shared memory and devices, start programs, and open its own output."""
    given = service.data / "weights"
    given.mkdir()
    text = f"""
import multiprocessing, socket, subprocess, tempfile
done = [open("{service.own}/images").read() == "pixels", len(open("/proc/self/environ").read())]
for name in ("{service.own}/result", "{given}/cached", "/dev/null", "/dev/shm/wattmark-test-{os.getpid()}",
             tempfile.mkstemp()[1]):
    open(name, "w").write("x")
os.unlink("/dev/shm/wattmark-test-{os.getpid()}")
os.rename("{service.own}/result", "{given}/moved")
done += [os.listdir("{service.own}"), os.listdir("/"), open("/sys/kernel/mm/transparent_hugepage/enabled").read()]
done += [subprocess.check_output(["cat", "{given}/moved"]), multiprocessing.Semaphore(1)]
done += [socket.create_server(("127.0.0.1", 0))]
print("opened again", file=open("/dev/stdout", "w"))
assert all(done), done
report(event='start'); report(event='end', inferences=1)
"""  # noqa: E501 - a program
    run(service, of_python(text), needed=(given,))
    assert "opened again" in service.log.read_text()
    assert (given / "moved").read_text() == "x"


@needs_landlock
def test_a_module_beside_the_data_folder_can_be_imported(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data folder lies by default in the folder in which the runner was started, where the
    owner's modules are looked for."""
    monkeypatch.chdir(service.data.parent)
    Path("beside.py").write_text(
        "def load(model):\n"
        "    try:\n"
        "        open('data/runner.sqlite')\n"
        "    except PermissionError:\n"
        "        return lambda: (1, 1)\n"
    )
    run(service, Load("", "m", {}, "", "", entry_point="beside:load"))
    assert "out of reach" in service.log.read_text()


def test_a_worker_and_its_program_inherit_no_file_of_the_service(service: Service) -> None:
    """Pipes for commands, messages and output, and nothing else, whatever the service has open."""
    text = (
        "print('own', sorted(os.listdir('/proc/self/fd'), key=int)[:-1], flush=True)\n"
        "report(event='start'); report(event='end', inferences=1)\n"
    )
    with (service.data / "runner.sqlite").open() as database:
        os.set_inheritable(database.fileno(), True)
        with WorkerProcess(service.log) as worker:
            folder = Path(f"/proc/{worker.pid}/fd")
            links = [str(link.readlink()) for link in folder.iterdir()]
        run(service, of_python(text))
    assert {link.partition(":")[0] for link in links} == {"pipe"}
    assert len(links) <= 4 + 1  # one for each, and one that is being made
    assert "own ['0', '1', '2']" in service.log.read_text()


@needs_landlock
def test_frameworks_keep_their_caches_in_a_home_that_holds_the_data_folder(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They make them when they first need them, which would be too late."""
    home = service.data.parent
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KERAS_HOME", str(home / "of-keras"))
    text = (
        f"import os\nfor name in ('.keras', '.cache', 'of-keras'):\n"
        f"    os.makedirs(os.path.join('{home}', name, 'models'))\n"
        "report(event='start'); report(event='end', inferences=1)\n"
    )
    run(service, of_python(text))
    assert (home / "of-keras/models").is_dir()
    assert not (home / ".nv").exists()


@needs_landlock
@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5, 6])
def test_older_versions_confine_as_far_as_they_can(abi: int, service: Service) -> None:
    """The same kernel, asked for less: files are out of reach with each."""
    code = f"""
import os
from pathlib import Path
from wattmark_runner.worker.confinement import confine
from wattmark_runner.worker.landlock import system_call

def older(number, *arguments):
    return {abi} if arguments[0] is None else system_call(number, *arguments)

said = confine([Path({str(service.data)!r})], [], older)
assert said == "landlock {abi}", said
assert Path({str(service.own / "images")!r}).read_text() == "pixels"
try:
    open({str(service.data / "runner.sqlite")!r})
except PermissionError:
    print("refused")
"""
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert output.stdout == "refused\n"


@pytest.mark.parametrize(
    ("abi", "rights", "length"),
    [(1, 13, 8), (2, 14, 8), (3, 15, 8), (4, 15, 16), (5, 16, 16), (6, 16, 24), (9, 16, 24)],
)
def test_a_version_is_asked_for_no_more_than_it_knows(abi: int, rights: int, length: int) -> None:
    """Rights that it does not know are an error to the kernel, as is a longer structure; the
    network is left as it is."""
    assert landlock.handled(abi) == (1 << rights) - 1
    body = landlock.attributes(abi)
    assert len(body) == length
    assert not any(body[8:16])


def refusing(number: int) -> Callable[..., int]:
    """A kernel that answers every call with an error."""
    return lambda *_: -number


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSYS, "none: kernel without Landlock"),
        (errno.EOPNOTSUPP, "none: Landlock is not enabled in this kernel (lsm=)"),
        (errno.EPERM, "none: Landlock is not allowed here, perhaps by a container's seccomp"
                      " profile"),
        (errno.E2BIG, "none: Landlock: Argument list too long"),
    ],
)  # fmt: skip
def test_a_record_says_why_a_program_was_not_confined(number: int, says: str) -> None:
    """Nothing is raised: the run is made, and everything stays within reach."""
    assert confine([Path("/nowhere")], [], refusing(number)) == says


@needs_landlock
def test_a_kernel_that_refuses_in_the_end_is_told(service: Service) -> None:
    """As it does for a seventeenth confinement around the same process."""
    code = f"""
from pathlib import Path
from wattmark_runner.worker.confinement import confine
said = [confine([Path({str(service.data)!r})], []) for _ in range(17)]
print(said[15], said[16], sep=" | ")
"""
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert output.stdout == f"landlock {ABI} | none: Landlock: Argument list too long\n"


def test_everything_but_what_is_private_is_granted(tmp_path: Path) -> None:
    """Beside the way to it; what is needed is granted again, but for what is private in it."""
    for name in ("a/data/weights/keys", "a/data/x", "a/b", "c"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "a/link").symlink_to(tmp_path / "a/data")
    data = tmp_path / "a/data"
    hidden = hidden_places([data, data / "weights/keys"], [], [])
    below = {path for path in granted(hidden, []) if path.is_relative_to(tmp_path)}
    assert below == {tmp_path / "a/b", tmp_path / "c"}
    assert list(granted(hidden, [data, data / "weights/keys"])) == list(granted(hidden, []))
    (data / "weights/file").touch()
    below = {path for path in granted(hidden, [data / "weights"]) if path.is_relative_to(data)}
    assert below == {data / "weights/file"}
    assert list(granted(frozenset(), [])) == [Path("/")]


def test_a_private_place_is_out_of_reach_wherever_it_is_mounted(tmp_path: Path) -> None:
    """A second mount of the disk, of the folder, or of a part of it; another disk is left alone."""
    (tmp_path / "disk/srv/data").mkdir(parents=True)
    table = tmp_path / "mountinfo"
    table.write_text(
        f"20 1 8:1 / {tmp_path} rw - ext4 /dev/sda1 rw\n"
        f"21 20 8:2 / {tmp_path}/disk rw shared:1 - ext4 /dev/sda2 rw\n"
        f"22 20 8:2 /srv {tmp_path}/disk/again rw - ext4 /dev/sda2 rw\n"
        f"23 20 8:2 /srv/data/logs {tmp_path}/my\\040logs rw - ext4 /dev/sda2 rw\n"
        f"24 20 8:3 / {tmp_path}/other rw - ext4 /dev/sda3 rw\n"
        "a line of nobody's\n"
    )
    mounts = list(mounted(table))
    assert [mount.device for mount in mounts] == ["8:1", "8:2", "8:2", "8:2", "8:3"]
    (tmp_path / "disk/again/data").mkdir(parents=True)
    ways = list(other_ways(tmp_path / "disk/srv/data", mounts))
    assert ways == [tmp_path / "disk/again/data", tmp_path / "my logs"]
    assert list(other_ways(tmp_path / "other/x", mounts)) == []


def test_a_mount_never_hides_what_a_program_needs(tmp_path: Path) -> None:
    """A disk that holds both: the private folder is hidden, the way that holds Python is not."""
    python = Path(sys.prefix).resolve()
    mounts = [
        Mounted("8:1", Path("/"), tmp_path / "disk", "ext4", ()),
        Mounted("8:1", Path("/part"), python.parent, "ext4", ()),
    ]
    assert hidden_places([tmp_path / "disk"], [python], mounts) == {tmp_path / "disk"}


def test_a_private_folder_is_hidden_by_any_name_though_programs_lie_in_it(tmp_path: Path) -> None:
    """By a link to it; what is wanted of it is granted, and nothing else."""
    for name in ("real/programs", "real/logs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data").symlink_to("real")
    wanted = [tmp_path / "real/programs"]
    hidden = hidden_places([tmp_path / "data"], wanted, [])
    assert hidden == {tmp_path / "real"}
    below = [path for path in granted(hidden, wanted) if path.is_relative_to(tmp_path)]
    assert below == wanted


def test_a_data_folder_that_the_runner_was_started_in_is_named_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner's programs lie in it, too."""
    monkeypatch.chdir(tmp_path)
    private = of_service(Path(), tmp_path / "keys")
    assert tmp_path not in private
    assert {tmp_path / "runner.sqlite", tmp_path / "logs", tmp_path / "keys"} <= set(private)
    assert of_service(tmp_path / "data", None) == (tmp_path / "data",)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "data"))
    assert tmp_path / "data" not in of_service(tmp_path / "data")


def test_a_program_that_the_configuration_names_can_be_read_wherever_it_lies(
    tmp_path: Path,
) -> None:
    """A path that a request sets cannot."""
    words = ("/data/program", "--size", "{where}", "relative", "/data/{where}")
    load = Load("", "m", {}, "", "", command=["/data/program", "/data/runner.sqlite"])
    workload = Workload("x", "", ("m",), command=words)
    argument = WorkerPlaces.of(load, [tmp_path], workload).as_argument()
    named = json.loads(argument)["needed"]
    assert "/data/program" in named
    assert not any("where" in path or "sqlite" in path for path in named)


def test_files_that_secret_variables_name_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of keys, tokens and passwords; a temporary folder around one gives way to another."""
    (tmp_path / "token").write_text("secret")
    for name in ("WATTMARK_KEY_FILE", "SOME_TOKEN_FILE", "DB_PASSWORD"):
        monkeypatch.setenv(name, str(tmp_path / "token"))
        places = WorkerPlaces()
        assert str(tmp_path / "token") in json.loads(places.as_argument())["private"]
        monkeypatch.delenv(name)
    places = WorkerPlaces([tmp_path / "token"], temporary=tmp_path)
    folder = Path(places.environment()["TMPDIR"])
    assert folder.parent == tmp_path
    (folder / "left behind").touch()
    places.close()
    assert not folder.exists()
    assert WorkerPlaces([Path("/elsewhere")], temporary=tmp_path).environment() == {}


def test_the_folder_of_trained_weights_is_made_first(tmp_path: Path) -> None:
    """A worker could not: it may lie beside the data folder."""
    cache, weights = tmp_path / "a/cache", tmp_path / "weights.h5"
    load = Load("digits", "m", {}, str(cache), "", files={"path": "", "weights": str(weights)})
    argument = WorkerPlaces.of(load, [tmp_path / "data"]).as_argument()
    assert json.loads(argument)["needed"] == [str(cache), str(weights)]
    assert cache.is_dir()


@pytest.mark.parametrize(
    ("name", "value", "passed"),
    [
        ("HTTP_PROXY", "http://proxy:3128", True),
        ("HTTP_PROXY", "http://me:secret@proxy:3128", False),
        ("KERAS_HOME", "/srv/keras", True),
        ("PYTHON_AUTH", "x", False),
        ("XDG_PASSPHRASE", "x", False),
        ("NVIDIA_API_KEY", "x", False),
        ("WATTMARK_KEY_FILE", "/keys", False),
    ],
)
def test_variables_that_hold_secrets_stay_with_the_service(
    name: str, value: str, passed: bool
) -> None:  # fmt: skip
    """By their name, or by a password in a URL."""
    assert passed_on(name, value) is passed


def test_every_record_says_whether_its_program_was_confined(tmp_path: Path) -> None:
    """Whatever this kernel has, the fact is there."""
    heard = carry_out(
        tmp_path / "log",
        of_python("report(event='start'); report(event='end', inferences=1)"),
    )
    (loaded,) = (message for message in heard if isinstance(message, Loaded))
    assert loaded.environment["confinement"].startswith(f"landlock {ABI}" if ABI else "none: ")
