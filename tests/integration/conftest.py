"""Fixtures, and the hygiene of logs: after each test every log of every live httpd is looked through (lib/httpd.py), and
every peer says whether AJP13 was kept."""
import os
import signal
import sys

import pytest

from lib import differences
from lib import httpd as httpd_lib
from lib import tomcat as tomcat_lib
from lib.ajp_peer import Peer
from lib.httpd import Httpd

_live = []  # httpds and peers, in order of creation


def pytest_sessionstart(session):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    module = httpd_lib.module_under_test()
    if not os.path.exists(module):
        pytest.exit(f"{module} is not there: build first, or name another module in JK_MODULE", returncode=2)
    if not httpd_lib.find_binary() or not httpd_lib.find_modules():
        pytest.exit("httpd is not installed (apt install apache2-bin, dnf install httpd)", returncode=2)


def pytest_collection_modifyitems(items):
    for item in items:
        mark = differences.of(item)
        if mark and httpd_lib.INCUMBENT:
            item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=False))


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    for one in _live:
        if isinstance(one, Httpd):
            one.begin_test()
    outcome = yield
    if outcome.excinfo:
        _attach_logs(pyfuncitem)
        _forget()
        return
    try:
        _check()
    except AssertionError as e:
        _attach_logs(pyfuncitem)
        outcome.force_exception(e) if hasattr(outcome, "force_exception") else _raise(outcome, e)
    _forget()


def _raise(outcome, error):
    outcome._result = None
    outcome._excinfo = (type(error), error, error.__traceback__)


def _check():
    for one in _live:
        if isinstance(one, Httpd):
            if one.child is not None:
                one.end_test()
        else:
            one.check()


def _attach_logs(item):
    for one in _live:
        if isinstance(one, Peer):
            if one.violations:
                item.add_report_section("call", f"{one.name} says", "\n".join(one.violations))
            continue
        for log in (one.error_log, one.jk_log, one.access_log):
            lines = log.since_mark()
            if lines:
                item.add_report_section("call", f"{os.path.basename(log.path)} of {one.port}", "\n".join(lines[-30:]))


def _forget():
    """The next test finds clean logs and peers."""
    for one in _live:
        if isinstance(one, Peer):
            one.reset()
        elif one.child is not None:
            one.wait_idle()
            one.mark()


def _factories(scope):
    @pytest.fixture(scope=scope)
    def make_httpd():
        """make_httpd(config, workers=..., ...) -> a started Httpd; start=False leaves it to the test."""
        made = []

        def make(*args, start=True, **more):
            one = Httpd(*args, **more)
            made.append(one)
            _live.append(one)
            one.mark()
            return one.start() if start else one
        yield make
        for one in reversed(made):
            _live.remove(one)
            one.remove()

    @pytest.fixture(scope=scope)
    def make_peer():
        """make_peer(...) -> a Peer that listens."""
        made = []

        def make(*args, **more):
            one = Peer(*args, **more)
            made.append(one)
            _live.append(one)
            return one
        yield make
        for one in reversed(made):
            _live.remove(one)
            one.stop()
    return make_httpd, make_peer


make_httpd, make_peer = _factories("module")
fresh_httpd, fresh_peer = _factories("function")


@pytest.fixture(scope="session")
def tomcat():
    why = tomcat_lib.missing()
    if why:
        pytest.skip("no Tomcat: " + why)
    one = tomcat_lib.Tomcat().launch()
    try:
        yield one.wait()
    finally:
        one.remove()
