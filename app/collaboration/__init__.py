"""What people write about an account: notes of calls and meetings, tasks, the owner's sentiment.

Entry: ``note_service``, ``task_service``, ``sentiment_service``. The author is a person that the
caller names, else the API key; only the author edits a note, and every version of it stays.

Tables: note, note_version, task, sentiment. No package below may import it, and scores are computed
below: sentiment cannot enter a score. ``erasure`` removes a person from all texts. Tests:
``tests/collaboration``.
"""
