"""`Core.SetGroupMembership`: makes the contact a member of groups, or not any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callsheet.core.flow.blocks.kind import Finding, Leave, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader, objects, text_of
from callsheet.core.flow.effects import LeaveGroups, SetGroup


@dataclass(frozen=True, slots=True)
class Membership:
    """What becomes of which groups."""

    groups: tuple[SetGroup, ...]
    clears: bool
    """The contact leaves all groups first."""


class SetGroupMembership(Passing):
    """Groups of the contact."""

    def read(self, config: Json, reader: Reader) -> Membership:  # noqa: ARG002 (as every kind)
        """Return what becomes of which groups."""
        is_member = config.get("is_member") is not False
        named = ((text_of(group, "group_key"), text_of(group, "group_name")) for group in _groups(config))
        groups = tuple(SetGroup(key, name or key, is_member) for key, name in named if key)
        return Membership(groups, config.get("clear") is True)

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:  # noqa: ARG002 (as every kind)
        """Find groups without a key, or none at all."""
        groups = _groups(config)
        if not groups and config.get("clear") is not True:
            yield Finding(f"{at}.groups", "Give at least one group with a group_key, or clear: true.")
        for number, group in enumerate(groups):
            if not text_of(group, "group_key"):
                yield Finding(f"{at}.groups[{number}].group_key", "Give the key of the group.")
        if groups and not isinstance(config.get("is_member"), bool):
            yield Finding(f"{at}.is_member", "Say true to add the contact to the groups, or false to take it out.")

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Change the groups."""
        membership: Membership = block.config
        if membership.clears:
            turn.do(LeaveGroups())
        for group in membership.groups:
            turn.do(group)
        return Leave()


def _groups(config: Json) -> Sequence[Json]:
    """Return the groups; drafts of the specification had one, in the config itself."""
    return objects(config.get("groups")) or ([config] if "group_key" in config else [])
