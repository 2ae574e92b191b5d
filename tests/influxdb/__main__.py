"""``python -m tests.influxdb URL``: all tests that use an InfluxDB, on the one at the address."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = (
    "tests/influxdb/test_standin.py", *sorted(
        str(file.relative_to(ROOT)) for file in (ROOT / "tests/core").glob("test_store_*.py")
    ),
    "tests/collector/test_into_influx.py", "tests/runner/service/jobs/test_results_survive.py",
    "tests/stack/test_permissions.py", "tests/dashboards/test_queries.py",
    "tests/cli/test_remote.py::test_republish_fills_an_influxdb",
)  # fmt: skip


def main() -> int:
    """The tests' exit status."""
    if len(sys.argv) < 2 or not sys.argv[1].startswith("http://"):
        sys.stderr.write("give the address of an InfluxDB: make stack-check URL=http://HOST:8086\n")
        return 2
    command = [sys.executable, "-m", "pytest", "-k", "not sqlite", *TESTS, *sys.argv[2:]]
    environment = {**os.environ, "WATTMARK_INFLUXDB_URL": sys.argv[1].rstrip("/")}
    return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
