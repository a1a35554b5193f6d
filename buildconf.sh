#!/bin/sh
# Makes ./configure out of configure.ac and Makefile.am; a release tarball has it already.
cd "$(dirname "$0")" || exit 1

missing=
for tool in autoconf automake libtoolize:libtool make; do
    command -v "${tool%:*}" >/dev/null 2>&1 || missing="$missing ${tool#*:}"
done
if [ -n "$missing" ]; then
    echo "buildconf.sh: missing:$missing" >&2
    echo "  Debian, Ubuntu: apt install$missing gcc libc6-dev apache2-dev" >&2
    echo "  Fedora, RHEL:   dnf install$missing gcc httpd-devel" >&2
    exit 1
fi
# configure looks for these itself; said here so that they can be installed in one go.
command -v "${CC:-cc}" >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
    echo "buildconf.sh: note: configure will want a C compiler (apt install gcc libc6-dev, dnf install gcc)" >&2
PATH=$PATH:/usr/sbin:/usr/local/apache2/bin
command -v apxs >/dev/null 2>&1 || command -v apxs2 >/dev/null 2>&1 ||
    echo "buildconf.sh: note: configure will want apxs (apt install apache2-dev, dnf install httpd-devel)" >&2

mkdir -p m4
autoreconf --force --install || exit 1
echo "buildconf.sh: done; next: ./configure --with-apxs && make"
