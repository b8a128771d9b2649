"""The command ``industry-apps``."""
