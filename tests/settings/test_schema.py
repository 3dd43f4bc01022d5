"""The settings schemas by name, and what the AI schema refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from livery.errors import ValidationError
from livery.settings import ai_schema, schema_named


def reasons(settings: object) -> dict[str, str]:
    return {fault.field: fault.reason for fault in ai_schema().faults(settings, "settings")}


def test_the_known_schemas_are_found_by_name() -> None:
    assert schema_named("ai") is ai_schema()
    assert schema_named("free").open


def test_default_tools_of_an_application_belong_to_its_schema() -> None:
    assert schema_named("ai", default_tools=("clock",)).default_tools == ("clock",)
    assert schema_named("free", default_tools=("clock",)).default_tools == ("clock",)
    assert schema_named("ai").default_tools == ()


def test_an_unknown_schema_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError) as caught:
        schema_named("a1")
    assert caught.value.field == "settings_schema"
    assert "ai, free" in caught.value.reason


def test_the_defaults_themselves_are_valid() -> None:
    assert reasons(ai_schema().defaults) == {}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"chat": {"temperature": -0.1}}, "settings.chat.temperature"),
        ({"chat": {"top_p": 1.1}}, "settings.chat.top_p"),
        ({"chat": {"max_response_tokens": 0}}, "settings.chat.max_response_tokens"),
        ({"chat": {"api_type": "mistral"}}, "settings.chat.api_type"),
        ({"client": {"timeout": 0}}, "settings.client.timeout"),
        ({"client": {"timeout": 1.5}}, "settings.client.timeout"),
        ({"model_info": {"cost": {"input": -1}}}, "settings.model_info.cost.input"),
        ({"api": {"api_keys": {"openai": "sk"}}}, "settings.api.api_keys"),
        ({"api": {"base_urls": {"openai-base-ur": "https://a"}}}, "settings.api.base_urls"),
    ],
)
def test_a_value_that_no_provider_takes_is_refused_by_its_field(settings: object, field: str) -> None:
    assert field in reasons(settings)


def test_a_bias_beyond_a_hundred_is_refused() -> None:
    (reason,) = reasons({"openai": {"logit_bias": {"50256": 101}}}).values()
    assert "100" in reason


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    assert "did you mean 'temperature'" in reasons({"chat": {"temprature": 1}})["settings.chat.temprature"]


def test_a_temperature_above_one_is_for_the_provider_to_judge() -> None:
    assert reasons({"chat": {"temperature": 1.9}}) == {}


def test_absent_prices_are_not_filled_in() -> None:
    assert "model_info" not in ai_schema().defaults


def test_importing_the_settings_loads_no_validator_and_no_pydantic() -> None:
    code = (
        "import livery.settings, sys;"
        "print([name for name in ('pydantic', 'jsonschema_rs', 'click') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
