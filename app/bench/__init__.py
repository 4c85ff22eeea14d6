from rich.console import Console


def run(only: list[str], console: Console) -> None: ...
