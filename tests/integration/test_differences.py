"""docs/differences.md says what the marks say, and all that README promises to differ is marked somewhere."""
import os
import subprocess
import sys

import pytest
from lib import differences
from lib.httpd import INCUMBENT, TOP


@pytest.mark.skipif(INCUMBENT, reason="it has other rows")
def test_the_page_is_not_stale():
    """Else: tools/list-differences."""
    done = subprocess.run([sys.executable, os.path.join(TOP, "tools", "list-differences"), "--check"], capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if k != "JK_INCUMBENT"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_there():
    here = os.path.dirname(__file__)
    assert differences.compared() and all(os.path.exists(os.path.join(here, name)) for name in differences.compared())
