"""``serve``: dashboard and API."""

from __future__ import annotations

from typing import Annotated

import typer

from screener.cli.common import DEFAULT_WORKDIR, ConfigOption, WorkdirOption, err, guarded, open_settings, open_workdir


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(serve)


@guarded
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on. There is no access control yet: keep it on this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Open the dashboard and the API on http://127.0.0.1:8000/ until Ctrl-C."""
    import uvicorn

    from screener.serve.app import create_app

    app = create_app(open_settings(config), open_workdir(workdir), hosts=[host])
    err.print(f"Dashboard http://{host}:{port}/   API http://{host}:{port}/docs   (Ctrl-C stops)", highlight=False)
    uvicorn.run(app, host=host, port=port, log_level="warning")
