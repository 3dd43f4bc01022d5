"""The door for programs and browsers: one ASGI application over a :class:`livery.service.RegistryService`.

A request passes, from the outside in, the envelope (request id, headers, problems), the access rules, and the routes.
A route reads its parameters, makes one answer through :class:`livery.http.reading.Reading`, and gives it its ETag.
``livery.http.serve`` runs it as a process; neither it nor this package loads a server library before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livery.http.app import create_app as create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name == "create_app":
        from livery.http.app import create_app

        return create_app
    raise AttributeError(f"module 'livery.http' has no attribute {name!r}")
