#!/usr/bin/env python3
"""roll.py IN.mkv OUT.mkv ROLL: a Matroska film, as FFmpeg writes it, with a projection that is rolled by so many degrees."""
import struct
import sys


def size_at(data, place):
    length = 9 - data[place].bit_length()
    value = data[place] & ((1 << (8 - length)) - 1)
    for byte in data[place + 1:place + length]:
        value = value << 8 | byte
    return value, length


class Element:
    def __init__(self, data, place):
        self.data, self.place = data, place
        name_length = 9 - data[place].bit_length()
        self.name = data[place:place + name_length].hex()
        self.size_place = place + name_length
        self.size, self.size_length = size_at(data, self.size_place)
        self.begin = self.size_place + self.size_length
        self.end = self.begin + self.size

    def grow(self, by):
        size = (self.size + by) | 1 << (7 * self.size_length)
        self.data[self.size_place:self.begin] = size.to_bytes(self.size_length, "big")

    def child(self, name):
        place = self.begin
        while True:
            found = Element(self.data, place)
            if found.name == name:
                return found
            place = found.end


film = bytearray(open(sys.argv[1], "rb").read())
segment = Element(film, Element(film, 0).end)
blank = segment.child("ec")  # stands before the tracks and makes room
tracks = segment.child("1654ae6b")
track = tracks.child("ae")
video = track.child("e0")
projection = bytes.fromhex("76718100" "767584") + struct.pack(">f", float(sys.argv[3]))
projection = bytes.fromhex("7670") + bytes([0x80 | len(projection)]) + projection
for parent in (tracks, track, video):
    parent.grow(len(projection))
film[video.end:video.end] = projection
blank.grow(-len(projection))
del film[blank.begin:blank.begin + len(projection)]
open(sys.argv[2], "wb").write(film)
