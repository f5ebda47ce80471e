#!/usr/bin/env python3
"""A camera with a mind of its own, for tests: serves a raw H.264 file over interleaved RTSP, again and again, until it is
killed, and prints its port. What is odd about its clock and its pace are options."""
import argparse
import asyncio
import base64
import struct
import time
from pathlib import Path

NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
CLOCK_RATE = 90000
MOST_BYTES = 1300       # of a packet's payload


def units_of(data):
    """The NAL units of an Annex B stream."""
    return [part.rstrip(b"\0") for part in data.split(b"\0\0\1")[1:]]


def pictures_of(units):
    """Access units of one slice each, with the parameter sets before them."""
    pictures, waiting = [], []
    for unit in units:
        waiting.append(unit)
        if unit[0] & 31 in (1, 5):
            pictures.append(waiting)
            waiting = []
    return pictures


def packets_of(picture):
    """RTP payloads (RFC 6184) of one picture."""
    for unit in picture:
        if len(unit) <= MOST_BYTES:
            yield unit
            continue
        parts = [unit[1 + at:1 + at + MOST_BYTES] for at in range(0, len(unit) - 1, MOST_BYTES)]
        for number, part in enumerate(parts):
            ends = (0x80 if number == 0 else 0) | (0x40 if number == len(parts) - 1 else 0)
            yield bytes([unit[0] & 0xe0 | 28, unit[0] & 31 | ends]) + part


class Camera:
    def __init__(self, options):
        self.options = options
        units = units_of(Path(options.file).read_bytes())
        self.pictures = pictures_of(units)
        self.sets = [next(unit for unit in units if unit[0] & 31 == kind) for kind in (7, 8)]

    def describe(self):
        sets = ",".join(base64.b64encode(unit).decode() for unit in self.sets)
        return (f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
                f"a=control:track\r\na=rtpmap:96 H264/{CLOCK_RATE}\r\n"
                f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n").encode()

    async def play(self, writer):
        """Pictures at `fps`, stamped as if it were `stamp_fps`; `pause` at a moment, counted by the stamps or not."""
        options, begin = self.options, time.monotonic()
        sequence, missed, next_report, ssrc = 0, 0, options.report_after, 0x1234
        for number in range(1 << 30):
            due = number / options.fps + missed
            if options.pause and missed == 0 and due >= options.pause_at:
                missed = options.pause
                due += missed
            await asyncio.sleep(max(0, begin + due - time.monotonic()))
            now = time.monotonic() - begin
            counted = missed if options.pause_counted else 0
            stamp = int((number / (options.stamp_fps or options.fps) + counted) * CLOCK_RATE)
            if options.ssrc_after and now >= options.ssrc_after:
                ssrc = 0x9999
            if options.report is not None and now >= next_report:
                next_report = now + options.report_every
                off = options.report + (options.set_by if options.set_at and now >= options.set_at else 0)
                ntp = int((time.time() + NTP_EPOCH + off) * 2**32)
                told = stamp + int(options.report_ahead * CLOCK_RATE)
                ntp += int(options.report_ahead * 2**32)
                report = struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, ntp, told & 0xffffffff, number, number)
                writer.write(b"$" + struct.pack(">BH", 1, len(report)) + report)
            packets = list(packets_of(self.pictures[number % len(self.pictures)]))
            for index, payload in enumerate(packets):
                marker = 0x80 if index == len(packets) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xffff, stamp & 0xffffffff, ssrc) + payload
                sequence += 1
                writer.write(b"$" + struct.pack(">BH", 0, len(packet)) + packet)
            await writer.drain()

    async def serve(self, reader, writer):
        playing = None
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":  # receiver reports
                    await reader.readexactly(struct.unpack(">xH", await reader.readexactly(3))[0])
                    continue
                request = (first + await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.split(":", 1) for line in request.split("\r\n")[1:] if ":" in line)
                method, body, more = request.split()[0], b"", "Session: 1\r\n"
                if method == "DESCRIBE":
                    body, more = self.describe(), "Content-Type: application/sdp\r\n"
                elif method == "SETUP":
                    more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                elif method == "OPTIONS":
                    more = "Public: OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, GET_PARAMETER\r\n"
                length = f"Content-Length: {len(body)}\r\n" if body else ""
                writer.write(f"RTSP/1.0 200 OK\r\nCSeq:{headers['CSeq']}\r\n{more}{length}\r\n".encode() + body)
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self.play(writer))
                if method == "TEARDOWN":
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if playing:
                playing.cancel()
            writer.close()


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--stamp-fps", type=float, default=0)
    parser.add_argument("--pause", type=float, default=0, help="seconds without a picture")
    parser.add_argument("--pause-at", type=float, default=3)
    parser.add_argument("--pause-counted", action="store_true", help="stamps go on meanwhile")
    parser.add_argument("--report", type=float, help="sender reports, of a clock that is ahead by so many seconds")
    parser.add_argument("--report-every", type=float, default=1)
    parser.add_argument("--report-after", type=float, default=0)
    parser.add_argument("--report-ahead", type=float, default=0, help="reports of pictures that come so much later")
    parser.add_argument("--set-at", type=float, default=0, help="the clock is set after so many seconds")
    parser.add_argument("--set-by", type=float, default=0)
    parser.add_argument("--ssrc-after", type=float, default=0)
    camera = Camera(parser.parse_args())
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
