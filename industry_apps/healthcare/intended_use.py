"""What every model of this domain is for, as its card says."""

from __future__ import annotations

#: In the card, under "Intended use"; what else limits a model stands among its notes.
INTENDED_USE = "Research. No diagnosis, no advice on treatment."
