"""Training of networks of defects, and what is remembered of good parts.

Letters: N parts, C channels, H height, W width, T types, F features of a patch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.manufacturing.defects.memory import coreset
from industry_apps.manufacturing.defects.objectives import known_defects, pasted_defects
from industry_apps.manufacturing.defects.options import DefectOptions
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.manufacturing.defects.pasting import pasted
from industry_apps.manufacturing.defects.windows import UNKNOWN, Sheets, balanced

if TYPE_CHECKING:
    import torch

    from industry_apps.backbones.defects import PatchMemory
    from industry_apps.training import TrainingHistory

__all__ = ["remembered", "trained"]

#: Patches that the remembered ones are chosen from.
_MOST_PATCHES = 20_000
_LEAST_SPREAD = 1e-6
#: Windows on which an epoch is judged.
_MOST_JUDGED = 400

_Known = tuple[list[NDArray[np.float32]], Parts]


def trained(
    train: _Known,
    validation: _Known,
    *,
    types: int,
    regime: str,
    options: DefectOptions,
    start: torch.nn.Module | None,
) -> tuple[Any, TrainingHistory]:
    """Train a network of defects.

    Parameters
    ----------
    train, validation : (list of ndarray of shape (C, H, W), Parts)
        Normalised images of parts, and what is known of them.
    types : int
        T.
    regime : str
    options : DefectOptions
    start : torch.nn.Module, optional
        Learned on from, instead of random weights.
    """
    import torch

    from industry_apps.backbones.defects import DefectNet
    from industry_apps.training import AveragedNetwork, fit_network, multiplies_bfloat16, seeded

    training, pairs, turned = options.training, regime == "comparison", bool(options.turned)
    if training.precision == "auto" and multiplies_bfloat16():
        training = replace(training, precision="bfloat16")
    channels = train[0][0].shape[0] // (2 if pairs else 1)
    with seeded(training.seed):
        network: Any = DefectNet(
            channels,
            types,
            width=options.width,
            depth=options.depth,
            block=options.block,
            pairs=pairs,
        )
    if start is None and regime == "supervised" and options.pasted_first:
        start, _ = trained(
            train, validation, types=1, regime="one_class", options=options.of_pasted(), start=None
        )
    if start is not None:
        _continue(network, start)
    change = options.augmentation
    if regime == "one_class":
        good = [_good(each) for each in (train, validation)]
        sheets = _sheets(*good[0], options), _with_pasted(*good[1], options)
        objective = pasted_defects(sheets, change, turned=turned)
    else:
        sheets = _sheets(*train, options), _sheets(*validation, options)
        objective = known_defects(
            sheets, change, turned=turned, pairs=pairs, misaligned=options.misaligned
        )
    rows = [_rows(each, options, to_judge=place > 0) for place, each in enumerate(sheets)]
    averaged = AveragedNetwork(network.to(memory_format=torch.channels_last), options.averaging)
    history = fit_network(averaged, *rows, objective, training)
    made: Any = averaged.average
    return made.to(memory_format=torch.contiguous_format).eval(), history


def _continue(network: Any, start: torch.nn.Module) -> None:
    """Take the weights of a network, those that fit; of another number of types the others stay."""
    import torch

    with torch.no_grad():
        for (name, ours), theirs in zip(
            network.state_dict().items(), start.state_dict().values(), strict=True
        ):
            if ours.shape == theirs.shape:
                ours.copy_(theirs)
            elif name.startswith("unet.head"):  # first come those of being defective at all
                block = network.unet.block**2
                ours[:block].copy_(theirs[:block])


def remembered(
    network: Any, pixels: list[NDArray[np.float32]], options: DefectOptions
) -> PatchMemory:
    """Choose the patches of good parts that are remembered.

    Parameters
    ----------
    network : DefectNet
    pixels : list of ndarray of shape (C, H, W)
        Of good parts.
    options : DefectOptions
    """
    import torch

    from industry_apps.backbones.defects import PatchMemory

    draw = np.random.default_rng(options.training.seed)
    each = max(1, _MOST_PATCHES // len(pixels))
    found = []
    with torch.inference_mode():
        for image in pixels:
            seen = network(torch.from_numpy(np.asarray(image, np.float32))[None])[2][
                0
            ]  # [F, H', W']
            rows = seen.flatten(1).T.numpy()
            found.append(rows[draw.permutation(len(rows))[:each]])
    patches = np.concatenate(found)[:_MOST_PATCHES]
    centre = patches.mean(axis=0)
    spread = patches.std(axis=0)
    # A feature that never varies says nothing: it is not drawn out by what rounding leaves.
    scale = np.where(spread > _LEAST_SPREAD, 1 / np.maximum(spread, _LEAST_SPREAD), 0.0)
    scale = (scale / np.sqrt(len(centre))).astype(np.float32)
    chosen = coreset((patches - centre) * scale, options.patches, options.training.seed)
    return PatchMemory(*map(torch.from_numpy, (centre, scale, np.ascontiguousarray(chosen))))


def _good(known: _Known) -> _Known:
    """Good parts alone, of which all pixels are known to be good."""
    pixels, parts = known
    rows = np.flatnonzero(parts.types == 0)
    return [pixels[row] for row in rows], parts.at(rows)


def _sheets(pixels: list[NDArray[np.float32]], parts: Parts, options: DefectOptions) -> Sheets:
    assert options.tile is not None  # which the recipe has chosen, as it has the draws
    side = options.tile
    masks = []
    for image, mask in zip(pixels, parts.masks, strict=True):
        if mask is None:  # what is known is of the whole image
            side = max(side, *image.shape[1:])
        masks.append(np.full(image.shape[1:], UNKNOWN, np.uint8) if mask is None else mask)
    return Sheets([image.astype(np.float16) for image in pixels], masks, parts.types, side)


def _with_pasted(pixels: list[NDArray[np.float32]], parts: Parts, options: DefectOptions) -> Sheets:
    """Good parts with defects pasted in, the same ones each time, to validate on."""
    import torch

    from industry_apps.training import seeded

    plain = _sheets(pixels, parts, options)
    with seeded(options.training.seed):
        images, _ = plain.cut(torch.from_numpy(plain.windows()), moved=False)
        changed, bad = pasted(images)
    return Sheets(
        list(changed.numpy().astype(np.float16)),
        list(bad.numpy().astype(np.uint8)),
        bad.flatten(1).any(1).numpy().astype(np.intp),
        plain.side,
    )


def _rows(
    sheets: Sheets, options: DefectOptions, *, to_judge: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Windows [rows, 3] and what each shows [rows]: as many of each kind as are wanted."""
    windows = sheets.windows()
    kinds = sheets.kinds(windows)
    if to_judge:
        drawn = np.random.default_rng(options.training.seed).permutation(len(kinds))[:_MOST_JUDGED]
    else:
        centred = sheets.centred()
        whole = np.isin(windows[:, 0], np.setdiff1d(windows[:, 0], centred[:, 0]))
        kept = (kinds == 0) | whole  # the defects of an image without regions may be anywhere
        windows = np.concatenate([windows[kept], centred])
        kinds = np.concatenate([kinds[kept], sheets.kinds(centred)])
        assert options.draws is not None
        drawn = balanced(kinds, options.draws, options.good_share, options.training.seed)
    return windows[drawn], kinds[drawn]
