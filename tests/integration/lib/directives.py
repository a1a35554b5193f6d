"""The table of directives as the source has it (native/httpd/directive_rows.h), read the way that any program may read it."""
import ast
import os
import subprocess
from collections import namedtuple

from .httpd import TOP

Row = namedtuple("Row", "name args context standard inherit help")
HEADER = os.path.join(TOP, "native", "httpd", "directive_rows.h")
ROW = "ROW(n,a,c,s,i,h,f,t)=(#n, #a, #c, s, #i, t,),"


def rows():
    text = subprocess.run(["cc", "-E", "-P", "-x", "c", "-D" + ROW, HEADER], capture_output=True, text=True, check=True).stdout
    return [Row(*one) for one in ast.literal_eval("[" + text + "]")]
