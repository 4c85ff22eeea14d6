"""The churn risk of each account, computed once for each day that is over.

``service.refresh`` scores a set of accounts with the active model, or with rules if there is none.
``risk`` is the pure computation, ``revenue`` the revenue at risk.

Tables: ``churn_risk`` (newest), ``churn_risk_history`` (days on which it moved) and
``churn_scoring_context`` (the workspace's horizon, event names and medians). May import ``model``,
``registry`` and ``training``. Tests: ``tests/churn/scoring`` and
``tests/churn/test_risk_endpoints.py``.
"""
