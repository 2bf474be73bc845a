"""The class's picture: from the decoder's planes to a texture, letterboxed, whatever its size.

Planes go to SDL as they are (YUV 4:2:0), without a copy of ours and without numpy.
"""

import ctypes
from typing import Any

import av

from firmware_app.errors import PartLost
from firmware_app.player.sdl import sdl2, why

_BYTES = ctypes.POINTER(ctypes.c_ubyte)


class ClassPicture:
    """One streaming texture, made again when the class changes its size."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._texture: Any = None
        self._size = (0, 0)
        self._shown: av.VideoFrame | None = None

    def draw(self, frame: av.VideoFrame, screen_px: tuple[int, int]) -> None:
        """Draw the frame as large as it fits; raise PartLost when there is no room for it."""
        if (frame.width, frame.height) != self._size:
            self.close()
            self._texture = sdl2.SDL_CreateTexture(
                self._renderer,
                sdl2.SDL_PIXELFORMAT_IYUV,
                sdl2.SDL_TEXTUREACCESS_STREAMING,
                frame.width,
                frame.height,
            )
            if not self._texture:
                raise PartLost(f"no room for a picture of {frame.width}x{frame.height}: {why()}")
            self._size = (frame.width, frame.height)
        if frame is not self._shown:
            yuv = (
                frame
                if frame.format.name in ("yuv420p", "yuvj420p")
                else frame.reformat(format="yuv420p")
            )
            planes = [
                part
                for plane in yuv.planes
                for part in (ctypes.cast(plane.buffer_ptr, _BYTES), plane.line_size)
            ]
            sdl2.SDL_UpdateYUVTexture(self._texture, None, *planes)
            self._shown = frame
        left, top, wide, high = letterbox(self._size, screen_px)
        sdl2.SDL_RenderCopy(
            self._renderer, self._texture, None, sdl2.SDL_Rect(left, top, wide, high)
        )

    def close(self) -> None:
        """Give the texture back."""
        if self._texture:
            sdl2.SDL_DestroyTexture(self._texture)
        self._texture, self._size, self._shown = None, (0, 0), None


def letterbox(picture: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the picture on the screen, whole and undistorted."""
    scale = min(screen[0] / picture[0], screen[1] / picture[1])
    wide, high = round(picture[0] * scale), round(picture[1] * scale)
    return (screen[0] - wide) // 2, (screen[1] - high) // 2, wide, high
