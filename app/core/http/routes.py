"""Routes that FastAPI builds once."""

import warnings
from collections.abc import Callable
from inspect import Parameter, get_annotations, signature
from typing import Any

from fastapi import Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning

DEFAULTS = {
    name: parameter.default
    for name, parameter in signature(APIRoute).parameters.items()
    if parameter.kind is Parameter.KEYWORD_ONLY
}

# FastAPI ignores this where it builds a field. Pydantic builds that of a deferred body later.
warnings.filterwarnings("ignore", "The 'alias' attribute", UnsupportedFieldAttributeWarning)


class DeclaredRoute(APIRoute):
    """A route that is built when a request or the OpenAPI document needs it.

    FastAPI builds each route of an included router anew, of what was declared. ``APIRoute`` builds
    it at its declaration too: that took a third of the start.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        **options: Any,  # noqa: ANN401 - those of APIRoute
    ) -> None:
        self._options = options
        vars(self).update(DEFAULTS | options, path=path, endpoint=endpoint, stream_item_type=None)
        self.name = options.get("name") or endpoint.__name__
        self.methods = {method.upper() for method in options.get("methods") or ("GET",)}
        self.form_limits = {}
        if isinstance(self.response_model, DefaultPlaceholder):
            self.response_model = _answer_of(endpoint)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any attribute
        """Build the route, because something looks at more than what was declared."""
        options = vars(self).pop("_options", None)
        if options is None:
            raise AttributeError(name)
        super().__init__(self.path, self.endpoint, **options)
        return getattr(self, name)


def _answer_of(endpoint: Callable[..., Any]) -> Any:  # noqa: ANN401 - any response model
    """Return the model of the answer, as FastAPI reads it from the annotation."""
    answer = get_annotations(endpoint).get("return")
    return None if isinstance(answer, type) and issubclass(answer, Response) else answer
