"""What a detector of defects is made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from industry_apps.limits import DROPOUT, OPEN_SHARE, check_parameters, integer
from industry_apps.training import TrainingOptions
from industry_apps.training.augmentation import Augmentation

_PASTED = 64
_TILES = {"supervised": 128, "one_class": _PASTED, "comparison": 64}
_DRAWS = {"supervised": 2_400, "one_class": 2_400, "comparison": 8_000}

Scorer = Literal["memory", "network", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectOptions:
    """Settings of a detector of defects.

    Parameters
    ----------
    tile : int, optional
        Pixels of both sides of the windows that are learned from; images are answered whole. By
        default 128 for known defects, whose surroundings tell the type, and 64 for pairs and for
        good parts alone.
    width, depth, block : int
        Of the :class:`industry_apps.backbones.UNet`.
    augmentation : Augmentation
        How windows are changed at random in training, and their masks with them.
    turned : bool, optional
        They are mirrored and turned by right angles besides: for parts without up and down. By
        default pairs are, since what differs does so whichever way it lies.
    misaligned : int
        Of pairs: pixels by which the reference may lie beside the image; half of the windows are
        learned from so displaced.
    good_share : float
        Share of the windows of an epoch that show no defect, in (0, 1).
    draws : int, optional
        Windows of an epoch: by default 2 400, and 8 000 of pairs, whose types take longer to learn.
    averaging : float
        Memory of the running mean of the weights, in [0, 1).
    pasted_first : bool
        Where defects are known: the network first learns to find what is pasted into good parts,
        in the same number of windows of 64 pixels, and goes on with the known defects.
    scorer : {"memory", "network", "both"}
        Of the regime of good parts alone: the distance from remembered patches, the network that
        was trained on pasted defects and sees these patches, or the mean of both.
    patches : int
        Budget of the memory: patches that are remembered.
    training : TrainingOptions
    """

    tile: Annotated[int, integer(16, 1024)] | None = None
    width: Annotated[int, integer(1)] = 16
    depth: Annotated[int, integer(2, 6)] = 3
    block: Annotated[int, integer(1, 4)] = 2
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(
            rotation=3.0, shift=0.1, scale=0.1, contrast=0.3, brightness=0.3, noise=0.1
        )
    )
    turned: bool | None = None
    misaligned: Annotated[int, integer(0, 64)] = 8
    good_share: Annotated[float, OPEN_SHARE] = 0.4
    draws: Annotated[int, integer(1)] | None = None
    averaging: Annotated[float, DROPOUT] = 0.98
    pasted_first: bool = True
    scorer: Scorer = "memory"
    patches: Annotated[int, integer(1, 20_000)] = 1_000
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            max_epochs=5, batch_size=8, learning_rate=1e-3, weight_decay=0.02, patience=5
        )
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    def of_pasted(self) -> DefectOptions:
        """Those of the training on pasted defects that comes before the one on known ones."""
        return replace(self, tile=min(self.tile or _PASTED, _PASTED))

    def of(self, regime: str) -> DefectOptions:
        """With what a regime asks for, where nothing was chosen.

        Parameters
        ----------
        regime : {"supervised", "one_class", "comparison"}
        """
        pairs = regime == "comparison"
        return replace(
            self,
            tile=self.tile or _TILES[regime],
            draws=self.draws or _DRAWS[regime],
            turned=pairs if self.turned is None else self.turned,
        )
