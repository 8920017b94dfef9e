"""`khien door`: the identity check over HTTP, for devices at checkpoints and for other systems."""

from __future__ import annotations

from pathlib import Path

import click

from khien.core import config, server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--socket", "path", type=click.Path(path_type=Path), help="A Unix socket as well: for a proxy beside it.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="One is enough for two cores."
)
@click.option("--lines", default=2, show_default=True, type=click.IntRange(1, 16), help="Database calls at once.")
@click.option("--waiting", default=4000, show_default=True, type=click.IntRange(1), help="Checks queued before 503.")
@click.option("--skew", default=60, show_default=True, type=click.IntRange(1, 3600), help="Seconds a clock may be off.")
@click.option("--session", default=3600, show_default=True, type=click.IntRange(60, 86400), help="Seconds it lasts.")
@click.option("--body-timeout", default=10.0, show_default=True, type=click.FloatRange(0.1, 60))
def door(
    host: str, port: int, path: Path | None, workers: int, lines: int, waiting: int, skew: int, session: int,
    body_timeout: float,
) -> None:  # fmt: skip
    """Serve identity checks until interrupted. The database must be running and up to date.

    Put a proxy that speaks TLS in front: requests are signed, not encrypted.
    """
    from khien.checkpoints.door.app import Settings
    from khien.checkpoints.door.serving import serve

    server.ensure_running()
    config.secret_key()  # made once, before workers could race for it
    click.echo(f"http://{host}:{port}/v1/openapi.json")
    serve(
        host,
        port,
        path,
        Settings(
            lines=lines, waiting=waiting, skew=skew, session_seconds=session, body_seconds=body_timeout, workers=workers
        ),
    )
