"""The same work done by GStreamer: webrtcbin, its decoders, sinks in memory; cpu.py compares.

/usr/bin/python3 gst_watch.py URL TOKEN SECONDS       the 406 flow; prints the pictures it had
"""

import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - after require_version

SINKS = {
    "video": "rtph264depay ! avdec_h264 ! videoconvert ! video/x-raw,format=BGRx,width=1280"
    " ! fakesink name=screen sync=true signal-handoffs=true",
    "audio": "rtpopusdepay ! opusdec ! audioconvert ! audioresample"
    " ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! fakesink sync=true",
}
OFFER = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def ask(method, url, token, sdp):
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    # S310: the address is this test's own
    request = urllib.request.Request(url, sdp.encode(), headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


def describe(kind, sdp):
    _, message = GstSdp.SDPMessage.new_from_text(sdp)
    return GstWebRTC.WebRTCSessionDescription.new(kind, message)


def main(url, token, seconds):
    Gst.init(None)
    pictures = [0]
    pipeline = Gst.Pipeline.new("viewer")
    peer = Gst.ElementFactory.make("webrtcbin", "peer")
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    peer.set_property("latency", 100)
    pipeline.add(peer)

    def came(_peer, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        sink = Gst.parse_bin_from_description(f"queue ! {SINKS[media]}", True)  # noqa: FBT003
        pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))
        if media == "video":
            screen = sink.get_by_name("screen")
            screen.connect("handoff", lambda *_: pictures.__setitem__(0, pictures[0] + 1))

    peer.connect("pad-added", came)
    pipeline.set_state(Gst.State.PLAYING)
    status, headers, offer = ask("POST", url, token, OFFER)
    assert status == 406, (status, offer)
    session = urllib.parse.urljoin(url, headers["Location"])
    done = threading.Event()
    kept = []

    def gathered(*_change):
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            done.set()

    def answered(promise):
        reply = promise.get_reply()
        answer = reply.get_value("answer")
        kept.extend((reply, answer))
        peer.emit("set-local-description", answer, Gst.Promise.new())

    def taken(_promise):
        peer.emit("create-answer", None, Gst.Promise.new_with_change_func(answered))

    peer.connect("notify::ice-gathering-state", gathered)
    remote = describe(GstWebRTC.WebRTCSDPType.OFFER, offer)
    peer.emit("set-remote-description", remote, Gst.Promise.new_with_change_func(taken))
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    assert done.wait(5)
    sdp = peer.get_property("local-description").sdp.as_text()
    assert ask("PATCH", session, token, sdp)[0] == 204
    threading.Event().wait(seconds)
    print("PICTURES", pictures[0], flush=True)  # noqa: T201 - the bench reads it
    pipeline.set_state(Gst.State.NULL)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
