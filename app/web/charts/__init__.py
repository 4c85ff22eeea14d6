"""Charts as pure functions from numbers to SVG text (docs/adr/0039).

``svg`` writes elements; ``sparkline``, ``history``, ``waterfall`` and ``strip`` draw. Each chart
has a title and a description for people who do not see it; its numbers are in a table beside it.
Colours and widths are classes of the stylesheet: the security policy permits no inline style.
Tests: ``tests/web/charts``.
"""
