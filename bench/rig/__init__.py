"""What the benchmarks share: a private database, the service as a process, load and clients.

Start at ``rig.open_rig`` (a migrated database in a temporary folder), ``rig.create_tenant`` and
``Rig.service``. ``fill`` gives accounts a history inside the database; ``load`` makes events and
``client`` sends them from a process of its own; ``counting`` checks that what was stored is what
was sent. ``probing`` measures waits under a steady load; ``receivers`` are webhook receivers.
Nothing here imports a benchmark. Tests: ``tests/bench/rig``.
"""
