"""How the program ends: exit codes, and what is said of an error."""

from __future__ import annotations

from callsheet.core.errors import CallsheetError, FolderInUse, Invalid

FAILED = 1
WRONG_USAGE = 2
FOLDER_IN_USE = 3
STEPS_WAIT = 4
INTERRUPTED = 130


def exit_code(error: CallsheetError) -> int:
    """Return the exit code of an error."""
    match error:
        case FolderInUse():
            return FOLDER_IN_USE
        case Invalid():
            return WRONG_USAGE
        case _:
            return FAILED


def explain(error: CallsheetError) -> str:
    """Return what a person is told: every wrong field on a line of its own."""
    if isinstance(error, Invalid) and error.fields:
        return "\n".join(f"{field.path}: {field.message}" for field in error.fields)
    return error.message
