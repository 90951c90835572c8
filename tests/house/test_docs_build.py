"""The pages build without a warning, and whoever reads them is not told on to anybody.

No dead link, no page that no menu leads to, no font or script from elsewhere.
"""

import os
import re
import subprocess
import sys

from house.tree import ROOT

ELSEWHERE = re.compile(r"""<(?:script|img|iframe)[^>]+src="?(?:https?:)?//|<link[^>]+href="?(?:https?:)?//""")


def test_the_pages_build_and_fetch_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=quiet)

    assert done.returncode == 0, done.stdout + done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert pages
    assert not [str(page.relative_to(tmp_path)) for page in pages if ELSEWHERE.search(page.read_text("utf-8"))]
