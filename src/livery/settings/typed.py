"""From effective settings to typed ones, with every misfit named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from livery.errors import ValidationError
from livery.settings.schema import ai_schema
from livery.settings.sections import StepSettings


def step_settings_of(
    settings: Mapping[str, Any], *, foreign_sections: Collection[str] = (), field: str = "step_settings"
) -> StepSettings:
    """The typed form of effective settings; what they leave out has its default.

    References to secrets stay references in keys, base URLs and the proxy; anywhere else they must have been
    read before. A ValidationError names every field that does not fit.
    """
    own = {name: value for name, value in settings.items() if name not in foreign_sections}
    try:
        return msgspec.convert(own, StepSettings)
    except msgspec.ValidationError as error:
        faults = ai_schema().faults(own, field)
        if faults:
            raise ValidationError.of(faults) from None
        raise ValidationError(field, str(error)) from None
