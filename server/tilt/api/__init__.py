"""The server: our routes first, the xlwings add-in behind them."""
