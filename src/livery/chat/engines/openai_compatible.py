"""OpenAI and every server that speaks its protocols: chat completions and responses, through pydantic-ai.

The library maps messages and streams; which settings go out is decided in :mod:`livery.chat.engines.openai_wire`.
Nothing is retried, no redirect is followed, and no ``OPENAI_…`` variable of the process counts. This module loads
seconds' worth of libraries: only the factory imports it, when an engine is built.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any, Final, NamedTuple, cast

import httpx2
from anyio import CancelScope
from openai import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, Omit, omit
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from livery import __version__
from livery.chat.engines.connection import Connection
from livery.chat.engines.openai_failures import PROVIDER_ERRORS, failure_of
from livery.chat.engines.openai_wire import (
    Wire,
    chat_completions_wire,
    responses_wire,
    takes_max_completion_tokens,
)
from livery.chat.engines.protocol import (
    EngineEvent,
    Finished,
    Ignored,
    Message,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from livery.settings import PROVIDERS, StepSettings

_NO_TOOLS: Final = ModelRequestParameters()


def open_engine(settings: StepSettings, connection: Connection) -> OpenAICompatibleEngine:
    """The engine for ready settings; nothing is sent yet."""
    client = _client(connection)
    model, wire = _model_of(settings, connection, client)
    return OpenAICompatibleEngine(model, wire, client, connection, streams=settings.chat.stream)


class OpenAICompatibleEngine:
    """Answers with a model behind one of OpenAI's protocols."""

    def __init__(
        self, model: Model[AsyncOpenAI], wire: Wire, client: AsyncOpenAI, connection: Connection, *, streams: bool
    ) -> None:
        self._model = model
        self._settings = cast(ModelSettings, wire.settings)
        self._ignored = wire.ignored
        self._client = client
        self._connection = connection
        self._streams = streams

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        return self._ignored

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[EngineEvent, None]:
        answer = self._piece_by_piece if self._streams else self._at_once
        try:
            async with aclosing(answer(_model_messages(messages))) as events:
                async for event in events:
                    yield event
        except PROVIDER_ERRORS as error:
            raise failure_of(error, self._connection, self._model.model_name) from None

    async def aclose(self) -> None:
        with CancelScope(shield=True):  # also where the turn was cancelled
            await self._client.close()

    async def _piece_by_piece(self, messages: list[ModelMessage]) -> AsyncGenerator[EngineEvent, None]:
        async with self._model.request_stream(messages, self._settings, _NO_TOOLS) as streamed:
            async for event in streamed:
                match event:
                    case PartStartEvent(part=part):
                        for delta in _deltas([part]):
                            yield delta
                    case PartDeltaEvent(delta=TextPartDelta(content_delta=str(text))) if text:
                        yield TextDelta(text)
                    case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text))) if text:
                        yield ThinkingDelta(text)
            for last in _ending(streamed.get()):
                yield last

    async def _at_once(self, messages: list[ModelMessage]) -> AsyncGenerator[EngineEvent, None]:
        response = await self._model.request(messages, self._settings, _NO_TOOLS)
        for event in (*_deltas(response.parts), *_ending(response)):
            yield event


class _Client(AsyncOpenAI):
    """OpenAI's client without the headers that it takes from the environment and from the machine."""

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {"Accept": "application/json", "Content-Type": "application/json"}


def _client(connection: Connection) -> AsyncOpenAI:
    return _Client(
        api_key=connection.key or "none",  # without one it would look into the environment
        admin_api_key="",
        base_url=connection.base_url,
        timeout=connection.timeout_s,
        max_retries=0,
        http_client=_http_client(connection),
    )


def _headers(connection: Connection) -> dict[str, Any]:
    """The headers of each request beside those of the protocol."""
    return {
        "User-Agent": connection.user_agent or f"livery/{__version__}",
        **({"OpenAI-Organization": connection.organization} if connection.organization else {}),
        **({} if connection.key else {"Authorization": omit}),
    }


def _http_client(connection: Connection) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        timeout=connection.timeout_s,
        proxy=connection.proxy_url,
        trust_env=connection.proxy_from_environment,
        verify=_certificates(),
        limits=DEFAULT_CONNECTION_LIMITS,
        follow_redirects=False,
    )


@cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, those named by the environment included whatever a profile says of proxies."""
    return httpx2.create_ssl_context()


class _Spoken(NamedTuple):
    """One protocol: the library's model, and what a profile's settings are on its wire."""

    model: type[OpenAIChatModel] | type[OpenAIResponsesModel]
    wire: Callable[[StepSettings, Mapping[str, Any]], Wire]


_PROTOCOLS: Final[Mapping[str, _Spoken]] = {
    "openai": _Spoken(OpenAIChatModel, chat_completions_wire),
    "openai-responses": _Spoken(OpenAIResponsesModel, responses_wire),
}


def _model_of(settings: StepSettings, connection: Connection, client: AsyncOpenAI) -> tuple[Model[AsyncOpenAI], Wire]:
    spoken = _PROTOCOLS[PROVIDERS[settings.chat.api_type].protocol]
    provider, profile = _provider(connection, client), _profile(settings, connection)
    model = spoken.model(settings.chat.engine, provider=provider, profile=profile)
    wire = spoken.wire(settings, model.profile)
    return model, wire._replace(settings={**wire.settings, **_beside(wire, settings, connection)})


def _beside(wire: Wire, settings: StepSettings, connection: Connection) -> dict[str, Any]:
    """What goes with every request and is known only here: headers, and the field that the library always adds."""
    headers = {"extra_headers": _headers(connection)}
    if settings.openai.stream_include_usage or not settings.chat.stream:
        return headers
    return {**headers, "extra_body": {**wire.settings.get("extra_body", {}), "stream_options": omit}}


def _provider(connection: Connection, client: AsyncOpenAI) -> Provider[AsyncOpenAI]:
    if takes_max_completion_tokens(connection.host):
        return OpenAIProvider(openai_client=client)
    return OpenAICompatibleProvider(connection.api_type, openai_client=client)


def _profile(settings: StepSettings, connection: Connection) -> OpenAIModelProfile:
    """What the library is told about the model, over what it knows by the model's name."""
    profile = OpenAIModelProfile(
        openai_chat_supports_max_completion_tokens=takes_max_completion_tokens(connection.host),
        openai_chat_streaming_requires_finish_reason=True,  # else an answer that is cut off looks whole
        openai_supports_encrypted_reasoning_content=settings.openai.include_reasoning_encrypted,
        openai_responses_supports_reasoning_context=False,
    )
    if settings.model_info.reasoning is False:
        profile["openai_supports_reasoning"] = False
    return profile


def _model_messages(messages: Iterable[Message]) -> list[ModelMessage]:
    return [_model_message(message) for message in messages]


def _model_message(message: Message) -> ModelMessage:
    if message.role == "assistant":
        return ModelResponse(parts=[TextPart(message.text)])
    part = SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text)
    return ModelRequest(parts=[part])


def _deltas(parts: Iterable[Any]) -> Iterator[EngineEvent]:
    for part in parts:
        if isinstance(part, TextPart) and part.content:
            yield TextDelta(part.content)
        elif isinstance(part, ThinkingPart) and part.content:
            yield ThinkingDelta(part.content)


def _ending(response: ModelResponse) -> Iterator[EngineEvent]:
    """The last two events; ModelAPIError where the stream stopped before the answer was complete."""
    if response.state != "complete":
        raise ModelAPIError(response.model_name or "", "ended without a finish_reason")
    yield _usage(response.usage)
    yield Finished(response.finish_reason or "stop")


def _usage(usage: RequestUsage) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
