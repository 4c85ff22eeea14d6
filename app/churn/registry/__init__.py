"""The stored churn models of a workspace, and which of them is active.

``store.load_active_model`` loads the active model from the disk cache or the database.
``model_service`` promotes, activates, rolls back and degrades; each change sends a message, leaves
an audit entry and marks every account due for scoring.

Table: ``churn_model``. May import ``app.churn.model`` and ``app.churn.tables``, neither
``app.churn.training`` nor ``app.churn.scoring``. Tests: ``tests/churn/registry``.
"""
