"""Churn models: features in, calibrated probabilities and their explanations out. Pure.

``training.train`` turns a ``panel.Panel`` of observations into a ``model.Model``; ``promotion``
decides whether the model may replace the active one, ``drift`` whether the active one still fits,
``artifacts`` stores it as bytes, ``card`` describes it. ``rules`` gives points where too few
accounts have churned to train anything. ``drivers`` and ``driver_sentences`` explain one account.

No database, web, clock or settings: everything arrives as arrays and plain values, and randomness
as a seed. May import ``app.core`` and the pure files of ``app.features``, and no other
sub-package of ``app.churn``. Tests: ``tests/churn/model``. Facts and formulas: docs/churn.md.
"""
