#!/bin/sh
# Tutorials build in native/; the build itself lies one directory up.
exec "$(dirname "$0")/../buildconf.sh" "$@"
