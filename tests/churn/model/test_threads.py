"""The limit of one thread holds in a process that has not loaded scikit-learn yet."""

import json
import subprocess
import sys

PROGRAM = """
import json
from app.churn.model.threads import one_thread
with one_thread():
    from threadpoolctl import threadpool_info
    print(json.dumps([(each["user_api"], each["num_threads"]) for each in threadpool_info()]))
"""


def test_training_has_one_thread_in_every_library() -> None:
    output = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    ).stdout
    threads = json.loads(output)

    assert {api for api, _ in threads} == {"openmp", "blas"}
    assert {number for _, number in threads} == {1}
