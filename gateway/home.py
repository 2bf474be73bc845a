"""Tells Home Assistant that there is a bike: one retained message, and its sensors are there.

Home Assistant's MQTT device discovery: every sensor reads a topic that the box speaks on anyway. A
sensor's value goes to idle when the ride is over, and unavailable with the box's last will.
"""

from typing import Any

from gateway.topics import box_topic

TOPIC = "homeassistant/device/{node}/config"


def discovery_topic(box: str) -> str:
    """Return where Home Assistant looks for this box."""
    return TOPIC.format(node=f"bikebox_{box}")


def discovery(box: str, version: str) -> dict[str, Any]:
    """Return the message that makes the box a device with its sensors."""
    node = f"bikebox_{box}"
    status, now = box_topic(box, "status"), box_topic(box, "now")

    def sensor(name: str, template: str, **more: str) -> dict[str, str]:
        return {
            "platform": "sensor",
            "unique_id": f"{node}_{name.lower().replace(' ', '_')}",
            "name": name,
            "state_topic": now,
            "value_template": f"{{{{ {template} }}}}",
            **more,
        }

    return {
        "device": {
            "identifiers": [node],
            "name": f"Bike {box}",
            "manufacturer": "Bikebox",
            "sw_version": version,
        },
        "origin": {"name": "bikebox", "sw_version": version},
        "availability_topic": status,
        "availability_template": "{{ 'online' if value_json.online else 'offline' }}",
        "components": {
            "phase": sensor("Ride", "value_json.phase", icon="mdi:bike"),
            "cadence": sensor(
                "Cadence",
                "value_json.cadence_rpm | round(0)",
                unit_of_measurement="rpm",
                state_class="measurement",
            ),
            "problem": {
                "platform": "binary_sensor",
                "unique_id": f"{node}_problem",
                "name": "Problem",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": status,
                "value_template": "{{ 'ON' if value_json.wrong else 'OFF' }}",
            },
        },
    }
