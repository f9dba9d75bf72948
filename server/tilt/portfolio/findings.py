"""What is found wrong in a range: collected first, raised after."""

from typing import NamedTuple

import pandas as pd

from tilt.errors import DataError, TiltError

ERROR, WARNING, FIXED = "error", "warning", "fixed"


class Finding(NamedTuple):
    """One problem of a range.

    row      : as numbered in the range, 1-based; 0 for the range as a whole
    severity : error (the range cannot be used), warning (something is left out), fixed
    problem  : the rest of the sentence "holdings row 7: ..."
    fix      : what was done about it, or what to do
    note     : whether it changes what the numbers mean, so that results repeat it
    message  : what is raised, where that is not "holdings row 7: <problem>. <fix>"
    raises   : with which type
    """

    row: int
    severity: str
    problem: str
    fix: str
    note: bool = False
    message: str = ""
    raises: type[TiltError] = DataError

    def sentence(self) -> str:
        """Return problem and fix as one note."""
        where = f"Row {self.row}: " if self.row else ""
        text = f"{where}{self.problem}. {self.fix}"
        return text[0].upper() + text[1:]

    def error(self, argument: str) -> TiltError:
        """Return the exception that this finding raises."""
        if self.message:
            return self.raises(self.message)
        where = f"{argument} row {self.row}:" if self.row else argument
        return self.raises(f"{where} {self.problem}. {self.fix}")


def first_error(findings: list[Finding], argument: str) -> TiltError | None:
    """Return the exception for the first error in order of rows, or None."""
    errors = sorted((f for f in findings if f.severity == ERROR), key=lambda f: f.row or 10**9)
    if not errors:
        return None
    error = errors[0].error(argument)
    if len(errors) == 1:
        return error
    more = len(errors) - 1
    return type(error)(f"{error} ({more} more problem{'s' if more > 1 else ''}: see CHECK.)")


def table(findings: list[Finding]) -> pd.DataFrame:
    """Return findings as a table in order of rows; those of the whole range come last."""
    ordered = sorted(findings, key=lambda f: f.row or 10**9)
    return pd.DataFrame(
        {
            "row": pd.Series([f.row for f in ordered], dtype="int64"),
            "severity": pd.Series([f.severity for f in ordered], dtype="str"),
            "problem": pd.Series([f.problem for f in ordered], dtype="str"),
            "fix": pd.Series([f.fix for f in ordered], dtype="str"),
        }
    )
