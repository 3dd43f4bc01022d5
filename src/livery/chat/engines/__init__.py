"""Engines: what answers. One file per protocol, all behind :class:`Engine`, chosen by ``chat.api_type``.

Nothing here loads a provider's library before an engine that needs it is built.
"""

from livery.chat.engines.factory import SUPPORTED, EngineFactory, build_engine
from livery.chat.engines.protocol import (
    Engine,
    EngineEvent,
    Finished,
    FinishReason,
    Ignored,
    Message,
    TextDelta,
    ThinkingDelta,
    Usage,
)

__all__ = [
    "build_engine",
    "EngineFactory",
    "SUPPORTED",
    "Engine",
    "Message",
    "EngineEvent",
    "TextDelta",
    "ThinkingDelta",
    "Usage",
    "Finished",
    "FinishReason",
    "Ignored",
]
