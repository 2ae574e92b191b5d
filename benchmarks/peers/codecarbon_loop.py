"""CodeCarbon measuring at 10 Hz, offline, writing nothing, without its reckoning of emissions."""

import sys
import time

from codecarbon import OfflineEmissionsTracker  # type: ignore[import-not-found]  # has its own environment

from benchmarks.peers.rate import ready


def main() -> None:
    """Track until terminated. Fails if CodeCarbon does not read RAPL: it would be other work."""
    tracker = OfflineEmissionsTracker(
        country_iso_code="DEU", measure_power_secs=0.1, save_to_file=False, log_level="error",
        allow_multiple_runs=True, rapl_include_dram=True, api_call_interval=-1,
    )  # fmt: skip
    tracker.start()
    time.sleep(1)
    modes = [getattr(part, "_mode", "") for part in tracker._hardware]
    if "intel_rapl" not in modes:
        sys.exit(f"CodeCarbon does not read RAPL here (hardware modes: {modes})")
    ready(lambda: tracker._measure_occurrence)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
