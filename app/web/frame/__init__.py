"""What all screens share.

``visits.Visit`` is the request of a signed-in member: it checks session, role and form, and renders
templates. ``page_route.PageRoute`` answers errors with pages and adds the security headers.
``rendering`` writes templates with the texts of a language, ``formats`` numbers, money and days.
``static_files`` serves files under names that contain their hash.
"""
