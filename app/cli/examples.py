"""One example for each command, at the end of its help."""

from collections.abc import Iterator

import typer
from typer.models import CommandInfo

EXAMPLES = {
    "serve": "HEALTH_PORT=8080 python -m app serve",
    "worker": "HEALTH_METRICS_PORT=9100 python -m app worker",
    "migrate": "HEALTH_DATABASE_URL=postgresql://user:password@host/database python -m app migrate",
    "refresh": "python -m app refresh --workspace acme --as-of 2026-01-31",
    "train": "python -m app train --workspace acme",
    "demo": "python -m app demo --name Demo --seed 7",
    "workspace create": "python -m app workspace create 'Acme Inc'",
    "doctor": "python -m app doctor --dry-run",
    "erasures export": "python -m app erasures export erasures.ndjson",
    "erasures reapply": "python -m app erasures reapply erasures.ndjson",
    "workspace list": "python -m app workspace list",
    "key create": "python -m app key create --workspace acme --scope webhooks:write --name crm",
    "key list": "python -m app key list --workspace acme",
    "key revoke": "python -m app key revoke 0grWahlcaD",
    "key rotate": "python -m app key rotate 0grWahlcaD --overlap-hours 48",
    "member invite": "python -m app member invite kim@example.com --workspace acme --role admin",
    "member link": "python -m app member link kim@example.com --workspace acme",
    "member list": "python -m app member list --workspace acme",
    "member sign-out": "python -m app member sign-out kim@example.com --workspace acme",
    "member remove": "python -m app member remove kim@example.com --workspace acme",
    "import events": (
        "python -m app import events events.csv.gz --workspace acme --map event=name"
        " --map timestamp=time --dry-run"
    ),
    "import subscriptions": (
        "python -m app import subscriptions periods.csv --workspace acme --map mrr=amount"
    ),
    "import accounts": "python -m app import accounts accounts.csv --workspace acme",
    "import users": "python -m app import users people.ndjson --workspace acme --errors bad.csv",
}


def add_examples(app: typer.Typer) -> None:
    """Add its example to the help of each command."""
    for name, command in _commands(app):
        if name in EXAMPLES:
            command.epilog = f"Example: {EXAMPLES[name]}"


def _commands(app: typer.Typer, prefix: str = "") -> Iterator[tuple[str, CommandInfo]]:
    for command in app.registered_commands:
        yield f"{prefix}{command.name or getattr(command.callback, '__name__', '')}", command
    for group in app.registered_groups:
        if group.typer_instance:
            yield from _commands(group.typer_instance, f"{prefix}{group.name} ")
