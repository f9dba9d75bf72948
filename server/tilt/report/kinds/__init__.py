"""The kinds of reports there are: ``KINDS``."""

from collections.abc import Mapping
from types import MappingProxyType

from tilt.report.kind import Kind
from tilt.report.kinds.portfolio import PORTFOLIO

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (PORTFOLIO,)})
