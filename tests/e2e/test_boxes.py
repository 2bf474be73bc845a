"""The boxes that all other scenes stand on are boxes: an init, a way in, a plug."""

import pytest


def test_four_boxes_are_whole_machines_each_with_its_own_name_key_and_address(row):
    told = [
        row.ssh(box, "hostname; sudo systemctl is-system-running; python3 --version").split("\n")
        for box in row.boxes
    ]
    assert told == [[box.name, "running", "Python 3.11.2", ""] for box in row.boxes]
    assert len({box.host_key for box in row.boxes}) == len(row.boxes)


@pytest.mark.boxes(2)
def test_a_box_comes_back_from_a_reboot_and_from_a_pulled_plug_with_what_was_written(row):
    box, other = row.boxes
    box.sh("echo kept > /root/kept")
    other_boot = other.boot_id()
    box.reboot()
    assert box.sh("cat /root/kept") == "kept\n"
    box.cut()
    box.start()
    box.wait_up()
    assert row.ssh(box, "sudo cat /root/kept") == "kept\n"
    assert other.boot_id() == other_boot


@pytest.mark.boxes(2)
def test_a_box_sees_its_row_and_nothing_of_the_machine_it_runs_on(row):
    box, other = row.boxes
    assert sorted(box.sh("ls /sys/class/net").split()) == ["host0", "lo"]
    assert "SSH-2.0" in box.sh(f"exec 3<>/dev/tcp/{other.ip}/22; head -n 1 <&3")
    commands = box.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "pytest" not in commands
