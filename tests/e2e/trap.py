_step = Memory.step


def _step_and_stop(self, name, *words, **more):
    import os
    import signal
    import time
    from pathlib import Path

    _step(self, name, *words, **more)
    trap = Path("/run/trap")
    step, who, times = trap.read_text().split() if trap.exists() else ("", "", 0)
    if step != name:
        return
    if int(times) > 1:
        trap.write_text(f"{step} {who} {int(times) - 1}")
        return
    trap.unlink()
    Path("/run/trapped").touch()
    if who == "box":
        time.sleep(3600)
    os.kill(os.getpid(), signal.SIGKILL)


Memory.step = _step_and_stop
