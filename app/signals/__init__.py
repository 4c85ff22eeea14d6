"""Signals: conditions of an account, each with a severity, a start day and evidence.

``service.refresh`` detects the signals of accounts that were just scored and stores the changes;
``service.detect_as_of`` detects those of a past day and writes nothing. ``detect.SIGNALS`` lists
all detectors, which are pure functions of ``SignalInputs``; docs/signals.md describes each.
Tables: ``account_signal``, ``signal_settings`` and ``account_activity`` (a cache of the use of
13 weeks). May import ``features``, ``usage``, ``engagement``, ``billing``, ``accounts`` and the
packages below them. Tests: tests/signals.
"""
