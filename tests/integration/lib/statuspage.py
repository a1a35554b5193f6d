"""The status page as scripts see it: asks, parses each format, changes things with the token."""
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET

from . import client
from .httpd import INCUMBENT

JK = "{http://tomcat.apache.org}"
HTML = "{http://www.w3.org/1999/xhtml}"


class Page:
    """Page(httpd) or Page(httpd, "/path", headers): the page of a status worker."""

    def __init__(self, httpd, path="/status", headers=()):
        self.httpd, self.path, self.headers = httpd, path, list(headers)

    def url(self, **params):
        return self.path + ("?" + urllib.parse.urlencode(params) if params else "")

    def get(self, headers=(), **params):
        return client.get(self.httpd.port, self.url(**params), [*self.headers, *headers])

    def xml(self, **params):
        return ET.fromstring(self.get(mime="xml", **params).body)

    def txt(self, **params):
        return [txt_line(line) for line in self.get(mime="txt", **params).text.splitlines()]

    def prop(self, **params):
        """Pairs, in their order: keys repeat."""
        return [tuple(line.split("=", 1)) for line in self.get(mime="prop", **params).text.splitlines()]

    def json(self, **params):
        return json.loads(self.get(mime="json", **params).body)

    def token(self):
        return None if INCUMBENT else self.json()["changes"]["token"]

    def post(self, headers=(), token=None, mime="txt", **params):
        """A change, as a form. token: None asks for it, "" sends none."""
        if token is None:
            token = self.token()
        body = urllib.parse.urlencode({**params, "mime": mime, **({"token": token} if token else {})}).encode()
        return client.ask(self.httpd.port, "POST", self.path, [*self.headers, ("Content-Type", "application/x-www-form-urlencoded"), *headers], body)

    def change(self, token=None, **params):
        """The incumbent changes by GET."""
        answer = self.get(mime="txt", **params) if INCUMBENT else self.post(token=token, **params)
        assert (answer.status, answer.text) == (200, 'Result: type=OK message="Action finished"\n'), answer
        return answer

    def lb(self, name="lb"):
        if INCUMBENT:
            found = self.xml(cmd="show", w=name).find(JK + "balancer")
            return {**plain(found), "members": [plain(m) for m in found.findall(JK + "member")]}
        return next(b for b in self.json()["balancers"] if b["name"] == name)

    def member(self, name, lb="lb"):
        return next(m for m in self.lb(lb)["members"] if m["name"] == name)

    def worker(self, name):
        if INCUMBENT:
            return plain(self.xml(cmd="show", w=name).find(JK + "ajp"))
        return next(w for w in self.json()["ajp_workers"] if w["name"] == name)


def plain(element):
    return {k: int(v) if v.isdigit() else {"True": True, "False": False}.get(v, v) for k, v in element.attrib.items()}


def txt_line(line):
    """("Member", [("name", "n1"), ..]) of a line of mime=txt."""
    label, _, rest = line.partition(":")
    return label, [(k, q[1:-1] if q.startswith('"') else q) for k, q in re.findall(r'([\w ]+?)=("(?:[^"\\]|\\.)*"|\S*)(?: |$)', rest.strip())]


class Form:
    """A form of a page, with what a browser would send: `fields`, as they stand there."""

    def __init__(self, element):
        self.action = element.get("action")
        self.words = "".join(element.itertext())
        self.fields = {e.get("name"): e.get("value", "") for e in element.iter(HTML + "input")}
        for select in element.iter(HTML + "select"):
            options = list(select.iter(HTML + "option"))
            chosen = next((o for o in options if o.get("selected")), options[0])
            self.fields[select.get("name")] = chosen.text

    @staticmethod
    def of(text, field):
        """The form that has this field."""
        return next(f for f in forms(text) if field in f.fields)

    @staticmethod
    def button(text, word):
        return next(f for f in forms(text) if f.words == word)

    def send(self, page, **values):
        assert set(values) <= set(self.fields), f"the form has no {set(values) - set(self.fields)}"
        origin = [("Origin", f"http://127.0.0.1:{page.httpd.port}"), ("Host", f"127.0.0.1:{page.httpd.port}"), ("Sec-Fetch-Site", "same-origin")]
        body = urllib.parse.urlencode({**self.fields, **values}).encode()
        return client.ask(page.httpd.port, "POST", self.action, [("Content-Type", "application/x-www-form-urlencoded"), *origin, *page.headers], body)


def forms(text):
    return [Form(e) for e in ET.fromstring(text).iter(HTML + "form")]
