"""A WHEP server on GStreamer's webrtcbin, for the tests: the 201 flow, H.264 passed through.

    /usr/bin/python3 gst_server.py HOST:PORT CLASS.mp4 [LOG]      (needs the system's python3-gi)

POST /whep -> 201 with Location /session/<n>; DELETE there -> 200; 401 without the Bearer "secret".
Every viewer has the class from its beginning, once. LOG gets a line "number monotonic_s" when a
picture is about to be sent.
"""

import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - after require_version

PICTURES = 300
"""After so many the numbered class begins anew."""
PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle latency=0
filesrc location={media} ! qtdemux name=film
film.audio_0 ! queue ! identity sync=true ! rtpopuspay pt={opus}
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload={opus} ! peer.sink_0
film.video_0 ! queue ! h264parse config-interval=-1 ! identity name=due sync=true
  ! rtph264pay pt={h264} mtu=1200 aggregate-mode=zero-latency config-interval=-1
  ! application/x-rtp,media=video,encoding-name=H264,payload={h264} ! peer.sink_1
"""


class Viewer:
    """One viewer's pipeline."""

    def __init__(self, offer, media):
        self.ready = threading.Event()
        self.answer = ""
        # an answer must use the offer's payload types
        opus = re.search(r"a=rtpmap:(\d+) opus/48000", offer, re.IGNORECASE)[1]
        h264 = re.search(r"a=fmtp:(\d+) .*profile-level-id=42e01f", offer)[1]
        self.pipeline = Gst.parse_launch(PIPELINE.format(media=media, opus=opus, h264=h264))
        self.peer = self.pipeline.get_by_name("peer")
        self.number = 0
        due = self.pipeline.get_by_name("due").get_static_pad("src")
        due.add_probe(Gst.PadProbeType.BUFFER, self.sent)
        for index in range(2):
            one_way = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            self.peer.emit("get-transceiver", index).set_property("direction", one_way)
        self.peer.emit("get-transceiver", 1).set_property("do-nack", 1)
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        self.pipeline.set_state(Gst.State.PLAYING)
        _, message = GstSdp.SDPMessage.new_from_text(offer)
        kind = GstWebRTC.WebRTCSDPType.OFFER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        taken = Gst.Promise.new_with_change_func(self.offer_taken)
        self.peer.emit("set-remote-description", described, taken)

    def sent(self, _pad, _info):
        if Door.log is not None:
            Door.log.write(f"{self.number % PICTURES} {time.monotonic():.6f}\n")
        self.number += 1
        return Gst.PadProbeReturn.OK

    def offer_taken(self, _promise):
        self.peer.emit("create-answer", None, Gst.Promise.new_with_change_func(self.answered))

    def answered(self, promise):
        # the reply owns the answer: kept, or pygobject frees both
        self.reply = promise.get_reply()
        answer = self.reply.get_value("answer")
        self.peer.emit("set-local-description", answer, Gst.Promise.new())

    def gathered(self, *_change):
        done = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.peer.get_property("ice-gathering-state") == done:
            self.answer = self.peer.get_property("local-description").sdp.as_text()
            self.ready.set()

    def leave(self):
        self.pipeline.set_state(Gst.State.NULL)


class Door(BaseHTTPRequestHandler):
    """The HTTP side."""

    protocol_version = "HTTP/1.1"
    viewers = {}  # noqa: RUF012 - one server, one process
    media = ""
    log = None

    def do_POST(self):
        offer = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers.get("Authorization") != "Bearer secret":
            self.reply(401, {"WWW-Authenticate": "Bearer"})
            return
        viewer = Viewer(offer, self.media)
        if not viewer.ready.wait(5):
            self.reply(500, {})
            return
        session = f"/session/{len(self.viewers)}"
        self.viewers[session] = viewer
        headers = {"Content-Type": "application/sdp", "Location": session, "ETag": '"1"'}
        self.reply(201, headers, viewer.answer)

    def do_DELETE(self):
        viewer = self.viewers.pop(self.path, None)
        if viewer is not None:
            viewer.leave()
            print("LEFT", self.path, self.headers.get("Authorization"), flush=True)  # noqa: T201
        self.reply(200 if viewer else 404, {})

    def reply(self, status, headers, body=""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_words):
        pass


Gst.init(None)
host, _, port = sys.argv[1].rpartition(":")
Door.media = sys.argv[2]
if len(sys.argv) > 3:
    Door.log = Path(sys.argv[3]).open("w", buffering=1)  # noqa: SIM115 - until it is stopped
threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
print("READY", flush=True)  # noqa: T201 - the test waits for it
ThreadingHTTPServer((host, int(port)), Door).serve_forever()
