"""Executable files: PE and ELF read without running them, and what they show as columns."""
