"""The AI settings as typed, frozen sections: a field's type, default, marks and old flag stand only here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from msgspec import field

from livery.settings.sections.access import Api, Client
from livery.settings.sections.chat import ApiType, Chat, Inference
from livery.settings.sections.model_info import ModelCost, ModelInfo
from livery.settings.sections.retrieval import Embeddings, Rerank
from livery.settings.sections.setting import Credential, SecretReference, Section, section
from livery.settings.sections.vendors import Claude, Gemini, Ollama, OpenAI

__all__ = [
    "Api",
    "ApiType",
    "Chat",
    "Claude",
    "Client",
    "Credential",
    "Embeddings",
    "Gemini",
    "Inference",
    "ModelCost",
    "ModelInfo",
    "Ollama",
    "OpenAI",
    "Rerank",
    "SecretReference",
    "StepSettings",
]


class StepSettings(Section, frozen=True, kw_only=True):
    """Everything that one step of a conversation needs to know; every field has its default."""

    chat: Annotated[Chat, section("Which model answers, and how it samples.", slug="ai-chat", prefix="ai-")] = field(
        default_factory=Chat
    )
    inference: Annotated[
        Inference,
        section("What goes over 'chat' on every turn.", slug="ai-inference", prefix="inference-"),
    ] = field(default_factory=Inference)
    client: Annotated[Client, section("The HTTP client of every provider.", slug="ai-client")] = field(
        default_factory=Client
    )
    openai: Annotated[OpenAI, section("What only OpenAI's protocols know.", slug="openai-chat", prefix="openai-")] = (
        field(default_factory=OpenAI)
    )
    claude: Annotated[Claude, section("What only Anthropic's models know.", slug="claude-chat", prefix="claude-")] = (
        field(default_factory=Claude)
    )
    gemini: Annotated[Gemini, section("What only Google's models know.", slug="gemini-chat", prefix="gemini-")] = field(
        default_factory=Gemini
    )
    ollama: Annotated[Ollama, section("What only Ollama knows.", slug="ollama-chat", prefix="ollama-")] = field(
        default_factory=Ollama
    )
    embeddings: Annotated[
        Embeddings,
        section("The model that turns text into vectors.", slug="embeddings", prefix="embeddings-"),
    ] = field(default_factory=Embeddings)
    rerank: Annotated[Rerank, section("The model that orders search results.", slug="rerank", prefix="rerank-")] = (
        field(default_factory=Rerank)
    )
    api: Annotated[Api, section("Keys, addresses and opt-ins of the providers.", sensitive=True)] = field(
        default_factory=Api
    )
    model_info: Annotated[ModelInfo, section("Facts about the model, and its prices.")] = field(
        default_factory=ModelInfo
    )

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any], *, foreign_sections: Collection[str] = ()) -> StepSettings:
        """The typed form of effective settings; a ValidationError names every field that does not fit."""
        from livery.settings.typed import step_settings_of

        return step_settings_of(settings, foreign_sections=foreign_sections)
