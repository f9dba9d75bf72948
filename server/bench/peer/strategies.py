"""A strategy of fixed target weights through time, by bt and vectorbt."""

import bt
import numpy as np
import pandas as pd
import vectorbt as vbt
from timing import Timed, main, timed


def _prices(p: dict[str, np.ndarray]) -> pd.DataFrame:
    dates = pd.bdate_range("2010-01-04", periods=len(p["close"]))
    return pd.DataFrame(p["close"], dates, [f"N{i:04d}" for i in range(p["close"].shape[1])])


def by_bt(p: dict[str, np.ndarray]) -> Timed:
    """Trade to dated targets with proportional costs."""
    prices = _prices(p)
    targets = pd.DataFrame(p["targets"], prices.index[p["rows"]], prices.columns)

    def run() -> None:
        strategy = bt.Strategy(
            "equal",
            [
                bt.algos.RunOnDate(*targets.index),
                bt.algos.WeighTarget(targets),
                bt.algos.Rebalance(),
            ],
        )
        test = bt.Backtest(
            strategy,
            prices,
            integer_positions=False,
            commissions=lambda quantity, price: abs(quantity) * price * float(p["cost"]),
            progress_bar=False,
        )
        bt.run(test).backtest_list[0].positions  # noqa: B018

    return timed(run, "bt", once=True)


def by_vectorbt(p: dict[str, np.ndarray]) -> Timed:
    """Trade to the same targets as orders in percent, cash shared."""
    prices = _prices(p)
    size = np.full(prices.shape, np.nan)
    size[p["rows"]] = p["targets"]

    def run() -> object:
        portfolio = vbt.Portfolio.from_orders(
            prices,
            size=size,
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            fees=float(p["cost"]),
            freq="1D",
        )
        return portfolio.orders.records, portfolio.value()

    small = _prices({"close": p["close"][:3, :2]})  # its loops are compiled before it is timed
    vbt.Portfolio.from_orders(
        small, size=np.full(small.shape, 0.5), size_type="targetpercent", group_by=True,
        cash_sharing=True, call_seq="auto", fees=0.001, freq="1D",
    ).value()  # fmt: skip
    return timed(run, "vectorbt")


if __name__ == "__main__":
    main({"bt": by_bt, "vectorbt": by_vectorbt})
