"""Customer health: how much value an account gets for its price, as a score of 0-100.

Sub-packages, each may import only those after it: ``restatements``, ``versions``, ``overrides``,
``explanations``, ``rollups``, ``adoption`` (features with endpoints), then ``scoring`` (computes,
stores and reads scores), then ``definition`` (what a score means). ``tables`` is below all of them,
``endpoints`` collects the routers, ``schemas`` is the API answer about an account.

Entry: ``scoring.service.refresh``, called by ``app.pipeline``. The endpoints that return an
account's health with its churn risk are in ``app.portfolio``.
May import ``signals``, ``features`` and the packages below. Tests: ``tests/health``.
"""
