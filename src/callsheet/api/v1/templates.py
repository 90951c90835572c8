"""Templates: reusable texts with places for a contact's columns."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints, model_validator

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, DltId, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.contacts import LONGEST_VALUE, MOST_COLUMNS
from callsheet.core.errors import BodyTooLarge, FieldError, InUse, Invalid, NameTaken, NotFound, TemplateNotFound
from callsheet.core.message import to_send
from callsheet.core.preview import cost_of, preview
from callsheet.core.segments import Encoding
from callsheet.core.template import EmptyMessage, Unrenderable, compile_text
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.documents import Document

router = Router(prefix="/v1/apps/{app}/templates", tags=["templates"])

_LONGEST_BODY = 65_536
"""With its HTML; what is left to send has a limit of its own."""
_LONGEST_NAME = 128
_COPY = " (Copy)"
"""How the copy of a thing is named, as the documented samples show."""

_TemplateBody = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_BODY)]
_Cell = Annotated[str, StringConstraints(max_length=LONGEST_VALUE)]


class NewTemplate(Body):
    """A template to be."""

    name: LongName
    """What campaigns call it; no two templates of an app have one name."""
    body: _TemplateBody
    """Plain text, HTML, or either as Base64, with placeholders for columns."""
    dlt_template_id: DltId = ""
    """As which its text is registered with the operators of India (DLT); empty: it is not."""


class ChangedTemplate(Body):
    """What is to change; what is not named stays as it is."""

    name: LongName | None = None
    """What campaigns call it."""
    body: _TemplateBody | None = None
    """The next version of its text."""
    dlt_template_id: DltId | None = None
    """As which its text is registered with the operators of India (DLT); empty: it is not."""


class NewClone(Body):
    """A copy to be."""

    name: LongName | None = None
    """Its name; without one that of the template, with (Copy) behind it."""


class ForContact(Body):
    """Whom a preview is for: a contact of a list, or columns as a list would hold them; nobody: the text as written."""

    contact_id: str | None = None
    """The id of a contact in a list (`cc-`)."""
    contact: Annotated[dict[_Cell, _Cell], Field(max_length=MOST_COLUMNS)] | None = None
    """The columns of a contact by their names."""

    @model_validator(mode="after")
    def _only_one(self) -> ForContact:
        if self.contact_id is not None and self.contact is not None:
            raise ValueError("Give contact_id or contact, not both")
        return self


class TextForContact(ForContact):
    """A text that is no template yet, and whom its preview is for."""

    body: _TemplateBody
    """The text, as a template would hold it."""


class NamedTemplate(BaseModel):
    """A template without its text."""

    id: str
    name: str


class Template(NamedTemplate):
    """A template."""

    body: str


class ShownTemplate(Template):
    """A template at its present version, and what it comes to."""

    version: int
    dlt_template_id: str
    """As which its text is registered with the operators of India; empty: it is not."""
    text: str
    """What is left of the body to send: decoded, and out of its HTML."""
    placeholders: list[str]
    """The columns that it names."""
    segments_estimate: int
    """How many segments the text takes as it is written; with a contact's columns it may be others."""
    used_by: list[str]
    """The names of a few campaigns that use it; while there are any, it cannot be deleted."""


class Cost(BaseModel):
    """What a message costs, by the app's settings."""

    amount: str
    currency: str | None


class ShownPreview(BaseModel):
    """A text as it would leave."""

    text: str
    encoding: Encoding
    forcing_characters: list[str]
    """The characters that need UCS-2, each once."""
    characters: int
    segments: int
    cost: Cost | None
    """Null: the app's settings do not say what a segment costs."""
    missing_columns: list[str]
    """Columns that the text names without a default, and that the contact does not have."""


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_template(runtime: Served, app: Tenant, new: NewTemplate) -> Template:
    """Create a template. Its placeholders are checked now, not when a campaign starts."""
    _check(new.body)
    created = await runtime.store.templates.create(
        app.no, new.name, new.body, runtime.clock.now(), dlt_template_id=new.dlt_template_id
    )
    return _as_written(created)


@router.get("")
async def list_templates(
    runtime: Served,
    app: Tenant,
    after: After = None,
    limit: Limit = USUAL_LIMIT,
    search: Annotated[
        str, Query(max_length=_LONGEST_NAME, description="Only those whose name has this in it, in any case.")
    ] = "",
) -> Page[NamedTemplate]:
    """Return the templates without their texts, oldest first."""
    last = await runtime.store.templates.find(app.no, thing_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.templates.of_app(
        app.no, after=last.named.no if last is not None else 0, limit=limit + 1, search=search.strip()
    )
    return page_of([NamedTemplate(id=one.id, name=one.name) for one in found], limit, lambda one: one.id)


@router.post("/preview", responses=problems(NotFound, EmptyMessage, Unrenderable, BodyTooLarge))
async def preview_text(runtime: Served, app: Tenant, asked: TextForContact) -> ShownPreview:
    """Show what a text becomes for a contact, before it is a template."""
    _check(asked.body)
    return await _preview(runtime, app, asked.body, asked)


@router.get("/{template_id}", responses=problems(TemplateNotFound))
async def get_template(runtime: Served, app: Tenant, template_id: str) -> ShownTemplate:
    """Return a template."""
    return await _show(runtime, app, await _find(runtime, app, template_id))


@router.patch("/{template_id}", responses=problems(TemplateNotFound, NameTaken, BodyTooLarge))
async def change_template(runtime: Served, app: Tenant, template_id: str, changed: ChangedTemplate) -> ShownTemplate:
    """Change a template's name, or give it the next version of its text. Runs keep the text that they started with."""
    if changed.body is not None:
        _check(changed.body)
    now = runtime.clock.now()
    found = await runtime.store.templates.change(app.no, template_id, now, **changed.model_dump())
    if found is None:
        raise TemplateNotFound
    return await _show(runtime, app, found)


@router.delete("/{template_id}", status_code=204, responses=problems(TemplateNotFound, InUse))
async def delete_template(runtime: Served, app: Tenant, template_id: str) -> None:
    """Delete a template that no campaign uses."""
    if not await runtime.store.templates.delete(app.no, template_id):
        raise TemplateNotFound


@router.post("/{template_id}/clone", status_code=201, responses=problems(TemplateNotFound, NameTaken, BodyTooLarge))
async def clone_template(runtime: Served, app: Tenant, template_id: str, new: NewClone | None = None) -> Template:
    """Make a copy of a template."""
    found = await _find(runtime, app, template_id)
    name = (new.name if new is not None else None) or found.named.name[: _LONGEST_NAME - len(_COPY)] + _COPY
    now, tag = runtime.clock.now(), found.dlt_template_id
    created = await runtime.store.templates.create(app.no, name, found.body, now, dlt_template_id=tag)
    return _as_written(created)


@router.post(
    "/{template_id}/preview", responses=problems(TemplateNotFound, NotFound, EmptyMessage, Unrenderable, BodyTooLarge)
)
async def preview_template(
    runtime: Served, app: Tenant, template_id: str, asked: ForContact | None = None
) -> ShownPreview:
    """Show what a template becomes for a contact."""
    found = await _find(runtime, app, template_id)
    return await _preview(runtime, app, found.body, asked or ForContact())


def _as_written(created: Document) -> Template:
    return Template(id=created.named.id, name=created.named.name, body=created.body)


def _check(body: str) -> None:
    """Refuse a body that nothing can be sent of. Raises Invalid."""
    text = to_send(body)
    if not text.strip():
        raise Invalid([FieldError("body", "There is nothing in the text to send.")])
    try:
        compile_text(text)
    except Invalid as error:
        raise Invalid([FieldError("body", fault.message) for fault in error.fields]) from None


async def _find(runtime: Runtime, app: App, template_id: str) -> Document:
    found = await runtime.store.templates.find(app.no, thing_id=template_id)
    if found is None:
        raise TemplateNotFound
    return found


async def _preview(runtime: Runtime, app: App, body: str, asked: ForContact) -> ShownPreview:
    columns, number = asked.contact, ""
    if asked.contact_id is not None:
        contact = await runtime.store.contacts.find(app.no, asked.contact_id)
        if contact is None:
            raise NotFound("There is no such contact in this app.")
        columns, number = dict(contact.attributes), contact.number
    shown = preview(to_send(body), columns, number)
    price, currency = app.settings.segment_cost, app.settings.currency
    return ShownPreview(
        text=shown.text,
        encoding=shown.encoding,
        forcing_characters=list(shown.forcing),
        characters=shown.characters,
        segments=shown.segments,
        cost=Cost(amount=cost_of(shown.segments, price), currency=currency) if price is not None else None,
        missing_columns=list(shown.missing),
    )


async def _show(runtime: Runtime, app: App, found: Document) -> ShownTemplate:
    text = to_send(found.body)
    return ShownTemplate(
        id=found.named.id,
        name=found.named.name,
        body=found.body,
        version=found.version,
        dlt_template_id=found.dlt_template_id,
        text=text,
        placeholders=list(compile_text(text).fields),
        segments_estimate=preview(text).segments,
        used_by=await runtime.store.templates.used_by(app.no, found.named.id),
    )
