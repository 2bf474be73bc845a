"""SDL as we use it: loaded quietly, its failures as our errors."""

import warnings

with warnings.catch_warnings():  # it announces at import which of its own binaries it found
    warnings.simplefilter("ignore")
    import sdl2  # type: ignore[import-untyped]  # PySDL2 has no stubs

__all__ = ["sdl2", "why"]


def why() -> str:
    """Return what SDL says went wrong last."""
    said: bytes = sdl2.SDL_GetError()
    return said.decode(errors="replace") or "SDL gives no reason"
