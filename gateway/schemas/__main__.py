"""Writes the schema files anew: `python -m gateway.schemas`."""

import json

from gateway.schemas import FOLDER, MESSAGES, schema

for name in MESSAGES:
    text = json.dumps(schema(name), indent=2) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
