"""What is not there of calls: members of the family in `errors.py`."""

from __future__ import annotations

from callsheet.core.errors import Conflict, NotFound


class CallNotFound(NotFound):
    """There is no call of such an attempt in this app."""

    code = "call_not_found"


class CallOver(Conflict):
    """This call is over: only one that goes on can be recorded."""

    code = "call_over"


class RecordingNotFound(NotFound):
    """There is no such recording in this app, or its time is over."""

    code = "recording_not_found"


class AgentMappingNotFound(NotFound):
    """There is no such agent mapping in this app."""

    code = "agent_mapping_not_found"
