"""Write the workbooks of this folder, over the embedded sample: ``python workbooks/build.py``.

The examples on the help pages of functions are written with them, from the same data.

They hold live formulas of the add-in and the values those have now, so that they show numbers in a
preview, on a phone, and in an Excel that has no add-in yet.
"""

import argparse
import tempfile
from pathlib import Path

import orjson
from house_template import NAME, write_house_template

from tilt.api.app import create_app
from tilt.api.examples import example_of
from tilt.api.examples import file as examples_file
from tilt.api.starter import starter
from tilt.api.starter_values import calculated
from tilt.api.state import State, enter
from tilt.api.workbook_files import write_xlsx
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

HERE = Path(__file__).parent
SECONDS = 600.0  # for the jobs behind the formulas, all together


def build(folder: Path, state: State) -> list[Path]:
    """Write the workbooks into a folder, and return their paths.

    Parameters
    ----------
    state : of a server over the sample
    """
    made = calculated(starter(state), state, seconds=SECONDS)
    path = folder / made.name
    path.write_bytes(write_xlsx(made))
    return [path, write_house_template(folder / NAME)]


def build_examples(path: Path, state: State) -> Path:
    """Write what the example of each function gives, for its help page; return the path."""
    cells = state.cells.values()
    made = {cell.name: example_of(state, cell, seconds=SECONDS) for cell in cells}
    path.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def main() -> None:
    """Build the sample in a folder that is removed again, and the workbooks from it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--to", type=Path, default=HERE, help="the folder to write to")
    folder = asked.parse_args().to
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data_url=data)
        store = Store.open(settings)
        refresh(store, settings)
        store.close()
        state = create_app(settings).state.tilt.state
        enter(state, "")
        try:
            for path in (*build(folder, state), build_examples(examples_file(), state)):
                print(f"{path.name}  {path.stat().st_size / 1024:,.0f} KB")
        finally:
            state.jobs.close()
            state.store.close()


if __name__ == "__main__":
    main()
