"""Tilt: factor exposures, risk, optimal weights and backtests for equity portfolio managers."""

from importlib.metadata import version

__version__ = version("tilt")
