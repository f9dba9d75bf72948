"""xlwings-server made ready: its environment is set before it is imported, never after."""

import asyncio
import importlib
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from starlette.responses import Response
from starlette.types import ASGIApp

from tilt.settings import Settings, addin_path

MANIFEST_ID = "6f0c2a52-8f0e-4b39-9d43-3f7f5a1c7e21"  # Excel knows the add-in by it; never change


def skip_pyodide() -> None:
    """Tell Python at once that there is no ``pyodide``.

    xlwings tries ``from pyodide.ffi import JsNull`` for every cell it converts. Without this entry
    each try searches the whole path anew: about 40 microseconds a cell instead of one.
    """
    for name in ("pyodide", "pyodide.ffi"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment xlwings and xlwings-server are to see."""
    return {
        "XLWINGS_LICENSE_KEY": settings.xlwings_license_key.get_secret_value(),
        "XLWINGS_PROJECT_DIR": str(addin_path()),
        "XLWINGS_PROJECT_NAME": "Tilt",
        "XLWINGS_FUNCTIONS_NAMESPACE": "TILT",
        "XLWINGS_ENVIRONMENT": "prod",
        "XLWINGS_MANIFEST_ID_PROD": MANIFEST_ID,
        "XLWINGS_ENABLE_SOCKETIO": "false",  # its streams reach every socket, also a refused one
        "XLWINGS_ENABLE_EXAMPLES": "false",
        "XLWINGS_ENABLE_HOTRELOAD": "false",
        "XLWINGS_ENABLE_HTMX": "false",
        "XLWINGS_ENABLE_TESTS": "false",
        "XLWINGS_ENABLE_WASM": "false",
        "XLWINGS_CDN_OFFICEJS": "false",
        "XLWINGS_APP_PATH": "",
        "XLWINGS_AUTH_PROVIDERS": "[]",  # ours comes before it reads anything
        "XLWINGS_ADD_SECURITY_HEADERS": "false",  # ours are on every answer, errors too
        "XLWINGS_CUSTOM_FUNCTIONS_MAX_RETRIES": "3",
        "XLWINGS_CUSTOM_FUNCTIONS_RETRY_CODES": "[503]",
        "XLWINGS_REQUEST_TIMEOUT": str(int(settings.cell_seconds) + 15),
        "XLWINGS_LOG_LEVEL": "WARNING",
    }


@dataclass(frozen=True, eq=False)
class Shipped:
    """xlwings and xlwings-server, loaded, and the add-in's modules that they serve.

    They are reached through here alone: xlwings checks its licence when it is imported, so nothing
    of ours may import it at the top of a file.
    """

    server: ModuleType  # xlwings_server.main
    routes: ModuleType  # xlwings_server.routers.xlwings
    xlwings: ModuleType
    functions: ModuleType
    scripts: ModuleType

    @property
    def app(self) -> ASGIApp:
        app: ASGIApp = self.server.main_app
        return app

    def lifespan(self) -> AbstractAsyncContextManager[object]:
        """Return what the application does at start and end; a mounted one is not asked to."""
        app = self.server.app
        context: AbstractAsyncContextManager[object] = app.router.lifespan_context(app)
        return context

    def describe_functions(self) -> dict[str, list[dict[str, object]]]:
        """Return the metadata of the functions, as Excel wants it."""
        meta: dict[str, list[dict[str, object]]] = self.xlwings.server.custom_functions_meta(
            self.functions
        )
        return meta

    async def function_code(self) -> str:
        """Return the shipped JavaScript, and after it a stub per function."""
        response: Response = await self.routes.custom_functions_code()
        return bytes(response.body).decode()

    def run_script(self, name: str, workbook: dict[str, object]) -> dict[str, object]:
        """Run a script on a posted workbook; return the actions for Excel to apply."""
        book = self.xlwings.Book(json=workbook)
        try:
            asyncio.run(
                self.xlwings.server.custom_scripts_call(
                    self.scripts, name, typehint_to_value={self.xlwings.Book: book}
                )
            )
            actions: dict[str, object] = book.json()
            return actions
        finally:
            book.close()


def load(settings: Settings) -> Shipped:
    """Return xlwings-server with the add-in's modules, the environment set before.

    Raises
    ------
    RuntimeError
        If the modules of the add-in are not ours: xlwings-server would serve its examples then.
        Or if xlwings was imported before, without a licence key.
    """
    skip_pyodide()
    os.environ.update(environment(settings))
    server = importlib.import_module("xlwings_server.main")
    ours = {n: importlib.import_module(n) for n in ("custom_functions", "custom_scripts")}
    for name, module in ours.items():
        if not Path(module.__file__ or "").is_relative_to(addin_path()):
            raise RuntimeError(f"'{name}' is {module.__file__}, not a module of {addin_path()}.")
    importlib.import_module("xlwings.server")
    xlwings = importlib.import_module("xlwings")
    if "remote" not in [engine.name for engine in xlwings.engines]:
        raise RuntimeError(
            "xlwings was imported before its licence key was set, and has no engine."
        )
    return Shipped(
        server=server,
        routes=importlib.import_module("xlwings_server.routers.xlwings"),
        xlwings=xlwings,
        functions=ours["custom_functions"],
        scripts=ours["custom_scripts"],
    )
