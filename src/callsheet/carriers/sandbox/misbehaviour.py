"""Misbehaving on demand, beside what the numbers do: what the next messages meet with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Misbehaviour(BaseModel):
    """What is wrong with this carrier at the moment. Counters go down to zero with each message; zero is well."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)

    drop_link_after: int = Field(default=0, ge=0)
    """After so many more messages were taken every link is cut, before the last one is answered."""
    withhold_answers: int = Field(default=0, ge=0)
    """So many messages are taken and not answered; their receipts come."""
    throttle: int = Field(default=0, ge=0)
    """So many messages are refused as too many."""
    garbage: int = Field(default=0, ge=0)
    """So many messages are taken and answered with noise."""
    slow_seconds: float = Field(default=0.0, ge=0.0, le=3600.0)
    """Every answer takes so much longer."""
    refuse_binds: bool = False
    """Nobody is let in; who is bound stays."""

    def due(self, name: str) -> bool:
        """Take one off a counter, and say whether there was one."""
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left)

    def cuts_now(self) -> bool:
        """Count a message that was taken, and say whether it is the one after which the links are cut."""
        return self.due("drop_link_after") and not self.drop_link_after

    def change(self, wanted: dict[str, object]) -> None:
        """Set what is named; with `reset` all else to zero. Raises ValidationError, and then changes nothing."""
        base = {} if wanted.get("reset") else self.model_dump()
        changes = {name: value for name, value in wanted.items() if name != "reset"}
        checked = Misbehaviour.model_validate(base | changes)
        for name in Misbehaviour.model_fields:
            setattr(self, name, getattr(checked, name))
