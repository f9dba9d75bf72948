"""A snapshot's files: the tables as they came, the findings, the panel and its factor history.

All Parquet. Frames of dates × assets are columns of one long table, ordered by date and ticker, so
that any tool can read them and a panel loads without a join.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tilt.data.packed import Packed, packed_field
from tilt.errors import DataError
from tilt.frames import FactorHistory, Panel, Prices, Returns

FRAMES = ("close", "returns", "volume", "market_cap", "member")
IMPUTED = "imputed "  # and the style: the column of its flags
Files = Callable[[str], pa.Table]


@dataclass(frozen=True, eq=False)
class Record:
    """What one refresh leaves behind.

    tables    : the delivery's tables, unchanged
    panel     : of the universe, with its factor history where there is one
    findings  : of the checks
    estimates : by name, what else was estimated of the panel, such as its risk model
    """

    tables: Mapping[str, pd.DataFrame]
    panel: Panel
    findings: pd.DataFrame
    estimates: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def encode(record: Record) -> dict[str, pa.Buffer]:
    """Return the content of each file by its name, the same bytes for the same record."""
    panel = record.panel
    history = panel.factor_history
    tables = {name: _plain(table) for name, table in record.tables.items()}
    tables |= {name: _plain(table) for name, table in record.estimates.items()}
    tables["findings"] = _plain(record.findings)
    tables["assets"] = _plain(panel.securities.reset_index())
    frames = {name: getattr(panel, name) for name in FRAMES}
    frames |= {f"fundamentals.{name}": frame for name, frame in panel.fundamentals.items()}
    tables["panel"] = _long(
        panel.dates, panel.assets, {name: frame.to_numpy() for name, frame in frames.items()}
    )
    if history is not None:
        tables |= _encode_history(history)
    return {f"{name}.parquet": _parquet(table) for name, table in tables.items()}


def _encode_history(history: FactorHistory) -> dict[str, pa.Table]:
    columns = {name: history.styles[:, :, i] for i, name in enumerate(history.style_names)}
    columns |= {
        IMPUTED + name: history.imputed[:, :, i] for i, name in enumerate(history.style_names)
    }
    columns["specific_return"] = history.specific_returns.to_numpy()
    if not history.market_cap.empty:
        columns["market_cap"] = history.market_cap.to_numpy()
    return {
        "factors": _plain(history.factors.reset_index(names="factor")),
        "factor_sectors": _plain(_companies(history)),
        "exposures": _long(history.dates, history.assets, columns),
        "factor_returns": _plain(history.returns.rename_axis("date").reset_index()),
        "factor_t_stats": _plain(history.t_stats.rename_axis("date").reset_index()),
        "factor_r2": _plain(history.r2.rename("r2").rename_axis("date").reset_index()),
    }


def decode_panel(files: Files, names: Mapping[str, str], *, with_history: bool) -> Panel:
    """Return the panel of a snapshot.

    Parameters
    ----------
    files : gives the table of a file by its name
    names : universe, snapshot and survivorship
    with_history : whether the snapshot has a factor history
    """
    table = _Columns(files("panel.parquet"))
    fields = [c for c in table.names if c.startswith("fundamentals.")]
    packed = {c.removeprefix("fundamentals."): packed_field(table.take(c)) for c in fields}
    frames = {name: table.take_frame(name) for name in FRAMES}
    dates = table.dates
    securities: pd.DataFrame = files("assets.parquet").to_pandas()
    index = files("index_level.parquet")
    level = pd.Series(index["level"].to_numpy(), index=_days(index), name="level", dtype=float)
    panel = Panel(
        universe=names["universe"],
        snapshot=names["snapshot"],
        securities=securities.set_index("ticker"),
        close=frames["close"],
        returns=frames["returns"],
        volume=frames["volume"],
        market_cap=frames["market_cap"],
        member=frames["member"],
        fundamentals=Packed(dates, table.assets, packed),
        index_level=level.reindex(dates).dropna(),
        factor_history=_decode_history(files) if with_history else None,
        survivorship=names["survivorship"],
        symbol_changes=files("symbol_changes.parquet").to_pandas(),
    )
    pa.default_memory_pool().release_unused()  # it would keep half as much as the panel takes
    return panel


def decode_field(files: Callable[[str, list[str]], pa.Table], field: str) -> pd.DataFrame:
    """Return one field of a panel, dates × assets.

    Parameters
    ----------
    files : gives some columns of a file by its name
    field : close, adj_close, return, volume or market_cap
    """
    columns = {"adj_close": ["close", "returns"], "return": ["returns"]}.get(field, [field])
    table = _Columns(files("panel.parquet", ["date", "ticker", *columns]))
    first, *more = [table.take_frame(name) for name in columns]
    return adjusted_close(first, more[0]) if field == "adj_close" else first


def adjusted_close(close: Prices, returns: Returns) -> Prices:
    """Return prices whose changes are total returns and whose last is the last close."""
    growth = (1 + returns.fillna(0.0)).cumprod()
    last = close.ffill().iloc[-1]
    return (growth / growth.iloc[-1] * last).where(close.notna())


def _decode_history(files: Files) -> FactorHistory:
    table = _Columns(files("exposures.parquet"))
    factors: pd.DataFrame = files("factors.parquet").to_pandas().set_index("factor")
    styles = list(factors.index[factors["group"] == "style"])

    def cube(prefix: str, kind: type) -> np.ndarray:
        shape = (len(table.dates), len(table.assets), len(styles))
        values: np.ndarray = np.empty(shape, dtype=kind)
        for i, style in enumerate(styles):
            values[:, :, i] = table.take(prefix + style)
        return values

    def by_date(name: str) -> pd.DataFrame:
        given = files(f"{name}.parquet")
        wide: pd.DataFrame = given.drop_columns(["date"]).to_pandas()
        return wide.set_axis(_days(given)).rename_axis(columns="factor")

    companies = files("factor_sectors.parquet").to_pandas().set_index("ticker")
    return FactorHistory(
        factors=factors,
        dates=table.dates,
        assets=table.assets,
        styles=cube("", float),
        imputed=cube(IMPUTED, bool),
        sector=companies["sector"],
        returns=by_date("factor_returns"),
        t_stats=by_date("factor_t_stats"),
        r2=by_date("factor_r2")["r2"],
        specific_returns=table.take_frame("specific_return"),
        market_cap=table.take_frame("market_cap")
        if "market_cap" in table.names
        else pd.DataFrame(),
        issuer=companies["issuer"] if "issuer" in companies else pd.Series(dtype="str"),
    )


def _companies(history: FactorHistory) -> pd.DataFrame:
    """Return ticker and sector, and the issuer where the history keeps it."""
    table = history.sector.rename("sector").rename_axis("ticker").reset_index()
    if history.issuer.empty:
        return table
    return table.assign(issuer=history.issuer.reindex(history.sector.index).to_numpy())


def decode_table(table: pa.Table) -> pd.DataFrame:
    """Return a table with its text as text and its dates as dates."""
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _plain(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def _long(
    dates: pd.DatetimeIndex, assets: "pd.Index[str]", columns: Mapping[str, np.ndarray]
) -> pa.Table:
    day = pa.array(np.repeat(dates.to_numpy().astype("datetime64[us]"), len(assets)))
    codes = pa.array(np.tile(np.arange(len(assets), dtype="int32"), len(dates)))
    ticker = pa.DictionaryArray.from_arrays(codes, pa.array(list(assets), pa.string()))
    flat = {name: pa.array(np.ravel(values)) for name, values in columns.items()}
    return pa.table({"date": day, "ticker": ticker, **flat})


def _axes(table: pa.Table) -> tuple[pd.DatetimeIndex, "pd.Index[str]"]:
    """Return the dates and assets of a long table, which has a row for every pair in order."""
    day = table["date"].to_numpy()
    assets = int(np.argmax(day != day[0])) or len(day)
    dates = pd.DatetimeIndex(day[::assets], name="date").as_unit("us")
    tickers = table["ticker"].slice(0, assets).to_pylist()
    if len(dates) * len(tickers) != len(table):
        raise DataError(
            f"A snapshot's table has {len(table)} rows for {len(dates)} dates and {len(tickers)} "
            "assets. Run 'tilt refresh' to write it again."
        )
    return dates, pd.Index(tickers, name="ticker", dtype="str")


class _Columns:
    """A long table of which each column is taken once, and let go of then.

    Read whole, a panel would be in memory twice before the first of its columns could go.
    """

    def __init__(self, table: pa.Table) -> None:
        self.dates, self.assets = _axes(table)
        self._columns = dict(zip(table.column_names, table.columns, strict=True))

    @property
    def names(self) -> list[str]:
        """The columns that have not been taken."""
        return list(self._columns)

    def take(self, name: str) -> np.ndarray:
        """Return a column as dates × assets."""
        values: np.ndarray = self._columns.pop(name).to_numpy()
        return values.reshape(len(self.dates), len(self.assets))

    def take_frame(self, name: str) -> pd.DataFrame:
        """Return a column as a frame of its own."""
        return pd.DataFrame(self.take(name), index=self.dates, columns=self.assets)


def _days(table: pa.Table) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(table["date"].to_numpy(), name="date").as_unit("us")


def _parquet(table: pa.Table) -> pa.Buffer:
    """Return a Parquet file; numbers split by byte, which compresses them and stays quick."""
    numbers = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="lz4",
        use_dictionary=[f.name for f in table.schema if f.name not in numbers],
        use_byte_stream_split=numbers,
        row_group_size=1 << 20,
        write_page_checksum=True,
    )
    return sink.getvalue()
