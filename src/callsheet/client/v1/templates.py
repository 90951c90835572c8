"""Templates: texts with placeholders."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/templates"
_ONE = "/v1/apps/{app}/templates/{template_id}"


class Template(Record, frozen=True):
    """A template as lists of them name it."""

    id: str
    name: str


class WrittenTemplate(Template, frozen=True):
    """A template that was just made."""

    body: str


class ShownTemplate(WrittenTemplate, frozen=True):
    """A template with what it comes to."""

    version: int
    dlt_template_id: str
    """As which it is registered with the operators of India; empty: it is not."""
    text: str
    """The body as text, where it was written in HTML."""
    placeholders: tuple[str, ...]
    segments_estimate: int
    used_by: tuple[str, ...]
    """Campaigns."""


class Cost(Record, frozen=True):
    """What a message costs."""

    amount: str
    """A decimal number, exact."""
    currency: str | None


class Preview(Record, frozen=True):
    """What one contact would get."""

    text: str
    encoding: str
    forcing_characters: tuple[str, ...]
    """Those that make the message UCS-2."""
    characters: int
    segments: int
    cost: Cost | None
    missing_columns: tuple[str, ...]


class Templates(Resource[Mode]):
    """Templates: texts with placeholders."""

    @Single
    def create(self, name: str, body: str, *, dlt_template_id: Given[str] = UNSET) -> Call[WrittenTemplate]:
        """Create a template."""
        return Call("POST", _ALL, WrittenTemplate, body=given(name=name, body=body, dlt_template_id=dlt_template_id))

    @Paged
    def list(self, *, search: str | None = None, limit: int = 1000) -> Call[Page[Template]]:
        """Give all templates, or those whose name has a word in it."""
        return Call("GET", _ALL, Page[Template], query={"search": search, "limit": limit})

    @Single
    def get(self, template_id: str) -> Call[ShownTemplate]:
        """Return a template."""
        return Call("GET", _ONE, ShownTemplate, {"template_id": template_id})

    @Single
    def change(
        self,
        template_id: str,
        *,
        name: Given[str] = UNSET,
        body: Given[str] = UNSET,
        dlt_template_id: Given[str] = UNSET,
    ) -> Call[ShownTemplate]:
        """Change a template. Runs that have begun keep the version that they began with."""
        changes = given(name=name, body=body, dlt_template_id=dlt_template_id)
        return Call("PATCH", _ONE, ShownTemplate, {"template_id": template_id}, body=changes)

    @Single
    def delete(self, template_id: str) -> Call[None]:
        """Delete a template that no campaign uses."""
        return Call("DELETE", _ONE, type(None), {"template_id": template_id})

    @Single
    def clone(self, template_id: str, *, name: Given[str] = UNSET) -> Call[WrittenTemplate]:
        """Make a template with the same body, under a name of its own."""
        return Call("POST", f"{_ONE}/clone", WrittenTemplate, {"template_id": template_id}, body=given(name=name))

    @Single
    def preview(
        self, template_id: str, *, contact_id: Given[str] = UNSET, contact: Given[Mapping[str, str]] = UNSET
    ) -> Call[Preview]:
        """Show a template for a contact: one of a list by its id, or made-up columns."""
        body = given(contact_id=contact_id, contact=contact)
        return Call("POST", f"{_ONE}/preview", Preview, {"template_id": template_id}, body=body)

    @Single
    def preview_text(
        self, body: str, *, contact_id: Given[str] = UNSET, contact: Given[Mapping[str, str]] = UNSET
    ) -> Call[Preview]:
        """Show a text that is no template yet, as `preview` does."""
        fields = given(body=body, contact_id=contact_id, contact=contact)
        return Call("POST", f"{_ALL}/preview", Preview, body=fields)
