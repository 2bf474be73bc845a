"""A laptop from nothing: a fresh clone looks after bikes and builds what they are updated with."""

import json
import subprocess
import tarfile

import pytest
from boxes import REPOSITORY, run
from fake_release import new_key

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What `git clone` gives, and nothing else of this machine's."""
    folder = tmp_path_factory.mktemp("laptop") / "bikebox"
    run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(folder)])
    return folder


def typed(clone, line, within_s):
    """Type a line of the guide in the clone; return what was said."""
    path = f"export PATH={clone}/.venv/bin:$PATH; cd {clone}; {line}"
    done = subprocess.run(
        ["bash", "-c", path], capture_output=True, text=True, check=False, timeout=within_s
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_fresh_clone_looks_after_bikes_and_builds_a_release(clone):
    typed(clone, "make models", 600)
    typed(clone, "make fleet", 600)
    assert "provision" in typed(clone, "bikebox fleet --help", 30)
    new_key(clone / "release.key")
    # the guide's line, for this machine's kind of box alone: the others take minutes more
    line = "bikebox release build --key release.key"
    said = typed(clone, f"{line} --arch x86_64 --python 3.11", 900)
    (bundle,) = (clone / "dist").glob("*.bundle")
    assert bundle.name in said
    with tarfile.open(bundle) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    assert (manifest["arch"], manifest["python"]) == ("x86_64", "3.11")
    assert list((clone / "dist").glob("*.json")), "its SBOM beside it"
