"""Members: the people of the vendor who use the page, their sign-in links and their sessions.

``roles`` has the roles, ``person`` the member of a request: its ``require`` is the only role check.
``service`` invites, changes and removes members, and starts and ends sessions; ``tokens``
makes the texts of links and sessions, of which only hashes are stored.
A member appears in audit entries as ``member:<id>``, never by name or e-mail address.
Tables: member, member_session. It may import ``app.workspaces`` and below.
Tests: ``tests/members``, and ``tests/web`` for signing in on the page.
"""
