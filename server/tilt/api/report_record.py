"""What a report of the server leaves on record: its runs, where ``TRACE`` finds them."""

import pandas as pd

from tilt.api import permission
from tilt.api.attributions import AttributionAsked, Explained, explain, explain_tracks
from tilt.api.backtests import Asked
from tilt.api.runs import keep_attribution, keep_backtest, keep_frontier, keep_solution, owner_now
from tilt.api.state import State
from tilt.api.tracks import tracks_of_result
from tilt.backtest.result import BacktestResult
from tilt.data.packs import Pack
from tilt.frames import Panel
from tilt.optimize.frontier import Frontier
from tilt.optimize.problem import Problem
from tilt.optimize.solve import Solution
from tilt.report.record import BacktestAsked, ExplainedAsked, PackRecord
from tilt.security.deciding import Thing


class RunRecord(PackRecord):
    """Records the runs of a report and what it held, for the user whose request or job it is.

    Parameters
    ----------
    panel : what the report is over; the state must see this snapshot
    """

    def __init__(self, state: State, panel: Panel) -> None:
        super().__init__(state.store, owner_now())
        self._state = state
        self._panel = panel
        self._results: dict[str, BacktestResult] = {}

    def solution(self, found: Solution) -> None:
        self.note(keep_solution(self._state, found))

    def frontier(self, problem: Problem, points: int, found: Frontier) -> str:
        return self.note(keep_frontier(self._state, problem, points, found))

    def backtest(self, asked: BacktestAsked, found: BacktestResult) -> None:
        self._results[found.run_id] = found
        question = Asked(
            [[asked.strategy]],
            _day(asked.start),
            _day(asked.end),
            asked.rebalance,
            asked.rules or None,
            None,
            dict(asked.options),
            universe=self._panel.universe,
        )
        self.note(keep_backtest(self._state, question, found))

    def made(self, pack: Pack) -> str:
        """Note what a report held; the note is gone with the right to what the report rests on."""
        found = super().made(pack)
        permission.remember(self._state.store.catalog, Thing("file", found, owner_now()))
        return found

    def explained(self, asked: ExplainedAsked, table: pd.DataFrame) -> str:
        super().explained(asked, table)
        question = AttributionAsked(
            asked.holdings,
            None,
            _day(asked.start),
            _day(asked.end),
            asked.method,
            asked.by,
            self._panel.universe,
            {"link": asked.link} if asked.link else {},
            asked.long_short,
        )
        found = self._again(question)
        if not found.table.reset_index(drop=True).equals(table.reset_index(drop=True)):
            return ""  # the cell would say something else: an id would promise too much
        return self.note(
            keep_attribution(self._state, self._panel.universe, asked.method, question, found.noted)
        )

    def _again(self, asked: AttributionAsked) -> Explained:
        """Return an attribution as the cell gives it; the backtest behind it is not run again."""
        tested = self._results.get(str(asked.holdings[0][0]))
        if tested is None:
            return explain(self._state, asked, wait=True)
        tracks = tracks_of_result(self._state, self._panel, tested, None)
        link = str(asked.options.get("link", "carino"))
        return explain_tracks(self._state, tracks, method=asked.method, by=asked.by, link=link)


def _day(date: pd.Timestamp | None) -> str | None:
    return None if date is None else f"{date:%Y-%m-%d}"
