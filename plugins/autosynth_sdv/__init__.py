"""CTGAN, TVAE and Gaussian copula of the SDV project, with exact balance over the groups.

The models are the classes that SDV's synthesizers wrap: ``ctgan.CTGAN``, ``ctgan.TVAE`` and
``copulas.multivariate.GaussianMultivariate``, installed by ``pip install 'autosynth[sdv]'``.  The package ``sdv``
itself stays unloaded, because its front end stands in the way of what a generator owes here (seen in SDV 2.0.0):

- CTGAN and TVAE refuse conditions; the public call then rejects rows of an unconditional model, which for a rare group
  takes hours or ends with no row (SDV#496, SDV#1419);
- the seed of sampling is fixed inside, with no public way to set it;
- importing it writes a file into the user's data folder, sampling prints progress bars, wide tables print an alert;
- its calls changed between 1.x and 2.x, those of the models did not.

Our own are the coding of columns (nullable, pyarrow, dates, missing values, bins), the group as a condition, bounded
and counted rejection, and the isolation from global random state.

Licence: ctgan, copulas and rdt are under the Business Source License 1.1 (BUSL-1.1), which forbids offering them to
others as a hosted synthetic-data service.  autosynth neither contains nor requires them; the extra ``sdv`` installs
them.
"""

from __future__ import annotations

import autosynth
from autosynth_sdv.copula import GaussianCopulaGenerator
from autosynth_sdv.neural import CTGANGenerator, TVAEGenerator
from autosynth_sdv.options import CTGANOptions, GaussianCopulaOptions, TVAEOptions

__all__ = [
    "CTGANGenerator",
    "CTGANOptions",
    "GaussianCopulaGenerator",
    "GaussianCopulaOptions",
    "TVAEGenerator",
    "TVAEOptions",
]


@autosynth.hookimpl
def autosynth_register_generators(register: autosynth.Register) -> None:
    register(
        "ctgan",
        CTGANGenerator,
        options=CTGANOptions,
        summary="conditional GAN (SDV's CTGAN, licence BUSL-1.1)",
        requires=("ctgan", "torch"),
        extra="sdv",
        space="original",
    )
    register(
        "tvae",
        TVAEGenerator,
        options=TVAEOptions,
        summary="variational autoencoder (SDV's TVAE, licence BUSL-1.1)",
        requires=("ctgan", "torch"),
        extra="sdv",
        space="original",
    )
    register(
        "gaussian_copula",
        GaussianCopulaGenerator,
        options=GaussianCopulaOptions,
        summary="one Gaussian copula per group (SDV's copulas, licence BUSL-1.1)",
        requires=("copulas",),
        extra="sdv",
        space="original",
    )
