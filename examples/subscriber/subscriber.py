#!/usr/bin/env python3
"""Prints the time, stream and text of every event whose topic begins with a prefix (needs python3-zmq).

subscriber.py tcp://127.0.0.1:5557 palisade/v1/front_door/
"""
import json
import sys

import zmq

if len(sys.argv) < 2:
    sys.exit("use: subscriber.py ADDRESS [TOPIC_PREFIX]")
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt_string(zmq.SUBSCRIBE, sys.argv[2] if len(sys.argv) > 2 else "palisade/v1/")
socket.connect(sys.argv[1])
while True:
    topic, body = socket.recv_multipart()
    event = json.loads(body)
    data = event["data"]
    text = data.get("text", data.get("state", ""))
    print(event.get("time", ""), event.get("subject", ""), text, sep="  ", flush=True)
