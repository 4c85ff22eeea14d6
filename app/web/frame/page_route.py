"""The class of page routes: errors are pages, and every answer has the security headers."""

import gzip
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from app.core import errors
from app.core.errors import ProblemError, UnauthorizedError
from app.core.http.routes import DeclaredRoute
from app.core.languages import Language, preferred_language

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOT_STORED = {
    "Cache-Control": "private, no-store",
    "Vary": "Cookie, Accept-Language, Accept-Encoding",
}
GZIP_HEADERS = {"Content-Encoding": "gzip"}
LEAST_BYTES = 1000
"""Shorter pages are not compressed."""
OTHER_PREFIXES = ("/api/", "/v1/", "/health/", "/metrics", "/docs", "/openapi.json")
"""Paths whose errors are problem details also for a browser."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SignInError(UnauthorizedError):
    """Nobody is signed in: a page leads to the sign-in page and back."""

    code = "not_signed_in"
    default_detail = "You are not signed in, or your session has ended."


class PageRoute(DeclaredRoute):
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:  # noqa: BLE001 - a bug is a page too, and logged
                response = await run_in_threadpool(error_page, request, error)
            return finish(response)

        return handle_page


def finish(response: Response) -> Response:
    """Add the headers of every page."""
    for name, value in {**SECURITY_HEADERS, **NOT_STORED}.items():
        response.headers.setdefault(name, value)
    return response


def html_response(request: Request, page: str, status: int = HTTPStatus.OK) -> Response:
    """Return a page, compressed if the browser reads that."""
    body, headers = page.encode(), {}
    if "gzip" in request.headers.get("accept-encoding", "") and len(body) >= LEAST_BYTES:
        body, headers = gzip.compress(body, compresslevel=5, mtime=0), GZIP_HEADERS
    return Response(body, status, headers, "text/html; charset=utf-8")


def address_of(request: Request) -> str:
    """Return the path and the query of a request, as a browser sends them."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def error_page(request: Request, error: Exception) -> Response:
    """Answer an error with a page that says what to do; a bug is logged and answers 500."""
    problem = errors.problem_from_exception(error)
    if problem is None:
        answer = errors.handle_unexpected_error(request, error)
        return _page(request, answer.status_code, "internal_error", "")
    if isinstance(problem, SignInError) and request.method == "GET":
        path = quote(address_of(request), safe="")
        return RedirectResponse(f"/sign-in?next={path}", HTTPStatus.SEE_OTHER)
    detail = " ".join([problem.detail, *(each.message for each in problem.errors)])
    return _page(request, problem.status, problem.code, detail, problem)


def _page(
    request: Request, status: int, code: str, detail: str, problem: ProblemError | None = None
) -> Response:
    from app.web.frame.rendering import Renderer

    language: Language = request.scope.get("page_language") or preferred_language(
        request.headers.get("accept-language", "")
    )
    body = Renderer(language).render(
        "frame/error.html",
        status=int(status),
        code=code,
        detail=detail,
        request_id=request.scope.get("request_id", ""),
        visit=None,
    )
    response = html_response(request, body, status)
    response.headers.update(problem.headers if problem else {})
    return response


def install(app: FastAPI) -> None:
    """Answer unknown addresses with a page where a browser asks for one."""

    def answer(request: Request, error: Exception) -> Response:
        accept = request.headers.get("accept", "")
        is_page = request.method == "GET" and "text/html" in accept
        if is_page and not request.url.path.startswith(OTHER_PREFIXES):
            return finish(error_page(request, error))
        return errors.handle_exception(request, error)

    app.add_exception_handler(HTTPException, answer)
