"""The least that Python can do: read the same files on kept descriptors and take the numbers.

``bare_loop.py SYSFS HOST_EVERY``: energy at 10 Hz; CPU, memory, disks, network and this process
at every HOST_EVERY-th of these rounds.
"""

import os
import sys
import time

from benchmarks.peers.rate import ready

PERIOD_SECONDS = 0.1
ENERGY = ("intel-rapl:0/energy_uj", "intel-rapl:0:0/energy_uj")


def main(sysfs: str, host_every: int) -> None:
    """Read for ever."""
    energy = [os.open(f"{sysfs}/class/powercap/{name}", os.O_RDONLY) for name in ENERGY]
    names = ("stat", "meminfo", "diskstats", "net/dev", "self/stat")
    stat, meminfo, diskstats, network, own = (os.open(f"/proc/{n}", os.O_RDONLY) for n in names)
    due, rounds = time.monotonic(), 0
    ready(lambda: rounds)
    while True:
        latest: list[object] = [int(os.pread(descriptor, 32, 0)) for descriptor in energy]
        if rounds % host_every == 0:
            latest.append([int(v) for v in os.pread(stat, 8192, 0).split(b"\n", 1)[0].split()[1:]])
            memory = os.pread(meminfo, 8192, 0).split(maxsplit=8)
            latest.append((int(memory[1]), int(memory[7])))
            for line in os.pread(diskstats, 16384, 0).splitlines():
                fields = line.split()
                latest.append((fields[2], int(fields[5]), int(fields[9])))
            for line in os.pread(network, 16384, 0).splitlines()[2:]:
                name, _, rest = line.partition(b":")
                fields = rest.split()
                latest.append((name, int(fields[0]), int(fields[8])))
            process = os.pread(own, 1024, 0).rsplit(b")", 1)[1].split()
            latest.append((int(process[11]), int(process[12]), int(process[21])))
        rounds += 1
        due += PERIOD_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
