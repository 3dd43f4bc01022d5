"""Models beside the chat: ``embeddings`` and ``rerank``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import field

from livery.settings.sections.setting import (
    NAMED_KEY,
    NAMED_URL,
    AtLeastOne,
    Count,
    Credential,
    Section,
    no_entries,
    setting,
)


class Embeddings(Section, frozen=True, kw_only=True):
    """The model that turns text into vectors."""

    type: Annotated[
        Literal["openai", "ollama"], setting("The provider's protocol.", flag="embeddings.embeddings-type")
    ] = "openai"
    engine: Annotated[str, setting("The model's name at its provider.", flag="embeddings.embeddings-engine")] = (
        "text-embedding-3-small"
    )
    dimensions: Annotated[AtLeastOne, setting("Numbers in one vector.", flag="embeddings.embeddings-dimensions")] = 1536
    cache_type: Annotated[
        Literal["none", "memory", "file"],
        setting("Where vectors are cached.", flag="embeddings.embeddings-cache-type"),
    ] = "none"
    cache_max_size: Annotated[
        Count, setting("The most bytes of a cache on disk.", flag="embeddings.embeddings-cache-max-size")
    ] = 1_073_741_824
    cache_max_entries: Annotated[
        Count,
        setting("The most entries of a cache in memory.", flag="embeddings.embeddings-cache-max-entries"),
    ] = 1000
    cache_directory: Annotated[
        str,
        setting("The directory of a cache on disk.", flag="embeddings.embeddings-cache-directory", sensitive=True),
    ] = ""
    api_keys: Annotated[
        dict[str, Annotated[Credential, setting("An API key.", secret=True)]],
        setting(
            "API keys for embeddings alone, by '<provider>-api-key'; they go before those of 'api'.",
            flag_patterns=("embeddings.*-api-key",),
            sensitive=True,
            propertyNames=NAMED_KEY,
        ),
    ] = field(default_factory=no_entries)
    base_urls: Annotated[
        dict[str, Annotated[Credential, setting("Where an API is.", sensitive=True)]],
        setting(
            "Addresses for embeddings alone, by '<provider>-base-url'; they go before those of 'api'.",
            flag_patterns=("embeddings.*-base-url",),
            sensitive=True,
            propertyNames=NAMED_URL,
        ),
    ] = field(default_factory=no_entries)


class Rerank(Section, frozen=True, kw_only=True):
    """The model that orders search results; there is none until ``type`` or ``engine`` is set."""

    type: Annotated[str | None, setting("The provider's protocol: llamacpp.", flag="rerank.rerank-type")] = None
    engine: Annotated[str | None, setting("The model's name at its provider.", flag="rerank.rerank-engine")] = None
    max_request_bytes: Annotated[
        Count, setting("The most bytes of one request.", flag="rerank.rerank-max-request-bytes")
    ] = 2_097_152
    max_response_bytes: Annotated[
        Count, setting("The most bytes of one response.", flag="rerank.rerank-max-response-bytes")
    ] = 1_048_576
