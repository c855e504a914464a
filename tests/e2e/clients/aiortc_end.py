#!/usr/bin/python3
# aiortc_end.py: the ICE, DTLS and RTP end of clients/aiortc.mjs: aiortc, told
# by lines of JSON on stdin what to do, answering by lines on stdout.
#
# {"id", "call", "do": "offer"|"answer"|"accept"|"stats", "media", "sdp",
# "late": seconds for which it passes over the pictures that come} is
# answered with {"id", ...} or {"id", "error"}; a call is what its user names
# so. It is the program's end when stdin ends.

import asyncio
import collections
import fractions
import json
import sys

import aioice.ice
import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE = 48000
SAMPLES = 960
TONE = 440
LOUD = 8000
WIDTH, HEIGHT, FPS = 320, 240, 10
FULL = 32768

# aioice leaves loopback out, and tests have nothing else.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Timed(MediaStreamTrack):
    """A track whose n-th frame comes n / rate seconds after the first."""

    def __init__(self):
        super().__init__()
        self.count = -1
        self.start = None

    async def next_time(self, per_second):
        now = asyncio.get_running_loop().time()
        if self.start is None:
            self.start = now
        self.count += 1
        await asyncio.sleep(self.start + self.count / per_second - now)


class Tone(Timed):
    kind = "audio"

    async def recv(self):
        await self.next_time(RATE / SAMPLES)
        first = self.count * SAMPLES
        at = numpy.arange(first, first + SAMPLES) / RATE
        wave = LOUD * numpy.sin(2 * numpy.pi * TONE * at)
        frame = av.AudioFrame.from_ndarray(
            wave.astype(numpy.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE
        frame.pts = first
        frame.time_base = fractions.Fraction(1, RATE)
        return frame


class Stripes(Timed):
    kind = "video"

    async def recv(self):
        await self.next_time(FPS)
        picture = numpy.zeros((HEIGHT, WIDTH, 3), numpy.uint8)
        picture[:, (numpy.arange(WIDTH) + 4 * self.count) % 64 < 32] = 200
        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts = self.count * 90000 // FPS
        frame.time_base = fractions.Fraction(1, 90000)
        return frame


def receives_late(receiver, seconds):
    receive = receiver.receive

    async def late(parameters):
        await asyncio.sleep(seconds)
        await receive(parameters)

    receiver.receive = late


class End:
    def __init__(self):
        self.pc = RTCPeerConnection()
        self.got = {"audio": {"totalAudioEnergy": 0.0},
                    "video": {"framesDecoded": 0}}
        self.tasks = []
        self.pc.on("track", self.on_track)

    def on_track(self, track):
        self.tasks.append(asyncio.ensure_future(self.consume(track)))

    async def consume(self, track):
        got = self.got[track.kind]
        try:
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    got["framesDecoded"] += 1
                    got["frameWidth"] = frame.width
                    got["frameHeight"] = frame.height
                    continue
                # As totalAudioEnergy of webrtc-stats is defined.
                wave = frame.to_ndarray().astype(float) / FULL
                got["totalAudioEnergy"] += (numpy.mean(wave * wave) *
                                            frame.samples /
                                            frame.sample_rate)
        except MediaStreamError:
            pass

    def add_tracks(self, media):
        for kind in media:
            self.pc.addTrack(Tone() if kind == "audio" else Stripes())

    async def local(self, description):
        await self.pc.setLocalDescription(description)
        return {"sdp": self.pc.localDescription.sdp}

    async def offer(self, ask):
        self.add_tracks(ask["media"])
        for one in self.pc.getTransceivers():
            if one.kind == "video":
                receives_late(one.receiver, ask["late"])
        return await self.local(await self.pc.createOffer())

    async def answer(self, ask):
        await self.pc.setRemoteDescription(
            RTCSessionDescription(ask["sdp"], "offer"))
        self.add_tracks(ask["media"])
        return await self.local(await self.pc.createAnswer())

    async def accept(self, ask):
        await self.pc.setRemoteDescription(
            RTCSessionDescription(ask["sdp"], "answer"))
        return {}

    async def stats(self, ask):
        report = {"state": self.pc.connectionState}
        for kind, got in self.got.items():
            report[kind] = {"in": dict(got)}
        for one in (await self.pc.getStats()).values():
            if one.type == "inbound-rtp":
                report[one.kind]["in"]["packetsReceived"] = \
                    one.packetsReceived
            elif one.type == "outbound-rtp":
                report[one.kind]["out"] = {"packetsSent": one.packetsSent}
        return report


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps({"id": 0}), flush=True)
    ends = collections.defaultdict(End)
    while line := await reader.readline():
        ask = json.loads(line)
        try:
            result = await getattr(ends[ask["call"]], ask["do"])(ask)
        except Exception as error:
            result = {"error": repr(error)}
        print(json.dumps({"id": ask["id"], **result}), flush=True)
    for end in ends.values():
        await end.pc.close()


asyncio.run(main())
