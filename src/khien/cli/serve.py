"""`khien serve`: the pages and the API."""

from __future__ import annotations

import click

from khien.core import server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Start the database if it is not running, bring it up to date, serve pages, API and jobs until interrupted."""
    from khien.core.jobs import worker_beside
    from khien.core.migration import migrate
    from khien.web.serving import check_port
    from khien.web.serving import serve as serve_pages

    check_port(host, port)
    server.ensure_running()
    migrate()
    click.echo(f"http://{host}:{port}/")
    with worker_beside():
        serve_pages(host, port, workers)
