"""What a wheel must hold: the workbench, which npm builds and git does not keep."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = ("main.js", "main.css", "office.js", "entra.js")


class Workbench(BuildHookInterface):  # type: ignore[type-arg]
    """Refuses to build a wheel whose ``/workbench`` would be empty."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Raise if the bundle is missing; an editable install may be made without it."""
        folder = Path(self.root) / "addin/static/workbench/dist"
        missing = [name for name in BUNDLE if not (folder / name).is_file()]
        if version == "standard" and missing:
            raise FileNotFoundError(
                f"The workbench is not built: {folder} has no {', '.join(missing)}. "
                "Run 'make workbench' (or 'npm ci' and 'npm run build'; Node 20 or later), "
                "then build the wheel again."
            )
