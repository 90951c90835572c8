"""What machine detection goes by, for one campaign: seconds, each where it is not the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from callsheet.api.v1.shapes import Body
from callsheet.core.detection import thresholds_of


class NewDetection(Body):
    """What machine detection goes by; what is not named is as usual. All in seconds."""

    decision_seconds: Annotated[float, Field(ge=0.5, le=60)] | None = None
    """After so long from the answer the verdict is `unsure`."""
    no_speech_seconds: Annotated[float, Field(ge=0.5, le=60)] | None = None
    """When nobody has said anything for so long from the answer, the verdict is `unsure`."""
    greeting_completion_seconds: Annotated[float, Field(ge=0.5, le=60)] | None = None
    """So much silence after a machine's greeting, and it listens, beep or not."""
    tone_seconds: Annotated[float, Field(ge=0.5, le=60)] | None = None
    """So long from the verdict a machine's beep is waited for."""
    pause_seconds: Annotated[float, Field(ge=0.2, le=5)] | None = None
    """So much silence after a word or two, and it was a person."""
    person_seconds: Annotated[float, Field(ge=0.5, le=10)] | None = None
    """Who spoke for longer may be a machine that will beep."""
    long_pause_seconds: Annotated[float, Field(ge=0.2, le=10)] | None = None
    """So much silence after who spoke for longer, without a beep, and nobody can tell."""
    machine_seconds: Annotated[float, Field(ge=1, le=30)] | None = None
    """Who spoke for longer, pauses and all, is a machine."""

    def given(self) -> dict[str, float]:
        """Return what was named."""
        return self.model_dump(exclude_none=True)


class ShownDetection(BaseModel):
    """What machine detection goes by, in seconds."""

    decision_seconds: float
    no_speech_seconds: float
    greeting_completion_seconds: float
    tone_seconds: float
    pause_seconds: float
    person_seconds: float
    long_pause_seconds: float
    machine_seconds: float


def show_detection(given: Mapping[str, float]) -> ShownDetection:
    """Show what holds for a campaign."""
    thresholds = thresholds_of(given)
    return ShownDetection(**{name: getattr(thresholds, name) for name in ShownDetection.model_fields})
