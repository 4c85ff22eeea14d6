"""Whether the product finds what was planted in simulated companies, and what will come.

``worlds`` observes accounts day by day: ``causes`` their signals, ``plays`` their playbooks.
``churn_risk`` compares the probabilities of whole demos with who leaves afterwards.
"""
