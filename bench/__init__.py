"""Benchmarks of the service, beside ``app``, which does not ship or import them.

Each module with a ``run(rig, sizes)`` is one benchmark; ``benchmarks`` lists them. A benchmark has
two sizes: FULL gives figures, SMALLEST only shows that the benchmark works and runs in the tests.
Every figure is of one run on one machine, beside a reference measured in the same run.
``rig`` holds what they share: a private database, the service as a process, the load, HTTP clients.
They call the product's own functions and may import all of ``app``; plain SQL only fills tables.
Run them with ``python -m bench`` (docs/benchmarks.md). Tests: ``tests/bench``.
"""
