"""Fetch everything that others wrote and tests talk to: `make strangers`. Quick when it is there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from strangers.asterisk import asterisk
from strangers.kannel import kannel
from strangers.packages import packages
from strangers.sipp import sipp

packages()
kannel()
asterisk()
sipp()
