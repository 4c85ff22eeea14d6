"""Churn risk: how likely each account is to stop paying, or to stop using the product.

Sub-packages, each importing only those before it: ``model`` (pure: train, evaluate, explain),
``registry`` (stored versions, which one is active), ``training`` (observations from the database,
the training job) and ``scoring`` (the risk of each account, once a day). ``endpoints`` (models) and
``schemas`` are the HTTP API; the routes of an account's risk are in ``portfolio``. Entry points:
``scoring.service.refresh`` from the pipeline, ``training.job`` from the worker,
``training.service.run`` from the CLI.

Tables: ``churn_model``, ``churn_risk``, ``churn_risk_history``, ``churn_scoring_context``. May
import ``features`` and the packages below it; neither ``health`` nor ``churn`` imports the other.
Tests: ``tests/churn``. Facts and formulas: docs/churn.md.
"""
