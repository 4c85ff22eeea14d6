"""Accounts at risk: the list that customer-success tools poll, and ARR at risk by renewal quarter.

``service.load_page`` lists accounts whose band is at risk or whose churn risk is high, most
revenue first, each with its top driver, its most severe open alert and its first suggestion.
``service.arr_at_risk_report`` adds up ARR by the quarter of the next renewal.
``calibration.calibration_report`` compares what was expected to churn with what did, by month.

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/at_risk``.
"""
