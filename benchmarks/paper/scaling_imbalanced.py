"""Figure (c): the scaling law in N, imbalanced classification.

    OMP_NUM_THREADS=1 nice -n 19 python benchmarks/paper/scaling_imbalanced.py --data FOLDER

Writes scaling_imbalanced.csv, scaling_imbalanced_laws.csv (the fits of a + b N^-c) and two pictures: as the arms
come, and with a shift of the prior tuned alike in all of them (_fair).  Balanced cross-entropy on real rows against N,
the rows that every group gets beyond balance, for three generators, with real rows instead of synthetic ones, and
without any.  Ratio 9, 5 seeds, one draw per seed.  A run goes on where the last one stopped.  FOLDER holds the
paper's data, of which only gender has enough real rows to spare; without --data only the simulated table is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks' packages lie one folder up

from paper.scaling import measure_and_draw

if __name__ == "__main__":
    measure_and_draw("imbalanced", __doc__, __file__)
