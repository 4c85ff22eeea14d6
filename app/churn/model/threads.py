"""Training with one thread. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the numerical libraries to one thread: on small data more of them only wait.

    scikit-learn is loaded before: a limit holds only for libraries that are loaded already.
    """
    import_module("sklearn.ensemble")
    with threadpool_limits(1):
        yield
