"""The kinds of reports there are."""

from collections.abc import Mapping
from types import MappingProxyType

from tilt.api.report_kind import Kind
from tilt.api.report_portfolio import PORTFOLIO

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (PORTFOLIO,)})
