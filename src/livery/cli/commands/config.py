"""``livery config``: how this process is configured."""

from __future__ import annotations

from typing import Any

import click

from livery.cli.command import Group
from livery.cli.options import output_option
from livery.cli.output import Table, brief, emit_document, emit_table
from livery.cli.session import Session, pass_session


@click.group("config", cls=Group)
def config_command() -> None:
    """How this process is configured: flags over LIVERY_* variables over livery.toml over defaults."""


@config_command.command("show")
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@output_option("table", "json", "yaml", "toml")
@pass_session
def show_command(session: Session, origin: bool, form: str) -> None:
    """Show every setting of this process."""
    values = _shown(session)
    origins = session.configured.origins
    if form == "table":
        columns = ("SETTING", "VALUE", "ORIGIN") if origin else ("SETTING", "VALUE")
        rows = [
            (name, "" if value in ("", [], {}) else brief(value), origins[name])[: len(columns)]
            for name, value in values.items()
        ]
        emit_table(Table(columns, rows), session.color)
    elif origin:
        emit_document({name: {"value": values[name], "origin": origins[name]} for name in values}, form)
    else:
        emit_document(values, form)


def _shown(session: Session) -> dict[str, Any]:
    """The configuration without its secrets."""
    import msgspec

    from livery.core.paths import SETTINGS
    from livery.core.redact import mask_url, redact
    from livery.settings import ai_schema

    values: dict[str, Any] = msgspec.to_builtins(session.configured.values)
    values["sources"] = [mask_url(source) for source in values["sources"]]
    values |= {name: mask_url(values[name]) for name in ("writer", "state")}
    values["base"] = redact(values["base"], ai_schema(), (SETTINGS,))
    return values
