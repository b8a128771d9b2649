"""Denoising diffusion of small images: noise schedule, denoiser, deterministic sampling.

Methods: Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020,
arXiv:2006.11239; the cosine schedule of Nichol and Dhariwal, Improved Denoising Diffusion
Probabilistic Models, ICML 2021, arXiv:2102.09672; sampling in few steps after Song, Meng and
Ermon, Denoising Diffusion Implicit Models, ICLR 2021, arXiv:2010.02502; the network tells the
velocity of Salimans and Ho, Progressive Distillation for Fast Sampling of Diffusion Models,
ICLR 2022, arXiv:2202.00512. Written from the papers.

What differs from the papers: a denoiser of two levels and without attention, which suits
images of some tens of pixels a side; 200 steps of noise in place of 1000 or more, which the
cosine schedule allows for; and the estimate of the image is kept within the range of the data
at each step of sampling, as the published code does.

Letters: N images, C channels, H height, W width, T steps of noise, E width of an embedding.

Parameters of the defaults: 263 thousand; 66 million multiply-adds for 28 x 28 pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.unet import check_sizes, padded
from industry_apps.limits import wrong_parameter

_OFFSET = 0.008  # of the cosine schedule: no step adds too little noise
_LARGEST_BETA = 0.999
_GROUPS = 8


class NoiseSchedule(nn.Module):
    """How much of an image is left at each step of noise: the cosine schedule.

    Parameters
    ----------
    steps : int, default=200
        Steps T from the image to noise.

    References
    ----------
    Nichol and Dhariwal (2021), arXiv:2102.09672, equation 17.

    Examples
    --------
    >>> left = NoiseSchedule(4).left
    >>> bool((left[1:] < left[:-1]).all()), round(left[0].item(), 2)
    (True, 0.85)
    """

    left: Tensor

    def __init__(self, steps: int = 200) -> None:
        super().__init__()
        check_sizes(type(self).__name__, {"steps": steps})
        moments = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        curve = ((moments + _OFFSET) / (1 + _OFFSET) * math.pi / 2).cos().square()
        betas = (1 - curve[1:] / curve[:-1]).clamp(max=_LARGEST_BETA)
        #: Share of the variance that is the image's after each step [T].
        self.register_buffer("left", (1 - betas).cumprod(0).float())

    def noisy(self, x: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Return images as they are after a step.

        Parameters
        ----------
        x, noise : torch.Tensor of shape (N, C, H, W)
        step : torch.Tensor of int64, shape (N,)
            In 0 .. T - 1.
        """
        left = self.left[step].reshape(-1, 1, 1, 1)
        return left.sqrt() * x + (1 - left).sqrt() * noise

    def velocity(self, x: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Return how noisy images move from the images toward the noise at a step.

        It is the noise where there is none yet, and the negative image where nothing else is
        left: there is something to tell at each step.

        Parameters
        ----------
        x, noise : torch.Tensor of shape (N, C, H, W)
        step : torch.Tensor of int64, shape (N,)
            In 0 .. T - 1.
        """
        return self.noisy(noise, step, -x)


class Denoiser(nn.Module):
    """Tell image and noise apart, knowing how much noise there is and what the image shows.

    Parameters
    ----------
    channels : int, default=1
        Channels C of the image.
    classes : int, default=1
        What an image may show; 1 when nothing is told apart.
    width : int, default=32
        Channels of the first level, a multiple of 8; the second has twice as many.
    steps : int, default=200
        Steps T of noise.

    Raises
    ------
    ParameterError
        When a number is below 1, or the width no multiple of 8.

    Notes
    -----
    ``forward(x, step, label)`` takes float32 [N, C, H, W] of any size, about in [-1, 1], and
    int64 [N] in 0 .. T - 1 and in 0 .. classes - 1, and returns the velocity
    [N, C, H, W], see :meth:`NoiseSchedule.velocity`.

    References
    ----------
    Ho et al. (2020), arXiv:2006.11239; Salimans and Ho (2022), arXiv:2202.00512.

    Examples
    --------
    >>> which = torch.zeros(2, dtype=torch.int64)
    >>> Denoiser(width=8)(torch.zeros(2, 1, 9, 28), which, which).shape
    torch.Size([2, 1, 9, 28])
    """

    def __init__(
        self, channels: int = 1, classes: int = 1, *, width: int = 32, steps: int = 200
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "classes": classes, "width": width, "steps": steps}
        check_sizes(type(self).__name__, sizes)
        if width % _GROUPS:
            words = f"a multiple of {_GROUPS}, the groups that are normalised"
            raise wrong_parameter(type(self).__name__, "width", words, width)
        self.schedule = NoiseSchedule(steps)
        known = 4 * width
        self.moment = nn.Sequential(nn.Linear(width, known), nn.SiLU(), nn.Linear(known, known))
        self.label = nn.Embedding(classes, known)
        self.width = width
        self.stem = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            (_Residual(width, width, known), _Residual(width, 2 * width, known))
        )
        self.shrink = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.middle = _Residual(2 * width, 2 * width, known)
        self.narrow = nn.Conv2d(2 * width, width, 1)
        self.up = _Residual(2 * width, width, known)
        self.head = nn.Sequential(
            nn.GroupNorm(_GROUPS, width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1)
        )

    def forward(self, x: Tensor, step: Tensor, label: Tensor) -> Tensor:
        """Return the velocity [N, C, H, W] of noisy images."""
        height, width = x.shape[2], x.shape[3]
        known = self.moment(_waves(step, self.width)) + self.label(label)  # [N, 4 * width]
        seen = self.down[0](self.stem(padded(x, 2)), known)  # [N, width, H', W']
        low = self.middle(self.down[1](self.shrink(seen), known), known)  # [N, 2 * width, H'/2, ..]
        wide = functional.interpolate(self.narrow(low), scale_factor=2.0, mode="nearest")
        velocity: Tensor = self.head(self.up(torch.cat([wide, seen], dim=1), known))
        return velocity[:, :, :height, :width]

    def sample(self, noise: Tensor, label: Tensor, steps: int = 25) -> Tensor:
        """Turn noise into images, by the same path each time.

        Parameters
        ----------
        noise : torch.Tensor of shape (N, C, H, W)
            Standard normal.
        label : torch.Tensor of int64, shape (N,)
        steps : int, default=25
            Steps of the path, at most T.

        Returns
        -------
        torch.Tensor of shape (N, C, H, W)
            In [-1, 1].

        References
        ----------
        Song et al. (2021), arXiv:2010.02502, equation 12 with a variance of zero.
        """
        left = self.schedule.left
        path = torch.linspace(len(left) - 1, 0, steps, device=noise.device).round().long().tolist()
        x = clean = noise
        for here, there in zip(path, [*path[1:], None], strict=True):
            step = torch.full((len(x),), here, device=x.device)
            found = self(x, step, label)
            clean = (left[here].sqrt() * x - (1 - left[here]).sqrt() * found).clamp(-1, 1)
            if there is not None:
                # The noise that is consistent with the image as it was kept within its range.
                found = (x - left[here].sqrt() * clean) / (1 - left[here]).sqrt()
                x = left[there].sqrt() * clean + (1 - left[there]).sqrt() * found
        return clean


class _Residual(nn.Module):
    """Two convolutions around what is known of the image, beside a way past them."""

    def __init__(self, before: int, after: int, known: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(_GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)
        )
        self.tell = nn.Linear(known, 2 * after)
        self.norm = nn.GroupNorm(_GROUPS, after)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.past = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        scale, shift = self.tell(functional.silu(known))[:, :, None, None].chunk(2, dim=1)
        inner = self.norm(self.first(x)) * (1 + scale) + shift
        answer: Tensor = self.past(x) + self.second(functional.silu(inner))
        return answer


def _waves(step: Tensor, width: int) -> Tensor:
    """Sines and cosines of a step, from fast to slow -> [N, width]."""
    half = width // 2
    speeds = torch.exp(-math.log(10_000.0) * torch.arange(half, device=step.device) / half)
    angles = step[:, None] * speeds  # [N, width / 2]
    return torch.cat([angles.sin(), angles.cos()], dim=1)
