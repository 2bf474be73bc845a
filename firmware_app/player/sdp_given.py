"""Makes what a server describes readable for aiortc, and gets out of it what aiortc leaves.

aiortc 1.16 takes an answer only when each medium of it has its name, its credentials and a codec,
also one that the server refused; RFC 9429 section 5.3.1 lets a refused one have none of them.
"""

import base64
import binascii
import re

import aiortc.codecs
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters
from aiortc.sdp import MediaDescription, SessionDescription

H264_KINDS = (
    ("42e01f", "1"),
    ("42001f", "1"),
    ("42e01f", "0"),
    ("42001f", "0"),
    ("4d001f", "1"),
    ("4d001f", "0"),
    ("64001f", "1"),
    ("64001f", "0"),
    ("640c1f", "1"),
    ("640c1f", "0"),
)
"""Profiles and packetization modes, as browsers offer them: a server may send what it has."""
FEEDBACK = (("nack", None), ("nack", "pli"), ("goog-remb", None))
FIRST_TYPE = 97
"""aiortc gives its own codecs the payload types from here on; 96 is Opus."""
START = b"\0\0\0\1"


def offer_all_we_can() -> None:
    """Let every peer connection of this process offer all H.264 first, and stereo.

    May be called twice.
    """
    codecs = [
        ("video/H264", {"level-asymmetry-allowed": "1", "packetization-mode": mode,
                        "profile-level-id": profile})
        for profile, mode in H264_KINDS
    ]  # fmt: skip
    video = aiortc.codecs.CODECS["video"]
    video.clear()
    for at, (mime, parameters) in enumerate([*codecs, ("video/VP8", {})]):
        number = FIRST_TYPE + 2 * at
        feedback = [RTCRtcpFeedback(type=kind, parameter=what) for kind, what in FEEDBACK]
        video.append(RTCRtpCodecParameters(mime, 90000, None, number, feedback, {**parameters}))
        again = RTCRtpCodecParameters("video/rtx", 90000, None, number + 1, [], {"apt": number})
        video.append(again)
    for codec in aiortc.codecs.CODECS["audio"]:
        if codec.name == "opus":
            codec.parameters["stereo"] = "1"


def readable_answer(answer: str, offer: str) -> str:
    """Return the answer with what aiortc misses; raise ValueError where nothing will be sent."""
    theirs = _read(answer)
    ours = SessionDescription.parse(offer)
    sent = [media for media in theirs.media if media.port and media.ice is not None]
    if not sent:
        raise ValueError("it sends neither picture nor sound")
    for media, asked in zip(theirs.media, ours.media, strict=False):
        media.rtp.muxId = media.rtp.muxId or asked.rtp.muxId
        media.rtcp_mux, media.rtcp_port = True, media.rtcp_port or 9
        if not media.port:
            _refuse(media, asked, sent[0])
    for group in theirs.group:
        if group.semantic == "BUNDLE":
            group.items = [media.rtp.muxId for media in theirs.media]
    return str(theirs)


def readable_offer(offer: str) -> str:
    """Return the server's offer with what aiortc misses."""
    theirs = _read(offer)
    for number, media in enumerate(theirs.media):
        media.rtp.muxId = media.rtp.muxId or str(number)
        media.rtcp_mux, media.rtcp_port = True, media.rtcp_port or 9
    return str(theirs)


def parameter_sets(sdp: str) -> bytes:
    """Return the H.264 parameter sets that stand in an SDP, Annex B; some send them nowhere else.

    RFC 6184 section 8.1, sprop-parameter-sets.
    """
    found = re.search(r"sprop-parameter-sets=([\w+/=,-]+)", sdp)
    if found is None:
        return b""
    try:
        return b"".join(START + base64.b64decode(one) for one in found[1].split(",") if one)
    except binascii.Error:
        return b""


def _read(sdp: str) -> SessionDescription:
    """Read it without what it says of payload types that no line names."""
    named = set(re.findall(r"^a=rtpmap:(\d+)", sdp, re.MULTILINE))

    def keep(line: str) -> bool:
        said = re.match(r"a=(?:fmtp|rtcp-fb):(\d+)", line)
        return said is None or said[1] in named

    kept = "".join(line for line in sdp.splitlines(keepends=True) if keep(line))
    try:
        return SessionDescription.parse(kept)
    except StopIteration as error:
        raise ValueError("it speaks of a codec that it does not name") from error


def _refuse(media: MediaDescription, asked: MediaDescription, sent: MediaDescription) -> None:
    """Give a refused medium what one that is silent has."""
    media.port, media.direction = 9, "inactive"
    media.fmt, media.rtp.codecs = asked.fmt, asked.rtp.codecs
    media.ice, media.dtls = sent.ice, sent.dtls
