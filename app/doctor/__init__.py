"""Finds what older versions stored wrongly, and repairs what stored events can tell.

Each check is a module with one function that goes through a workspace (``faults.Check``);
``checks`` lists them. The command is ``python -m app doctor``. Tests: ``tests/doctor``.
"""
