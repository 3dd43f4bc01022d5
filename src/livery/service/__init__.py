"""The one use-case layer: load, ask the core, save. Every door (command line, HTTP, chat, library) calls this."""

from livery.service.cache import CacheCounts
from livery.service.protocols import ProfileSummary, Registries, RegistryReader, RegistrySummary, RegistryWriter
from livery.service.registry_service import RegistryService

__all__ = [
    "CacheCounts",
    "ProfileSummary",
    "Registries",
    "RegistryReader",
    "RegistryService",
    "RegistrySummary",
    "RegistryWriter",
]
