"""Tables of cells as tests compare them with the engine's frames."""

import numpy as np
import pandas as pd

RANGE = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]  # holdings in a sheet


def frame(cells):
    """Return a table of cells as a frame, #N/A as NaN, dates as dates."""
    return pd.DataFrame([[plain(v) for v in row] for row in cells[1:]], columns=cells[0])


def plain(value):
    if isinstance(value, dict):
        if value["type"] == "Error":
            assert value["errorType"] == "NotAvailable"
            return np.nan
        assert value["numberFormat"] == "yyyy-mm-dd"
        return pd.Timestamp("1899-12-30") + pd.Timedelta(days=value["basicValue"])
    return value


def same(cells, expected):
    shown = frame(cells)
    assert list(shown.columns)[: expected.shape[1]] == list(expected.columns)
    for column in expected.columns:
        want = expected[column]
        if pd.api.types.is_numeric_dtype(want):
            np.testing.assert_allclose(
                shown[column].astype(float), want.astype(float), rtol=1e-9, atol=1e-12
            )
        else:
            assert shown[column].tolist() == want.tolist()


def fits_of_regimes(excel) -> set[str]:
    """Return the ids of the jobs that fit three regimes and are done."""
    jobs = excel.http.get("/api/v1/jobs", params={"limit": 100}).json()["jobs"]
    done = [job for job in jobs if job["state"] == "done"]
    return {job["id"] for job in done if job["title"] == "Regimes, 3 states"}
