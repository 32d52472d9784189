"""A client written after docs/protocol.md alone, in a language that the router does not know, with nothing but what comes with it.

client.py PORT: publishes, subscribes, answers and asks; drops its connection between two events and goes on behind what it had; works off a job of a group.
Says what it saw, as one line of JSON.
"""
import base64
import json
import os
import random
import socket
import struct
import sys
import time

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def digits(number, length):
    text = ""
    for _ in range(length):
        number, rest = divmod(number, 62)
        text = DIGITS[rest] + text
    return text


class WebSocket:
    """As much of RFC 6455 as a client needs that has no compression."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.bytes += self.socket.recv(65536)
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n")[0], head

    def take(self, count):
        while len(self.bytes) < count:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.bytes += more
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def send(self, text):
        payload, mask = text.encode(), os.urandom(4)
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        self.socket.sendall(b"\x81" + size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def receive(self):
        first, size = self.take(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.take(8))
        payload = self.take(size)
        return payload.decode() if first & 15 == 1 else self.receive()


class Client:
    def __init__(self, port):
        self.port = port
        self.instance = "".join(random.choice(DIGITS) for _ in range(11))
        self.made = 0
        self.number = 0
        self.connect()

    def connect(self):
        self.received = 0
        self.waiting = []
        self.ws = WebSocket(self.port)
        self.say(["hello", {"v": 1, "name": "python"}])
        self.welcome = self.wait("welcome")[1]

    def id(self):
        self.made += 1
        return "evt_" + digits(int(time.time() * 1000), 8) + self.instance + digits(self.made, 6)

    def say(self, frame, *lines):
        self.ws.send("\n".join(json.dumps(one, separators=(",", ":")) for one in (frame, *lines)))

    def wait(self, *names):
        """The next frame with one of these names; those between are kept for others."""
        while True:
            for i, frame in enumerate(self.waiting):
                if frame[0] in names:
                    return self.waiting.pop(i)
            message = self.ws.receive()
            if message != "pong":
                self.received += len(message.encode("utf-16-le")) // 2
                self.waiting += [json.loads(line) for line in message.split("\n")]

    def publish(self, *events):
        """Events are [id, type, payload]."""
        self.number += 1
        self.say(["pub", self.number, len(events), {"as": "each", "run": 1}], *events)
        _, number, _, results = self.wait("pub")
        assert number == self.number
        return results

    def event(self, sub):
        """The next event for a subscription, which is finished with that."""
        _, subs, events = self.wait("ev")
        assert subs == [sub]
        self.say(["ack", self.received, sub, events[-1][0]])
        return events


def main(port):
    saw = {}
    client = Client(port)
    saw["welcome"] = {name: client.welcome[name] for name in ("v", "head", "durability")}

    client.say(["sub", 1, {"topics": ["order.*"], "filter": {"payload.total": {"$gt": 100}}}])
    _, _, epoch, at = client.wait("on")
    saw["on"] = [epoch == client.welcome["epoch"], at]
    first = [client.id(), "order.placed", {"total": 150}]
    second = [client.id(), "order.placed", {"total": 50}]
    saw["published"] = client.publish(first, second)
    saw["again"] = client.publish(first)
    (event,) = client.event(1)
    position = event[0]
    saw["event"] = event[3:6] == first

    # Cut off: what came meanwhile comes behind the position up to which all is finished.
    client.ws.socket.close()
    other = Client(port)
    other.publish([other.id(), "order.placed", {"total": 300}])
    client.connect()
    client.say(["sub", 1, {"topics": ["order.*"], "filter": {"payload.total": {"$gt": 100}}, "from": [epoch, position]}])
    client.wait("on")
    (event,) = client.event(1)
    saw["after the cut"] = [event[0] - position, event[5]]

    client.say(["serve", 2, ["python.add"]])
    client.wait("on")
    client.say(["req", 90, 5000], [client.id(), "greet", "Ada"])
    name, number, event = client.wait("ok", "err")
    saw["asked"] = [name, number, event[5]]

    client.say(["sub", 3, {"topics": ["job"], "group": "workers", "ackTimeout": 60000}])
    client.wait("on")
    client.publish([client.id(), "job", {"file": "a.png"}])
    _, sub, token, attempt, event = client.wait("job")
    client.say(["nack", 3, token, {"error": {"name": "Error", "message": "once more"}, "delay": 1}])
    _, _, token, again, event = client.wait("job")
    client.say(["done", 3, token])
    saw["job"] = [sub, attempt, again, event[5]]

    client.say(["sub", 4, {"topics": "order.*"}])
    name, sub, error = client.wait("end")
    saw["refused"] = [name, sub, error[:2]]
    client.say(["sub", 5, {"topics": ["bad..pattern"]}])
    name, sub, error = client.wait("end")
    saw["wrong pattern"] = [name, sub, error[1]]

    print(json.dumps(saw), flush=True)
    _, number, _, event = client.wait("ask")
    client.say(["answer", number], sum(event[5].values()))
    client.ws.send("ping")
    client.say(["bye"])
    try:
        while True:
            client.ws.receive()
    except EOFError:
        pass


main(int(sys.argv[1]))
