"""Train churn models from the workspace's own history.

``observations`` builds the panel: accounts as they were known on past days, with their outcomes.
It also builds the rows that are scored, so that training and serving see the same features.
``job`` enqueues trainings and runs each in a process of its own. There ``service`` trains a
candidate, checks the active model for drift and stores the results: only that process loads the
code that fits models.

Reads accounts, subscriptions and usage; writes ``churn_model`` through ``app.churn.registry``. May
import ``model`` and ``registry``. Tests: ``tests/churn/training``.
"""
