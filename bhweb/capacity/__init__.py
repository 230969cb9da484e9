"""How many instruments this machine keeps up with, measured on the product's own processes against the venue double."""

from .ingesting import run

__all__ = ["run"]
