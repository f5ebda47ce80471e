#!/usr/bin/env python3
"""Prints every event from now on and misses none, whatever becomes of the connection.
./fill.py EVENTS REPLAY [OWN.key SERVER.pub]"""
import json
import re
import sys
import zmq

context = zmq.Context()


def connect(kind, endpoint):
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    if len(sys.argv) > 3:  # an encrypted service
        own, server = (dict(re.findall(r"^(\w+): (\S+)", open(file).read(), re.M)) for file in sys.argv[3:5])
        socket.curve_publickey, socket.curve_secretkey = own["public"].encode(), own["secret"].encode()
        socket.curve_serverkey = server["public"].encode()
    socket.connect(endpoint)
    return socket


def ask(request):
    """The answer's header, and topic and body of each event."""
    while True:
        socket = connect(zmq.REQ, sys.argv[2])
        socket.send_json(request)
        answer = socket.recv_multipart() if socket.poll(5000) else None  # None: not there now, ask again
        socket.close()
        if answer:
            return json.loads(answer[0]), zip(answer[1::2], answer[2::2])


live = connect(zmq.SUB, sys.argv[1])
live.subscribe("palisade/v1/")
position = ask({"position": "end"})[0]["position"]
while True:
    live.poll(1000)  # the subscription only says that there is something new
    while live.poll(0):
        live.recv_multipart()
    header, fresh = ask({"position": position})
    for topic, body in fresh:
        print(body.decode(), flush=True)
    position = header.get("position", position)
