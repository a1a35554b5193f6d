"""A server that answers whatever it is told to, to see what a client makes of it."""
import http.server
import threading


class FakeHttp:
    """with FakeHttp(status, body, type, headers) as fake: .. fake.url; fake.asked: (method, path, headers, body) of what came.
    body may be a callable of the handler's record."""

    def __init__(self, status=200, body=b"", kind="application/json", headers=()):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.path, dict(self.headers), sent))
                text = body(outer.asked[-1]) if callable(body) else body
                self.send_response(status)
                for name, value in [("Content-Type", kind), ("Content-Length", str(len(text))), *headers]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/jk-status"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
