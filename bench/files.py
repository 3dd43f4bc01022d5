"""Registry files of any length: profiles of 0.84 KB as people write them, and the same as a legacy map of flags."""

from __future__ import annotations

EVERY_BASE = 10
"""One profile in ten is a base that the nine after it extend."""

_PROFILE = """\
  {slug}:
    display_name: Assistant {number}
    description: Helps team {team} with its daily work.
{extends}    runtime:
      step_settings_patch:
        chat: {{api_type: openai, engine: gpt-5-mini, temperature: {temperature}, max_response_tokens: {tokens}}}
        inference: {{top_p: 0.9, seed: {number}, stop: [END, "STOP {number}"]}}
        client:
          timeout: {timeout}
          organization: org-{team}
        openai:
          presence_penalty: 0.1
          frequency_penalty: 0.2
        api:
          api_keys:
            openai-api-key: {{$secret: "env:OPENAI_API_KEY_{team}"}}
      system_prompt: |
        You are assistant {number} of team {team}.
        Answer briefly, and say where you know it from.
      tools: [calculator, clock, search]
    policy:
      allow_overrides: true
      allowed_override_keys: [system_prompt, chat.temperature]
    metadata: {{tags: [team-{team}]}}
"""

_LEGACY = """\
{slug}:
  ai-chat:
    ai-api-type: openai
    ai-engine: gpt-5-mini
    ai-temperature: {temperature}
    ai-max-response-tokens: {tokens}
    ai-top-p: 0.9
    ai-stop: [END, "STOP {number}"]
    ai-stream: true
    ai-cache-type: memory
    ai-cache-max-entries: {tokens}
  ai-client:
    timeout: {timeout}
    organization: org-{team}
    user-agent: team-{team}/1.0
  openai-chat:
    openai-api-key: {{$secret: "env:OPENAI_API_KEY_{team}"}}
    openai-base-url: https://llm-{team}.example.org/v1
    openai-n: 1
    openai-presence-penalty: 0.1
    openai-frequency-penalty: 0.2
    openai-parallel-tool-calls: true
    openai-reasoning-effort: low
  claude-chat:
    claude-top-k: 5
    claude-user-id: user-{number}
  embeddings:
    embeddings-engine: text-embedding-3-small
    embeddings-dimensions: 1536
    embeddings-cache-type: memory
    embeddings-cache-max-entries: {timeout}
"""


def registry_text(count: int, slug: str = "team") -> str:
    """A registry file of ``count`` profiles."""
    return f"slug: {slug}\ndefault_profile_slug: p00000\nprofiles:\n" + "".join(map(_profile, range(count)))


def legacy_text(count: int) -> str:
    """A legacy map of ``count`` profiles."""
    return "".join(_LEGACY.format(**_values(number)) for number in range(count))


def _profile(number: int) -> str:
    base = number - number % EVERY_BASE
    extends = f"    extends: [{_slug(base)}]\n" if number != base else ""
    return _PROFILE.format(**_values(number), extends=extends)


def _values(number: int) -> dict[str, object]:
    return {
        "slug": _slug(number),
        "number": number,
        "team": number % 100,
        "temperature": number % 10 / 10,
        "tokens": 256 + number % 4096,
        "timeout": 10 + number % 110,
    }


def _slug(number: int) -> str:
    return f"p{number:05d}"
