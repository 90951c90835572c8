"""Fetch everything that others wrote and tests talk to: `make strangers`. Quick when it is there.

What cannot be had keeps nobody from the other tests (`lacking.py`).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from strangers.asterisk import asterisk
from strangers.kannel import kannel
from strangers.lacking import have
from strangers.packages import packages
from strangers.sipp import sipp

have({"packages": packages, "kannel": kannel, "asterisk": asterisk, "sipp": sipp})
