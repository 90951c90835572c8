"""A client of the HTTP API, synchronous and asynchronous, for programs, for the command line and for the tests.

    with Client(**credentials) as client:
        template = client.templates.create("Welcome", "Hello {{ first_name }}")

Calls raise ApiError when they are refused, and Unavailable when nobody answers.
"""

from callsheet.client.clients import AsyncClient, Client
from callsheet.client.refusal import ApiError, WrongField
from callsheet.client.v1.imports import Import, Kind
from callsheet.core.errors import Unavailable

__all__ = ["ApiError", "AsyncClient", "Client", "Import", "Kind", "Unavailable", "WrongField"]
