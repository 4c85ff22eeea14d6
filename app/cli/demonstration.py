"""Load the demo workspace and print what to try."""

from itertools import chain, count
from pathlib import Path

from app import serving
from app.cli.console import console, progress_bars, step_bars
from app.cli.runtime import load_settings
from app.core.clock import shifted_clock
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.settings import Settings
from app.demo import load as demo_load
from app.demo.simulate import example_account, truth_csv
from app.workspaces import queries


def run_demo(seed: int, name: str, truth: Path | None, *, serve_after: bool) -> None:
    """Simulate, load and score a company; write the planted causes; then serve it."""
    settings = load_settings()
    if serve_after:
        serving.expect_free_ports(settings)
    clock = shifted_clock(settings.clock_offset_seconds)
    with serving.database(settings) as url:
        with serving.engine_to(settings, url) as engine, progress_bars() as progress:
            sessions = create_session_factory(
                engine, renewal_grace_days=settings.renewal_grace_days
            )
            demo = demo_load.load(
                sessions,
                name=_free_name(sessions, name),
                seed=seed,
                now=clock(),
                progress=step_bars(progress),
            )
        (truth or settings.data_dir / "demo-truth.csv").write_text(truth_csv(demo.world))
        print_introduction(demo, settings)
        if serve_after:
            serving.serve(settings, url)


def print_introduction(demo: demo_load.Demo, settings: Settings) -> None:
    """Print the address, the keys, and three commands to try."""
    base = serving.web_address(settings)
    account = example_account(demo.world)
    accounts = f"{base}/api/v1/accounts"
    console.print(
        f"\n{demo.events:,} simulated events of {len(demo.world.accounts)} accounts."
        f"\nchurn model: {demo.model}"
        f"\n\nsign in    {settings.public_url or base}/sign-in/{demo.link}   (once; for people)"
        f"\naddress    {base}   (API documentation: {base}/docs)"
        f"\nworkspace  {demo.workspace_id}"
        f"\nwrite key  {demo.write_key.text}"
        f"\nread key   {demo.read_key.text}"
        "\n\nPaste this into another terminal, then try the commands and the steps of README.md:"
        f"\n\nexport SERVER={base} WORKSPACE={demo.workspace_id}"
        f" WRITE_KEY={demo.write_key.text} READ_KEY={demo.read_key.text} ACCOUNT={account}"
        f'\n\ncurl -s -H "Authorization: Bearer $READ_KEY" {accounts}/$ACCOUNT/health'
        '\ncurl -s -H "Authorization: Bearer $READ_KEY"'
        f" '{accounts}?band=at_risk&sort=-mrr&limit=5'"
        f"\ncurl -s -u $WRITE_KEY: {base}/v1/track -d"
        f""" '{{"userId":"u1","event":"Message Sent","context":{{"groupId":"{account}"}}}}'\n""",
        soft_wrap=True,
        markup=False,
    )


def _free_name(sessions: SessionFactory, name: str) -> str:
    """Return the name, with a number behind it if a workspace has it already."""
    with transaction(sessions) as session:
        taken = {workspace.id for workspace in queries.list_workspaces(session)}
    names = chain([name], (f"{name} {number}" for number in count(2)))
    return next(each for each in names if each.lower().replace(" ", "-") not in taken)
