"""What a database's error quotes ends in the log: the statement may, a value may not."""

import traceback

import pytest
import sqlalchemy as sa

from callsheet.store.store import Store
from databases import rows
from factories import number


async def test_an_error_of_the_database_quotes_no_value(store: Store):
    statement = sa.text("select * from nowhere where x = :number").bindparams(number=number(0))
    with pytest.raises(Exception, match="nowhere") as caught:
        await rows(store, statement)

    trace = "".join(traceback.format_exception(caught.value))
    assert "select * from nowhere" in trace
    assert number(0) not in trace
