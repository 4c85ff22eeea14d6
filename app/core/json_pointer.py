"""JSON pointers (RFC 6901), which name the invalid part of a body."""


def pointer_part(name: object) -> str:
    """Return a name as a part of a JSON pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")
