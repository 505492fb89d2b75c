"""Figure (b): spurious correlation, balanced and minority cross-entropy against the ratio of the groups.

    OMP_NUM_THREADS=1 nice -n 19 python benchmarks/paper/spurious.py --data FOLDER

Writes spurious.csv, spurious.png (the paper's arms, filled up to balance, at every ratio) and spurious_fair.png (the
same rows in every arm and a tuned shift in every arm, at the ratio that GPT-4's rows were recorded at).  Both minority
groups of a table have 5 rows (of the simulated one 10); 5 seeds at the recorded ratio and 3 at the others, one draw
per seed.  Ratios that a table has too few rows for are left out.  A run goes on where the last one stopped.  FOLDER
holds the paper's data; without --data only the simulated table is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks' packages lie one folder up

from paper.figures import measure_and_draw

if __name__ == "__main__":
    measure_and_draw("spurious", __doc__, __file__)
