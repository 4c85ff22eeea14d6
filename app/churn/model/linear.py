"""Ridge logistic regression, whose log-odds are a sum over the columns. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from app.churn.model.preprocessing import Floats, Preprocessor

RIDGE_C = 0.1


@dataclass(frozen=True, slots=True)
class Linear:
    """``coefficients``: of the prepared columns. ``bias``: log-odds where all are at the mean."""

    preparation: Preprocessor
    coefficients: Floats
    bias: float

    @classmethod
    def fit(cls, x: Floats, y: Floats, among: NDArray[np.int64] | None = None) -> Self:
        """Both outcomes must be among ``y``."""
        preparation = Preprocessor.of(x, among)
        if not preparation.columns.size:
            share = float(y.mean())
            return cls(preparation, np.empty(0), float(np.log(share / (1 - share))))
        found = LogisticRegression(C=RIDGE_C, max_iter=1000).fit(preparation.apply(x), y)
        return cls(preparation, found.coef_[0], float(found.intercept_[0]))

    def margin(self, x: Floats) -> Floats:
        """Compute log-odds."""
        return self.preparation.apply(x) @ self.coefficients + self.bias

    def contributions(self, x: Floats) -> Floats:
        """Split the log-odds less the bias: coefficient times distance from the mean."""
        parts = self.preparation.apply(x) * self.coefficients
        return self.preparation.by_column(parts, x.shape[1])

    def to_json(self) -> dict[str, Any]:
        prepared = {
            field.name: getattr(self.preparation, field.name).tolist()
            for field in fields(Preprocessor)
        }
        return {
            "preparation": prepared,
            "coefficients": self.coefficients.tolist(),
            "bias": self.bias,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        places = {"columns", "flagged"}
        prepared: dict[str, Any] = {
            name: np.asarray(values, np.int64 if name in places else np.float64)
            for name, values in stored["preparation"].items()
        }
        coefficients = np.asarray(stored["coefficients"], np.float64)
        return cls(Preprocessor(**prepared), coefficients, stored["bias"])
