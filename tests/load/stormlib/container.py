"""A servlet container of the storms, a process of its own: answers as stormlib/answers says, and notes every request that came.

    container.py --port P --name N --notes FILE [--deaf]

A note is one write to a file opened for appending, before anything else is done: what was noted came, whatever becomes of this process.
Everything that arrives is decoded strictly; what AJP13 does not allow is noted, too. --deaf: listens, and never accepts."""
import argparse
import asyncio
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "integration"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import ajp  # noqa: E402
from stormlib import answers  # noqa: E402

PIECE = 60000


class Container:
    def __init__(self, name, notes):
        self.name = name
        self.notes = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, *words):
        os.write(self.notes, (" ".join(words) + "\n").encode())

    async def serve(self, reader, writer):
        try:
            while True:
                payload = await self.packet(reader)
                if payload == bytes([ajp.CPING]):
                    writer.write(ajp.CPONG)
                else:
                    await self.play(reader, writer, payload)
        except (asyncio.IncompleteReadError, OSError):
            pass
        except ajp.Violation as e:
            self.note("VIOLATION", self.name, str(e).replace("\n", " "))
        finally:
            writer.close()

    @staticmethod
    async def packet(reader):
        head = await reader.readexactly(4)
        if head[:2] != b"\x12\x34":
            raise ajp.Violation(f"magic {head!r}")
        return await reader.readexactly(int.from_bytes(head[2:], "big"))

    async def play(self, reader, writer, payload):
        request = ajp.Request(payload)
        ident = answers.ident_of(request.uri)
        self.note(request.method, ident, self.name)
        body = await self.body(reader, writer, request)
        answer = answers.Answer(ident)
        await asyncio.sleep(answer.pause)
        page = answer.body()
        headers = [("X-Id", ident), ("X-Node", self.name), ("X-Sum", answers.checksum(ident, body))]
        if answer.length:
            headers.append(("Content-Length", str(len(page))))
        writer.write(ajp.send_headers(200, headers))
        if request.method != "HEAD":
            await self.send(writer, page, answer.rest)
        writer.write(ajp.end())
        await writer.drain()

    @staticmethod
    async def send(writer, page, rest):
        half = len(page) // 2 if rest else 0
        if half:
            writer.write(ajp.chunks(page[:half]) + ajp.FLUSH)
            await asyncio.sleep(rest)
        for at in range(half, len(page), PIECE):
            writer.write(ajp.chunks(page[at:min(at + PIECE, len(page))]))
            await writer.drain()

    async def body(self, reader, writer, request):
        """The first packet comes unasked where there is a length."""
        got = b""
        if request.length:
            got = ajp.body_data(await self.packet(reader))
        elif request.length is not None or request.method != "POST":
            return got
        while request.length is None or len(got) < request.length:
            writer.write(ajp.get_body(ajp.MAX_BODY))
            more = ajp.body_data(await self.packet(reader))
            if not more:
                break
            got += more
        return got


def be_deaf(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(1)
    print("ready", flush=True)
    while True:
        time.sleep(3600)


async def main(args):
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: os._exit(0))
    container = Container(args.name, args.notes)
    server = await asyncio.start_server(container.serve, "127.0.0.1", args.port, backlog=1024, limit=1 << 17)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--notes", required=True)
    parser.add_argument("--deaf", action="store_true")
    asked = parser.parse_args()
    if asked.deaf:
        be_deaf(asked.port)
    asyncio.run(main(asked))
