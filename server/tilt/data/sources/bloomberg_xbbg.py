"""Requests to Bloomberg over xbbg, for machines that have it and not blpapi.

xbbg sends the same requests and hands over tables in which a row is one value of one security.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

import pandas as pd

from tilt.data.sources.bloomberg_terminal import Courtesy, LimitError, Reply, Row, SlowError
from tilt.errors import BusyError, cut

if TYPE_CHECKING:
    from collections.abc import Iterator

BULK = frozenset({"DVD_HIST_ALL", "EQY_DVD_ADJUST_FACT"})


class XbbgTerminal:
    """Bloomberg through xbbg; a context manager.

    Parameters
    ----------
    xbbg : the module
    """

    def __init__(
        self, xbbg: ModuleType, host: str, port: int, *, courtesy: Courtesy | None = None
    ) -> None:
        self._xbbg = xbbg
        self._where = (host, port)
        self._courtesy = courtesy or Courtesy()

    def __enter__(self) -> "XbbgTerminal":
        host, port = self._where
        with self._errors():
            self._xbbg.configure(host=host, port=port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._xbbg.reset()

    def history(
        self,
        securities: Sequence[str],
        fields: Sequence[str],
        days: tuple[dt.date, dt.date],
        options: Mapping[str, str | bool],
    ) -> dict[str, Reply]:
        """Return the rows of each security: ``date`` and the fields that have a value."""
        self._courtesy.sleep(self._courtesy.pause)
        with self._errors():
            table = self._xbbg.blp.bdh(
                list(securities),
                list(fields),
                start_date=f"{days[0]:%Y-%m-%d}",
                end_date=f"{days[1]:%Y-%m-%d}",
                backend="pandas",
                format="long",
                **options,
            )
        found = {s: Reply(problem="no rows") for s in securities}
        for security, rows in table.groupby("ticker", sort=False):
            by_day = [
                {"date": pd.Timestamp(str(day)).date(), **_values(some)}
                for day, some in rows.groupby("date")
            ]
            found[str(security)] = Reply(by_day)
        return found

    def reference(
        self,
        securities: Sequence[str],
        fields: Sequence[str],
        overrides: Mapping[str, str] | None = None,
    ) -> dict[str, Reply]:
        """Return one row for each security; the value of a bulk field is a list of rows."""
        found: dict[str, Row] = {s: {} for s in securities}
        for name in fields:
            if name in BULK:
                self._courtesy.sleep(self._courtesy.pause)
                with self._errors():
                    table = self._xbbg.blp.bds(
                        list(securities), name, backend="pandas", **(overrides or {})
                    )
                for security, rows in table.groupby("ticker", sort=False):
                    plain = rows.drop(columns=["ticker", "field"], errors="ignore")
                    found[str(security)][name] = plain.to_dict("records")
        scalar = [name for name in fields if name not in BULK]
        if scalar:
            self._courtesy.sleep(self._courtesy.pause)
            with self._errors():
                table = self._xbbg.blp.bdp(
                    list(securities), scalar, backend="pandas", format="long", **(overrides or {})
                )
            for security, rows in table.groupby("ticker", sort=False):
                found[str(security)] |= _values(rows)
        return {
            s: Reply([row] if row else [], "" if row else "no answer") for s, row in found.items()
        }

    @contextmanager
    def _errors(self) -> "Iterator[None]":
        told = self._xbbg.exceptions
        try:
            yield
        except told.BlpLimitError as error:
            raise LimitError(f"Bloomberg's limit is reached: {cut(str(error), 120)}.") from None
        except told.BlpTimeoutError as error:
            raise SlowError(f"Bloomberg gave no answer: {cut(str(error), 120)}.") from None
        except told.BlpError as error:
            raise BusyError(f"Bloomberg does not answer: {cut(str(error), 120)}.") from None


def _values(rows: pd.DataFrame) -> Row:
    return {str(f): v for f, v in zip(rows["field"], rows["value"], strict=True) if pd.notna(v)}
