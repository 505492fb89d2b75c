"""Claim: `import autosynth` takes less than 0.5 s and loads no torch, sdv, great_expectations or autogluon.

python benchmarks/import_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

HEAVY = ("torch", "sdv", "great_expectations", "autogluon", "sklearn", "pandas")


def main() -> None:
    seconds = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import autosynth"], check=True)
        seconds.append(time.perf_counter() - started)
    bare = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - started)
    code = f"import sys, autosynth; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    middle = statistics.median(seconds)
    print(
        f"whole process: {middle:.3f} s ({min(seconds):.3f} to {max(seconds):.3f}), "
        f"of which bare Python {statistics.median(bare):.3f} s"
    )
    print(f"heavy packages loaded: {loaded}")


if __name__ == "__main__":
    main()
