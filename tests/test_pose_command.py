"""`bikebox pose` and `bikebox bench`: what they promise to the programs that read them."""

import argparse
import json
from pathlib import Path

import av
import numpy as np
import pytest

from firmware_app.cli import main
from firmware_app.commands import bench, pose
from firmware_app.commands.demo import RIDES
from firmware_app.errors import BadInput
from firmware_app.vision.skeleton import draw
from firmware_app.wire import Landmark, PoseFrame

RIDER = Path(__file__).parent / "recordings" / "rider_side.mp4"
MODELS = Path(__file__).parents[1] / ".cache" / "models"
FRAMES = 62


def run(command, *words):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pose")
    out, overlay = folder / "pose.jsonl", folder / "overlay.mp4"
    assert run(pose, RIDER, "--json", out, "--overlay", overlay, "--models", MODELS) == 0
    return [json.loads(line) for line in out.read_text().splitlines()], overlay


def test_every_frame_of_a_video_has_its_line_and_its_time(found):
    lines, _ = found
    assert len(lines) == FRAMES
    times_s = [line["t_s"] for line in lines]
    assert times_s[:60] == pytest.approx([n / 15 for n in range(60)], abs=1e-5)
    assert times_s[61] - times_s[60] > 0.2, "the clip's cut lost frames before its last"


def test_a_line_holds_what_it_promises(found):
    line = found[0][-1]
    assert set(line) == {"t_s", "present", "landmarks", "world", "snr_db"}
    assert line["present"] is True
    assert [len(point) for point in line["landmarks"]] == [5] * 33
    assert [len(point) for point in line["world"]] == [3] * 33
    x_px, y_px, _, visibility, presence = line["landmarks"][11]
    assert 0 < x_px < 640
    assert 0 < y_px < 480
    assert 0 <= visibility <= 1
    assert 0 <= presence <= 1
    assert line["snr_db"] > 24


def test_the_overlay_is_the_whole_video_again(found):
    with av.open(str(found[1])) as film:
        assert film.streams.video[0].width == 640
        assert sum(1 for _ in film.decode(video=0)) == FRAMES


def test_poses_go_to_standard_output_when_asked(capsys):
    assert run(pose, RIDER, "--json", "-", "--model", "full", "--models", MODELS) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == FRAMES
    assert f"{FRAMES} frames" in said.err


def test_a_videos_own_times_need_not_count(tmp_path):
    out = tmp_path / "pose.jsonl"
    assert run(pose, RIDER, "--json", out, "--fps", 30, "--models", MODELS) == 0
    times_s = [json.loads(line)["t_s"] for line in out.read_text().splitlines()]
    assert times_s == pytest.approx([n / 30 for n in range(FRAMES)], abs=1e-5)
    with pytest.raises(BadInput, match="--fps 0 is no pace"):
        run(pose, RIDER, "--json", out, "--fps", 0, "--models", MODELS)


def test_a_file_that_is_no_video_ends_with_a_sentence_and_78(tmp_path, capsys):
    path = tmp_path / "ride.mp4"
    path.write_text("not a film")
    assert main(["pose", str(path), "--json", "-", "--models", str(MODELS)]) == 78
    said = capsys.readouterr()
    assert "cannot be played" in said.err
    assert said.out == ""


def test_the_bench_tells_what_a_pose_costs(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "MEASURED", 20)
    out = tmp_path / "bench.json"
    assert run(bench, "--json", out, "--models", MODELS) == 0
    figures = json.loads(out.read_text())
    assert figures["model"] == "full"
    assert figures["threads"] == 1
    assert figures["runtime"].split()[0] in ("tflite-runtime", "ai-edge-litert")
    assert 0 < figures["invoke_cpu_ms"] < figures["pipeline_cpu_ms"]
    assert 1 < figures["pipeline_over_invoke"] < 2
    assert figures["p95_ms"] > 0
    assert 0 < figures["start_ms"] < 10_000
    assert figures["rss_mb"] > 50


def test_the_bench_refuses_a_video_without_a_rider(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "WARM_UP", FRAMES)
    with pytest.raises(bench.BadInput, match="shows a rider in 0 frames"):
        run(bench, "--json", tmp_path / "b.json", "--video", RIDER, "--models", MODELS)


def test_the_overlay_says_why_a_pose_is_not_judged_by():
    def drawn(**how):
        picture = np.zeros((480, 640, 3), np.uint8)
        landmarks = how.pop("landmarks", ((Landmark(600.0, 400.0, 0.0, 1.0, 1.0),) * 33))
        draw(PoseFrame(t_s=0.0, frame=0, width_px=640, height_px=480, landmarks=landmarks, **how),
             picture)  # fmt: skip
        return picture[:60, :300].any()

    assert not drawn()
    for how in ({"too_dark": True}, {"landmarks": ()}, {"jumped": True}, {"framing": "too far"}):
        assert drawn(**how)


@pytest.mark.parametrize(("width", "height"), [(333, 251), (1, 1), (90, 160)])
def test_a_video_of_any_size_has_its_poses_and_its_overlay(tmp_path, width, height):
    video, overlay = tmp_path / "odd.mkv", tmp_path / "overlay.mp4"
    with av.open(str(video), "w") as film:
        stream = film.add_stream("ffv1", rate=15, width=width, height=height, pix_fmt="bgr0")
        for level in (0, 128, 255):
            grey = np.full((height, width, 3), level, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24")))
        film.mux(stream.encode(None))
    out = tmp_path / "poses.jsonl"
    assert run(pose, video, "--json", out, "--overlay", overlay, "--models", MODELS) == 0
    assert [json.loads(line)["present"] for line in out.read_text().splitlines()] == [False] * 3
    with av.open(str(overlay)) as film:
        shown = film.streams.video[0]
        assert (shown.width, shown.height) == (width + width % 2, height + height % 2)


def test_a_video_that_breaks_off_gives_its_poses_and_says_so(tmp_path):
    cut, out = tmp_path / "cut.mp4", tmp_path / "poses.jsonl"
    cut.write_bytes((RIDES / "front.mp4").read_bytes()[:20_000])
    with pytest.raises(BadInput, match=r"cut\.mp4 breaks off: \d of 937 pictures"):
        run(pose, cut, "--json", out, "--models", MODELS)
    assert out.read_text().splitlines()
