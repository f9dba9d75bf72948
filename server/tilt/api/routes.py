"""What a request asks for, without the parts of its path that a client chose.

A portfolio's name may stand in a path, and is nothing for a log.
"""

from starlette.types import Scope

_REST = "/api/v1/"


def whole_path(scope: Scope) -> str:
    """Return the path of a request with the names of its parameters in place of what they are.

    A route knows its own end of the path; what is before it is the prefix of its routers. Of a
    path of the HTTP interface without a route only the first part is told.
    """
    path = str(scope["path"])
    template = getattr(scope.get("route"), "path_format", None)
    if template is not None:
        end = str(template).format(**scope.get("path_params", {}))
        if path.endswith(end):
            return path.removesuffix(end) + str(template)
    if path.startswith(_REST):
        first, more, _ = path.removeprefix(_REST).partition("/")
        return f"{_REST}{first}{more and '/...'}"
    return path
