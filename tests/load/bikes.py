"""Six hundred bikes on the live lane, as one process: what they send is real, they are not.

    python -m tests.load.bikes PORT BIKES HZ SECONDS

`t_s` is the machine's monotonic time of sending: who hears it knows how old it is.
"""

import random
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.topics import Form, form_topic, pack

RULES = ("shrug", "head_drop", "rounded_back", "knees_in", "sway", "bounce", "hip_rock")


def main(port, bikes, hz, seconds):
    chance = random.Random(1)
    client = paho.Client(CallbackAPIVersion.VERSION2, "bikes")
    client.connect("127.0.0.1", port)
    client.loop_start()
    states = [dict.fromkeys(RULES, "ok") for _ in range(bikes)]
    began_s = time.monotonic()
    for turn in range(int(seconds * hz)):
        for bike in range(bikes):
            due_s = began_s + (turn + bike / bikes) / hz
            if (wait_s := due_s - time.monotonic()) > 0.002:
                time.sleep(wait_s)
            if chance.random() < 0.05:
                states[bike][chance.choice(RULES)] = chance.choice(("ok", "fault", "unseen"))
            form = Form(
                box=f"b{bike}",
                rider=f"p{bike}",
                t_s=time.monotonic(),
                states=states[bike],
                cadence_rpm=86.0,
            )
            client.publish(form_topic("42", form.rider), pack(form))
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
