"""The demo's class over a bad Wi-Fi: 2 % of what the server sends is lost, always the same.

python lossy_class.py SHARE class-server ...    as `bikebox class-server ...`
"""

import random
import sys

from aiortc import RTCDtlsTransport

from firmware_app.cli import main

chance = random.Random(42)
share = float(sys.argv[1])
send = RTCDtlsTransport._send_rtp


async def lose(self: RTCDtlsTransport, data: bytes) -> None:
    if chance.random() >= share:
        await send(self, data)


RTCDtlsTransport._send_rtp = lose
sys.exit(main(sys.argv[2:]))
