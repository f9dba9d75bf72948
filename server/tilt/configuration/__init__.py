"""How a model, a backtest and an optimization are set up: typed, checked, named, with an id."""

from tilt.configuration.reading import read_configuration
from tilt.configuration.settings import (
    Configuration,
    ModelInput,
    OptimizationConfig,
    json_schema,
)

__all__ = [
    "Configuration",
    "ModelInput",
    "OptimizationConfig",
    "json_schema",
    "read_configuration",
]
