"""The program that the soak measures: some sums, in as many windows as it is asked for."""

import json
import os
import sys
import time


def report(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main() -> None:
    for _ in range(int(os.environ["WATTMARK_REPEATS"])):
        report(event="start")
        end = time.monotonic() + float(os.environ["WATTMARK_SECONDS"])
        done = 0
        while time.monotonic() < end:
            sum(range(1000))
            done += 10
            time.sleep(0.02)
        report(event="end", inferences=done, correct=done * 9 // 10)


if __name__ == "__main__":
    main()
