"""Zeus measuring windows of 0.1 s, one after the other; it reads only when asked."""

import sys
import time

from zeus.monitor import ZeusMonitor  # type: ignore[import-not-found]  # has its own environment

from benchmarks.peers.rate import ready

PERIOD_SECONDS = 0.1


def main() -> None:
    """Measure for ever. Fails if Zeus sees no CPU energy: it would be other work."""
    monitor = ZeusMonitor(gpu_indices=[])
    monitor.begin_window("w", sync_execution=False)
    time.sleep(PERIOD_SECONDS)
    measured = monitor.end_window("w", sync_execution=False)
    if not measured.cpu_energy or not measured.dram_energy:
        sys.exit("Zeus reads no package and dram energy here")
    due, rounds = time.monotonic(), 0
    ready(lambda: rounds)
    while True:
        monitor.begin_window("w", sync_execution=False)
        due += PERIOD_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
        monitor.end_window("w", sync_execution=False)
        rounds += 1


if __name__ == "__main__":
    main()
