"""NumPy, imported when it is first used, and the types of its arrays.

An API process answers most requests without it: at rest it is 12 MB smaller and starts faster.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Booleans", "Floats", "Hashes", "Integers", "Records", "np"]


class LazyModule:
    """A module that is imported when its first attribute is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]
    Records = NDArray[np.void]
else:
    np = LazyModule("numpy")
    Floats = Integers = Booleans = Hashes = Records = Any
