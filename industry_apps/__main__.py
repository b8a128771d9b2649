"""The command ``industry-apps``, also as ``python -m industry_apps``."""

from __future__ import annotations

import sys

from industry_apps.errors import MissingExtraError, require


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        require("typer", extra="train", needed_by="The command industry-apps")
    except MissingExtraError as error:
        sys.exit(f"error: {error}")

    from industry_apps.cli import app

    app.main()


if __name__ == "__main__":
    main()
