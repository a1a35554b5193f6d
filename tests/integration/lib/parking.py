"""What the tests of parking share: few threads, many requests, something large, and someone else who must be answered."""
import random
import ssl

from . import ajp, client

THREADS = 8
MANY = 3 * THREADS
LARGE = random.Random(7).randbytes(3_000_000)


def mpm(threads=THREADS, children=1, factor=400, server_limit=4, more="SendBufferSize 32768\nJkParkMax 3000\nJkWatchdogInterval 0\n"):
    """factor None: AsyncRequestWorkerFactor is not set."""
    lines = [f"ServerLimit {server_limit}", f"ThreadsPerChild {threads}", f"MaxRequestWorkers {threads * children}", f"StartServers {children}",
             f"MinSpareThreads {threads * (children - 1) + 1}", f"MaxSpareThreads {threads * children}"]
    return "\n".join(lines + ([f"AsyncRequestWorkerFactor {factor}"] if factor else [])) + "\n" + more


def insecure():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def visit(httpd, path="/visitor", **how):
    """Somebody else is answered."""
    answer = client.get(httpd.port, path, **how)
    assert answer.status == 200 and answer.complete, answer


def answered(answers):
    assert [a for a in answers if a.status != 200 or not a.complete] == []
    return answers


def held(gate, body):
    return [lambda ex: gate.hold(), lambda ex: ex.send(ajp.answer(body(ex.request)))]


def large(ex):
    length = [("Content-Length", str(len(LARGE)))] if "length" in ex.request.path else []
    ex.send(ajp.send_headers(200, [("Content-Type", "text/html"), *length]) + ajp.chunks(LARGE) + ajp.end())
