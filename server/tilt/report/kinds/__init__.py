"""The kinds of reports there are: ``KINDS``."""

from collections.abc import Mapping
from types import MappingProxyType

from tilt.report.kind import Kind
from tilt.report.kinds.attribution import ATTRIBUTION
from tilt.report.kinds.backtest import BACKTEST
from tilt.report.kinds.factor import FACTOR
from tilt.report.kinds.month_end import MONTH_END
from tilt.report.kinds.optimization import OPTIMIZATION
from tilt.report.kinds.portfolio import PORTFOLIO

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (PORTFOLIO, FACTOR, OPTIMIZATION, BACKTEST, ATTRIBUTION, MONTH_END)
    }
)
