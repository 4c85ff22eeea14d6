"""A simulated messaging company with planted causes of decline, for demos and benchmarks.

``simulate.simulate`` makes a world from a seed, ``simulate.generate_calls`` its Segment calls,
``load.load`` stores and scores both in a new workspace. ``world`` has the accounts and their weekly
state, ``activity`` their events. These three are pure and import nothing else of the app; ``load``
may import the packages below it. It has no tables. Tests: ``tests/demo``.
"""
