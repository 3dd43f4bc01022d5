"""Six layers of AI settings as a team might write them: registry defaults, four bases, the selected profile.

About 180 assignments and 4 KB of JSON together. No layer holds a directive or a keyed list, so that a merge which
knows nothing of them comes to the same result.
"""

from __future__ import annotations

from typing import Any

Runtime = dict[str, Any]

DEFAULTS: Runtime = {
    "step_settings_patch": {
        "chat": {"api_type": "openai", "engine": "gpt-5-mini", "temperature": 0.7, "top_p": 0.95, "stream": True},
        "client": {"timeout": 60, "organization": "org-team", "user_agent": "team/1.0", "proxy_from_environment": True},
        "openai": {"n": 1, "presence_penalty": 0.1, "frequency_penalty": 0.1, "parallel_tool_calls": True},
        "claude": {"top_k": 5, "user_id": "team"},
        "embeddings": {"type": "openai", "engine": "text-embedding-3-small", "dimensions": 1536, "cache_type": "file"},
        "rerank": {"max_request_bytes": 1048576, "max_response_bytes": 524288},
        "api": {
            "api_keys": {"openai-api-key": {"$secret": "env:OPENAI_API_KEY"}},
            "base_urls": {"openai-base-url": "https://llm.example.org/v1"},
            "allow_http": {"ollama": False},
        },
        "model_info": {"id": "gpt-5-mini", "name": "GPT-5 mini", "context_window": 128000},
    },
    "tools": ["calculator", "clock"],
}
PROVIDERS: Runtime = {
    "step_settings_patch": {
        "client": {"timeout": 30, "organization": "org-ai", "proxy_from_environment": False},
        "openai": {"n": 1, "reasoning_effort": "low", "reasoning_summary": "auto", "stream_include_usage": True},
        "claude": {"top_k": 10, "user_id": "platform"},
        "gemini": {"api_version": "v1", "include_thoughts": False, "thinking_budget": 512, "thinking_level": "LOW"},
        "ollama": {"num_ctx": 8192, "num_gpu": 50, "num_thread": 8, "seed": 7, "temperature": 0.6, "top_k": 50},
        "rerank": {"type": "cohere", "engine": "rerank-3", "max_request_bytes": 2097152},
        "api": {
            "api_keys": {
                "claude-api-key": {"$secret": "env:CLAUDE_API_KEY"},
                "gemini-api-key": {"$secret": "file:/run/secrets/gemini"},
            },
            "base_urls": {
                "claude-base-url": "https://claude.example.org",
                "gemini-base-url": "https://gemini.example.org/",
            },
            "allow_http": {"ollama": True},
            "allow_local_networks": {"ollama": True},
        },
    },
}
SAMPLING: Runtime = {
    "step_settings_patch": {
        "chat": {"max_response_tokens": 2048, "temperature": 0.3, "top_p": 0.9, "stop": ["END", "STOP"]},
        "inference": {
            "temperature": 0.3, "top_p": 0.9, "max_response_tokens": 2048, "seed": 42, "stop": ["END"],
            "reasoning_effort": "medium", "thinking_type": "enabled", "thinking_budget": 1024,
            "reasoning_summary": "auto",
        },
        "openai": {
            "presence_penalty": 0.2, "frequency_penalty": 0.3, "reasoning_effort": "medium",
            "logit_bias": {"50256": -5},
        },
        "claude": {"top_k": 20},
        "gemini": {"thinking_budget": 1024, "thinking_level": "MEDIUM"},
        "ollama": {
            "mirostat": 1, "mirostat_eta": 0.2, "mirostat_tau": 4.5, "repeat_last_n": 32, "repeat_penalty": 1.2,
            "tfs_z": 0.9, "num_predict": 256, "top_k": 30, "top_p": 0.8, "stop": ["END"],
        },
    },
    "system_prompt": "You are a helpful assistant. Answer briefly.",
}  # fmt: skip
RETRIEVAL: Runtime = {
    "step_settings_patch": {
        "chat": {"cache_type": "memory", "cache_max_size": 268435456, "cache_max_entries": 500, "temperature": 0.2},
        "inference": {"temperature": 0.2, "max_response_tokens": 1024},
        "client": {"timeout": 45, "user_agent": "retrieval/2.1"},
        "openai": {"parallel_tool_calls": False, "stream_include_usage": False},
        "ollama": {"num_ctx": 16384, "num_thread": 4, "temperature": 0.4},
        "embeddings": {
            "type": "ollama", "engine": "nomic-embed-text", "dimensions": 768, "cache_type": "memory",
            "cache_max_size": 134217728, "cache_max_entries": 2000, "base_urls": {"ollama-base-url": "http://embed:80"},
        },
        "rerank": {
            "type": "local", "engine": "bge-reranker", "max_request_bytes": 4194304, "max_response_bytes": 262144,
        },
        "api": {"base_urls": {"openai-base-url": "https://cache.example.org/v1"}, "allow_http": {"embed": True}},
    },
    "tools": ["calculator", "search", "fetch"],
}  # fmt: skip
STRUCTURED: Runtime = {
    "step_settings_patch": {
        "chat": {
            "engine": "gpt-5", "temperature": 0.1, "structured_output_mode": "json_schema", "stream": False,
            "structured_output_name": "answer", "structured_output_description": "One answer with its sources.",
            "structured_output_schema": '{"type":"object"}', "structured_output_strict": True,
            "structured_output_require_valid": True,
        },
        "inference": {"temperature": 0.1, "top_p": 0.8, "seed": 1, "stop": []},
        "openai": {"n": 2, "reasoning_effort": "high", "include_reasoning_encrypted": True},
        "gemini": {"include_thoughts": True, "thinking_level": "HIGH"},
        "model_info": {
            "id": "gpt-5", "name": "GPT-5", "reasoning": True, "input": ["text", "image"], "context_window": 400000,
            "quality_high_watermark": 200000, "max_output_tokens": 128000,
        },
    },
    "tools": ["calculator", "search", "fetch", "clock"],
}  # fmt: skip
SELECTED: Runtime = {
    "step_settings_patch": {
        "chat": {
            "api_type": "openai-responses", "engine": "gpt-5", "temperature": 0.15, "top_p": 0.85, "stream": True,
            "max_response_tokens": 4096, "cache_max_entries": 50, "stop": ["DONE"],
        },
        "inference": {"temperature": 0.15, "reasoning_effort": "high", "thinking_budget": 4096, "seed": 3},
        "client": {"timeout": 120, "user_agent": "coder/1.3"},
        "openai": {"presence_penalty": 0, "frequency_penalty": 0, "reasoning_effort": "high", "logit_bias": {"11": 2}},
        "claude": {"top_k": 1, "user_id": "coder"},
        "ollama": {"num_ctx": 32768, "temperature": 0.1, "seed": 3, "num_predict": -1, "stop": ["DONE"]},
        "embeddings": {"dimensions": 512, "cache_max_entries": 100},
        "api": {"allow_local_networks": {"ollama": True, "embed": True}},
        "model_info": {"max_output_tokens": 64000, "quality_high_watermark": 100000, "metadata": {"tier": "gold"}},
    },
    "system_prompt": "You are a careful programmer. Explain what you change and why.",
}  # fmt: skip

LAYERS = (DEFAULTS, PROVIDERS, SAMPLING, RETRIEVAL, STRUCTURED, SELECTED)
"""Lowest first."""

BASES = {"providers": PROVIDERS, "sampling": SAMPLING, "retrieval": RETRIEVAL, "structured": STRUCTURED}

REGISTRY: dict[str, Any] = {
    "slug": "team",
    "default_profile_slug": "coder",
    "defaults": DEFAULTS,
    "policy": {"allow_overrides": True},
    "profiles": {
        **{slug: {"runtime": runtime} for slug, runtime in BASES.items()},
        "coder": {
            "extends": list(BASES),
            "runtime": SELECTED,
            "policy": {"allow_overrides": True, "allowed_override_keys": ["system_prompt", "chat.*", "tools"]},
        },
    },
}
"""The same layers as a registry: ``coder`` over its four bases over the defaults."""

OVERRIDE: dict[str, Any] = {"chat.temperature": 0.5, "chat.max_response_tokens": 512, "system_prompt": "Be brief."}


def assignments(runtime: Any) -> int:
    """How many leaves a layer sets."""
    if not isinstance(runtime, dict) or not runtime or "$secret" in runtime:
        return 1
    return sum(map(assignments, runtime.values()))
