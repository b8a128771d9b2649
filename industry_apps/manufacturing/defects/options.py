"""What a detector of defects is made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from industry_apps.limits import DROPOUT, OPEN_SHARE, check_parameters, integer
from industry_apps.training import TrainingOptions
from industry_apps.training.augmentation import Augmentation

_PASTED = 64
_TILES = {"supervised": 128, "one_class": _PASTED, "comparison": 96}

Scorer = Literal["both", "network", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectOptions:
    """Settings of a detector of defects.

    Parameters
    ----------
    tile : int, optional
        Pixels of both sides of the windows that are learned from; images are answered whole. By
        default 128 for known defects, whose surroundings tell the type, 96 for pairs, and 64 for
        good parts alone.
    width, depth, block : int
        Of the :class:`industry_apps.backbones.UNet`.
    augmentation : Augmentation
        How windows are changed at random in training, and their masks with them.
    turned : bool
        They are mirrored and turned by right angles besides: for parts without up and down.
    good_share : float
        Share of the windows of an epoch that show no defect, in (0, 1).
    draws : int
        Windows of an epoch.
    averaging : float
        Memory of the running mean of the weights, in [0, 1).
    pasted_first : bool
        Where defects are known: the network first learns to find what is pasted into good parts,
        in the same number of windows of 64 pixels, and goes on with the known defects.
    scorer : {"both", "network", "memory"}
        Of the regime of good parts alone: the network that was trained on pasted defects, the
        distance from remembered patches, or the mean of both.
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
    turned: bool = False
    good_share: Annotated[float, OPEN_SHARE] = 0.4
    draws: Annotated[int, integer(1)] = 2_400
    averaging: Annotated[float, DROPOUT] = 0.98
    pasted_first: bool = True
    scorer: Scorer = "both"
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
        """With the tile of a regime, where none was chosen.

        Parameters
        ----------
        regime : {"supervised", "one_class", "comparison"}
        """
        return replace(self, tile=self.tile or _TILES[regime])
