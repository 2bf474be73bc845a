"""Lists what a release is made of, as CycloneDX 1.5 JSON: for licences, and for the next CVE."""

import hashlib
import json
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any


def sbom(folder: Path, version: str) -> str:
    """Return the parts of a built release: every package of lib and speech/lib, every model.

    Each stands there once, though the voice, a program of its own, brings some a second time.
    """
    packages = [
        _package(HeaderParser().parsestr((info / "METADATA").read_text(encoding="utf-8")))
        for info in sorted(folder.glob("**/lib/*.dist-info"))
        if not info.name.startswith("bikebox-")
    ]
    packages = list({package["bom-ref"]: package for package in packages}.values())
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "bikebox",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": packages + [_model(path) for path in sorted((folder / "models").iterdir())],
    }
    return json.dumps(told, indent=1) + "\n"


def _package(told: Message) -> dict[str, Any]:
    name, version = str(told["Name"]), str(told["Version"])
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    part: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "bom-ref": purl,
        "purl": purl,
    }
    if licence := _licence(told):
        part["licenses"] = [licence]
    return part


def _licence(told: Message) -> dict[str, Any] | None:
    if expression := told["License-Expression"]:
        return {"expression": str(expression)}
    kinds = [
        str(kind).rpartition(" :: ")[2]
        for kind in told.get_all("Classifier", [])
        if str(kind).startswith("License ::")
    ]
    words = " AND ".join(kinds) or str(told["License"] or "").strip().split("\n")[0]
    return {"license": {"name": words}} if words else None


def _model(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "type": "machine-learning-model" if path.suffix == ".tflite" else "file",
        "name": path.name,
        "version": digest[:12],
        "bom-ref": f"file:{path.name}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
