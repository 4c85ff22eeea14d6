"""A simulated messaging company with planted causes of decline, for demos and benchmarks.

``simulate.simulate`` makes a world from a seed, ``simulate.generate_calls`` its Segment calls.
``load.load`` stores and scores both in a new workspace, while ``training`` trains its churn model
in another process. ``world`` has the accounts and their weekly state, ``activity`` their use,
``engagement`` what else happens, ``owners`` what the vendor's people say. These and ``simulate``
are pure and import nothing else of the app; ``load`` and ``training`` may import the packages below
it. It has no tables. Tests: ``tests/demo``.
"""
