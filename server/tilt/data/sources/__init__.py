"""Where data comes from: one module for each vendor, each of them a ``fetch``."""
