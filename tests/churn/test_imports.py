"""Only a training process loads the code that fits models."""

import subprocess
import sys

FOR_TRAINING = {
    "app.churn.training.service",
    *(f"app.churn.model.{name}" for name in ("candidates", "card", "drift", "promotion")),
    *(f"app.churn.model.{name}" for name in ("evaluation_metrics", "training")),
}


def test_the_api_process_starts_without_the_training_code() -> None:
    code = "import app.main, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)  # noqa: S603
    modules = set(done.stdout.decode().split())

    assert "app.churn.training.job" in modules
    assert modules & FOR_TRAINING == set()
