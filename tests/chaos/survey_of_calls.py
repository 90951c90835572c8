"""The flow of a campaign that asks one question by telephone."""

from typing import Any

NAME = "Survey by keys"


def document() -> dict[str, Any]:
    """Return a flow for calls: one question, answered by a key."""
    flow, ask, thanks = (f"{i:08d}-0000-4000-8000-000000000001" for i in (1, 2, 3))
    question, bye, yes, no = (f"{i:08d}-0000-4000-8000-00000000000a" for i in (1, 2, 3, 4))

    def spoken(uuid: str, text: str) -> dict[str, Any]:
        value = {
            "language_id": "eng",
            "modes": ["IVR"],
            "content_type": "TEXT",
            "mime_type": "text/plain",
            "value": text,
        }
        return {"uuid": uuid, "values": [value]}

    return {
        "specification_version": "1.0.0-rc4", "uuid": flow, "name": NAME, "description": "",
        "vendor_metadata": {}, "flows": [
            {
                "uuid": flow, "name": NAME, "label": "", "last_modified": "2026-11-01T00:00:00.000Z",
                "interaction_timeout": 20, "vendor_metadata": {}, "supported_modes": ["IVR"],
                "languages": [{"id": "eng", "iso_639_3": "eng", "label": "English"}],
                "first_block_id": ask, "blocks": [
                    {
                        "uuid": ask, "name": "answer", "type": "MobilePrimitives.SelectOneResponse",
                        "config": {
                            "prompt": question,
                            "choices": [{"name": "1", "prompt": yes}, {"name": "2", "prompt": no}],
                        },
                        "exits": [{"uuid": "e1", "name": "next", "default": True, "destination_block": thanks}],
                    },
                    {
                        "uuid": thanks, "name": "thanks", "type": "MobilePrimitives.Message",
                        "config": {"prompt": bye}, "exits": [{"uuid": "e2", "name": "done", "default": True}],
                    },
                ],
            }
        ],
        "resources": [
            spoken(question, "Did the parcel arrive? Press 1 for yes, 2 for no."), spoken(bye, "Thank you."),
            spoken(yes, "Yes"), spoken(no, "No"),
        ],
    }  # fmt: skip
