"""Templates: reusable texts with places for a contact's columns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from callsheet.api.v1.asked import Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Limit, LongName, Page, no_cursor, page_of
from callsheet.core.errors import BodyTooLarge, FieldError, Invalid, NameTaken, TemplateNotFound
from callsheet.core.message import to_send
from callsheet.core.template import compile_text
from callsheet.store.documents import Document

router = APIRouter(prefix="/v1/apps/{app}/templates", tags=["templates"])

_LONGEST_BODY = 65_536
"""With its HTML; what is left to send has a limit of its own."""


class NewTemplate(Body):
    """A template to be."""

    name: LongName
    body: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_BODY)]


class NamedTemplate(BaseModel):
    """A template without its text."""

    id: str
    name: str


class Template(NamedTemplate):
    """A template."""

    body: str


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_template(runtime: Served, app: Tenant, new: NewTemplate) -> Template:
    """Create a template. Its placeholders are checked now, not when a campaign starts."""
    text = to_send(new.body)
    if not text.strip():
        raise Invalid([FieldError("body", "There is nothing in the text to send.")])
    try:
        compile_text(text)
    except Invalid as error:
        raise Invalid([FieldError("body", fault.message) for fault in error.fields]) from None
    return _show(await runtime.store.templates.create(app.no, new.name, new.body, runtime.clock.now()))


@router.get("")
async def list_templates(
    runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT
) -> Page[NamedTemplate]:
    """Return the templates without their texts, oldest first."""
    last = await runtime.store.templates.find(app.no, thing_id=after) if after else None
    if after and last is None:
        raise no_cursor()
    found = await runtime.store.templates.of_app(
        app.no, after=last.named.no if last is not None else 0, limit=limit + 1
    )
    return page_of([NamedTemplate(id=one.id, name=one.name) for one in found], limit, lambda one: one.id)


@router.get("/{template_id}", responses=problems(TemplateNotFound))
async def get_template(runtime: Served, app: Tenant, template_id: str) -> Template:
    """Return a template."""
    found = await runtime.store.templates.find(app.no, thing_id=template_id)
    if found is None:
        raise TemplateNotFound
    return _show(found)


def _show(found: Document) -> Template:
    return Template(id=found.named.id, name=found.named.name, body=found.body)
