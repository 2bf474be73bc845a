"""Every scene here has whole boxes; a machine that cannot make them says so, and why."""

import pytest
from boxes import why_not
from fake_release import Foundry, updater_tree
from real_release import build
from row import Row
from updates import set_up


@pytest.fixture(scope="session", autouse=True)
def _whole_boxes():
    """Fail, and do not skip, where boxes cannot be made: whoever asks for these wants them."""
    if lacking := why_not():
        pytest.exit(f"make e2e: {lacking}", returncode=1)


@pytest.fixture
def row(tmp_path, request):
    """A row of running boxes; four, or as many as @pytest.mark.boxes(n) says."""
    mark = request.node.get_closest_marker("boxes")
    with Row(tmp_path / "row", mark.args[0] if mark else 4) as row:
        yield row


@pytest.fixture(scope="session")
def foundry(tmp_path_factory):
    """Who makes and signs releases."""
    return Foundry(tmp_path_factory.mktemp("foundry"))


@pytest.fixture(scope="session")
def real_release(tmp_path_factory, foundry):
    """The bundle of this repository for this machine's kind of box."""
    return build(tmp_path_factory.mktemp("shipped"), foundry.key)


@pytest.fixture(scope="session")
def updater(tmp_path_factory):
    """The updater of this repository, as it is installed."""
    return updater_tree(tmp_path_factory.mktemp("updater") / "tree")


@pytest.fixture
def updatable(row, foundry, updater):
    """A row of boxes with an updater that trusts the foundry, and no release yet."""
    for box in row.boxes:
        set_up(box, foundry, updater)
    return row
