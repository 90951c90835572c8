"""The kinds of blocks that flows can have, by their types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callsheet.core.flow.blocks.ai_agent import AiAgent
from callsheet.core.flow.blocks.case import Case
from callsheet.core.flow.blocks.end_call import EndCallBlock
from callsheet.core.flow.blocks.hand_over import HandOverBlock
from callsheet.core.flow.blocks.kind import Kind
from callsheet.core.flow.blocks.leave_voicemail import LEAVE_VOICEMAIL, LeaveVoicemail
from callsheet.core.flow.blocks.log import Log
from callsheet.core.flow.blocks.message import Message
from callsheet.core.flow.blocks.numeric import Numeric
from callsheet.core.flow.blocks.open_response import OpenResponse
from callsheet.core.flow.blocks.output import Output
from callsheet.core.flow.blocks.run_flow import AnotherFlow
from callsheet.core.flow.blocks.select_many import SelectMany
from callsheet.core.flow.blocks.select_one import SelectOne
from callsheet.core.flow.blocks.set_contact_property import SetContactProperty
from callsheet.core.flow.blocks.set_disposition import SetDisposition
from callsheet.core.flow.blocks.set_group_membership import SetGroupMembership
from callsheet.core.flow.blocks.unknown import Unknown
from callsheet.core.flow.blocks.webhook import Webhook

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "Callsheet.AiAgent": AiAgent(),
        "Callsheet.EndCall": EndCallBlock(),
        "Callsheet.HandOver": HandOverBlock(),
        LEAVE_VOICEMAIL: LeaveVoicemail(),
        "Callsheet.SetDisposition": SetDisposition(),
        "Callsheet.Webhook": Webhook(),
        "Core.Case": Case(),
        "Core.Log": Log(),
        "Core.Output": Output(),
        "Core.RunFlow": AnotherFlow(),
        "Core.SetContactProperty": SetContactProperty(),
        "Core.SetGroupMembership": SetGroupMembership(),
        "MobilePrimitives.Message": Message(),
        "MobilePrimitives.NumericResponse": Numeric(),
        "MobilePrimitives.OpenResponse": OpenResponse(),
        "MobilePrimitives.SelectManyResponse": SelectMany(),
        "MobilePrimitives.SelectManyResponses": SelectMany(),
        "MobilePrimitives.SelectOneResponse": SelectOne(),
    }
)

_UNKNOWN: Final = Unknown()


def kind_named(name: str) -> Kind:
    """Return a kind by its type; an unknown one fails when it is come to."""
    return KINDS.get(name, _UNKNOWN)
