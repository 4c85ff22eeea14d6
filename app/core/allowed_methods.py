"""The methods that a path can be asked with, for the header ``Allow`` of a 405."""

from fastapi import Request
from starlette.routing import Match

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def allowed_methods(request: Request) -> list[str]:
    """Return the methods of all routes of the path; the route that gave 405 knows only its own.

    What can be read answers ``HEAD`` too.
    """
    found = {
        method
        for method in METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)
