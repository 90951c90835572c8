"""Every setting says what it is for, in the code and on `docs/reference/settings.md`, which lists no other.

An operator who mistypes a name, or reads of one that is gone, believes that something is set which is not.
"""

import importlib
import re
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from house.tree import first_column, modules, page

PAGE = "docs/reference/settings.md"
NAME = r"CALLSHEET_[A-Z0-9]+(?:_+[A-Z0-9]+)*"


def fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the environment variable and the field of every setting, nested ones by `__`."""
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{variable}__")
        else:
            yield variable, field


def settings() -> dict[str, FieldInfo]:
    model = importlib.import_module("callsheet.settings").Settings
    return dict(fields(model, model.model_config["env_prefix"]))


def test_every_setting_has_a_description():
    assert not [variable for variable, field in settings().items() if not (field.description or "").strip()]


def test_every_setting_says_what_it_takes():
    assert not [variable for variable, field in settings().items() if not (field.title or "").strip()]


def test_every_setting_is_on_the_page_and_the_page_lists_no_other():
    listed = first_column(PAGE, NAME)
    read_elsewhere = {name for module in modules() for name in re.findall(NAME, module.text)}

    assert len(listed) == len(set(listed))
    assert set(settings()) <= set(listed)
    assert not set(listed) - set(settings()) - read_elsewhere


def test_every_variable_that_the_code_names_is_on_the_page():
    text = page(PAGE)
    unknown = {
        name
        for module in modules()
        for name in re.findall(NAME, module.text)
        if not re.search(rf"\b{name.removesuffix('_FILE')}\b", text)
    }

    assert not unknown
