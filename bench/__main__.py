"""The benchmarks: `python bench [topic]` prints rows `name | ours | beside | ratio`."""

from __future__ import annotations

import importlib
import logging
import sys

import structlog

TOPICS = {
    "store": "store",
    "flat": "flat",
    "import": "import_",
    "api": "api",
    "codec": "codec",
    "sms": "sms",
    "flow": "flow",
    "voice": "calls",
    "amd": "amd",
}
"""Each topic and its module, which has a function `rows`."""


def main() -> None:
    """Run the topics that were asked for, or all."""
    asked = sys.argv[1:] or list(TOPICS)
    unknown = [topic for topic in asked if topic not in TOPICS]
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(TOPICS)}.")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"{'name':<48} | {'ours':>14} | {'beside':<28} | ratio")
    for topic in asked:
        for row in importlib.import_module(TOPICS[topic]).rows():
            print(row, flush=True)


if __name__ == "__main__":
    main()
