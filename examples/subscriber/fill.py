#!/usr/bin/env python3
"""Prints every event from now on and misses none, whatever becomes of the connection: ./fill.py EVENTS REPLAY"""
import json
import sys
import zmq

events, replay = sys.argv[1:3]
context = zmq.Context()
live = context.socket(zmq.SUB)
live.subscribe("palisade/v1/")
live.connect(events)


def ask(request):
    """The answer's header, and topic and body of each event."""
    while True:
        socket = context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(replay)
        socket.send_json(request)
        answer = socket.recv_multipart() if socket.poll(5000) else None  # None: not there now, ask again
        socket.close()
        if answer:
            header, *parts = answer
            return json.loads(header), zip(parts[::2], parts[1::2])


position = ask({"position": "end"})[0]["position"]
while True:
    live.poll(1000)  # the subscription only says that there is something new
    while live.poll(0):
        live.recv_multipart()
    header, fresh = ask({"position": position})
    for topic, body in fresh:
        print(body.decode(), flush=True)
    position = header.get("position", position)
