"""Build an environment of its own for be_great and REaLTabFormer, which need other versions than autosynth.

    python benchmarks/peers/setup.py --into FOLDER

FOLDER becomes a virtual environment of about 2 GB.  REaLTabFormer 0.2.4 breaks on transformers 5, so the older line is
pinned for both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

# torch goes first and alone: left to another package's range, pip would take a build with gigabytes of CUDA.
FIRST = ["torch==2.13.0"]
PINNED = [
    *FIRST,
    "be-great==0.0.14",
    "realtabformer==0.2.4",
    "transformers<5",
    "huggingface-hub<1",
    "datasets<4.5",
    "pandas<3",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, required=True, help="folder of the new environment")
    folder = parser.parse_args().into.absolute()
    python = folder / "bin" / "python"
    if not python.is_file():
        venv.create(folder, with_pip=True)
    for requirements in (FIRST, PINNED):
        command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *requirements]
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"pip could not install {', '.join(requirements)} into {folder}; its message is above.")
    subprocess.run([str(python), "-c", "import be_great, realtabformer"], check=True)
    print(f"{python} runs both peers. Give it to the benchmarks as --peers {folder}.")


if __name__ == "__main__":
    main()
