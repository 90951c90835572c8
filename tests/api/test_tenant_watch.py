"""The watch over tenants sees what it is there for."""

import pytest
import sqlalchemy as sa

from api.tenant_watch import Unguarded, refuse_unguarded
from callsheet.store import tables as t

_thing, _version, _contact = t.template, t.template_version, t.contact
_joined = sa.select(_thing).join(_version, _version.c.template_no == _thing.c.no)


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(_thing).where(_thing.c.id == "cmt-1"),
        _joined.where(_thing.c.id == "cmt-1"),
        sa.select(_contact).where(_contact.c.list_no == 5, _contact.c.pos > 3),
        sa.update(_thing).values(name="x").where(_thing.c.id == "cmt-1"),
        sa.delete(_contact).where(_contact.c.list_no == 5),
        sa.select(sa.select(sa.func.count()).select_from(_contact).scalar_subquery()),
        sa.select(_thing).where(_thing.c.app == 1, sa.exists().where(_contact.c.person == b"x")),
        sa.select(_thing).where(_thing.c.app != 1),
    ],
)
def test_a_statement_over_all_tenants_is_seen(statement):
    with pytest.raises(Unguarded):
        refuse_unguarded(statement)


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(_thing).where(_thing.c.app == 1, _thing.c.id == "cmt-1"),
        _joined.where(_thing.c.app == 1),
        sa.update(_thing).values(name="x").where(_thing.c.no == 7),
        sa.select(_thing).where(_thing.c.app == 1, sa.exists().where(_version.c.app == _thing.c.app)),
        sa.select(t.account).where(t.account.c.id == "x"),
    ],
)
def test_a_statement_that_names_its_tenant_passes(statement):
    refuse_unguarded(statement)


def test_a_statement_that_passed_hides_none_with_other_columns_and_none_is_forgiven_a_second_time():
    for app in (1, 2):
        refuse_unguarded(sa.select(_thing).where(_thing.c.app == app))
    for column in (_thing.c.id, _thing.c.name, _thing.c.id):
        with pytest.raises(Unguarded):
            refuse_unguarded(sa.select(_thing).where(column == 1))
