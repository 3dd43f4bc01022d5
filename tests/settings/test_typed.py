"""Effective settings as typed values."""

from __future__ import annotations

import pytest

from livery.errors import ValidationError
from livery.settings import SecretReference, StepSettings, ai_schema, step_settings_of


def test_nothing_given_is_all_defaults() -> None:
    assert step_settings_of({}) == StepSettings()
    assert step_settings_of(ai_schema().defaults).chat.engine == "gpt-4"


def test_values_arrive_with_their_types() -> None:
    settings = StepSettings.from_mapping({"chat": {"temperature": 1, "stop": ["END"]}})
    assert settings.chat.temperature == 1.0
    assert settings.chat.stop == ("END",)


def test_a_reference_to_a_secret_stays_a_reference() -> None:
    reference = {"$secret": "env:OPENAI_API_KEY"}
    settings = step_settings_of({"api": {"api_keys": {"openai-api-key": reference}}})
    assert settings.api.api_keys["openai-api-key"] == SecretReference(reference="env:OPENAI_API_KEY")


def test_every_misfit_is_named_by_its_field() -> None:
    with pytest.raises(ValidationError) as caught:
        step_settings_of({"chat": {"temperature": "hot"}, "client": {"timout": 3}})
    assert {fault.field for fault in caught.value.faults} == {
        "step_settings.chat.temperature",
        "step_settings.client.timout",
    }


def test_a_reference_that_should_have_been_read_is_a_misfit() -> None:
    with pytest.raises(ValidationError, match=r"chat\.engine"):
        step_settings_of({"chat": {"engine": {"$secret": "env:ENGINE"}}})


def test_sections_of_other_programs_are_passed_over_only_where_they_are_named() -> None:
    settings = {"chat": {"engine": "m"}, "renderer": {"width": 80}}
    assert step_settings_of(settings, foreign_sections=["renderer"]).chat.engine == "m"
    with pytest.raises(ValidationError, match="renderer"):
        step_settings_of(settings)
