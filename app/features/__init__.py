"""What is known of an account as of one day: the input of scores, churn risk and signals.

``queries.load_account_features`` returns the features of a set of accounts for scorecards;
``table_queries.load_feature_table`` returns accounts as of days in the columns of the churn model.
Both use one SQL statement for any number of accounts and read only what was known on the day.
It owns no tables. It reads those of ``usage``, ``accounts``, ``engagement``, ``events`` and
``billing``, and may import from these packages and the ones below them. Tests: tests/features.
"""
