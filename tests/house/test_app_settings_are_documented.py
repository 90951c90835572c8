"""Every app setting is on `docs/reference/app-settings.md`, with its default, and the page lists no other.

Whoever cannot find a switch believes that there is none, and works around it.
"""

import msgspec

from callsheet.core.run import AppSettings
from house.tree import first_column, page

PAGE = "docs/reference/app-settings.md"


def test_every_app_setting_is_on_the_page_and_the_page_lists_no_other():
    assert sorted(first_column(PAGE, "[a-z_]+")) == sorted(AppSettings.__slots__)


def test_the_page_tells_the_defaults_that_hold():
    defaults = msgspec.to_builtins(AppSettings())
    shown = {name: "none" if value is None else f"`{str(value).lower()}`" for name, value in defaults.items()}

    assert not [name for name, value in shown.items() if f"| `{name}` | {value} |" not in page(PAGE)]
