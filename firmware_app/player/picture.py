"""The class's picture: from the decoder's planes to the screen, letterboxed, whatever its size.

Planes go to a texture as they are (YUV 4:2:0), and the graphics chip does the rest. Where there is
none, a picture of the screen's own size is turned into pixels where they are wanted, which costs
half of what a texture does.
"""

import ctypes
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from firmware_app.errors import PartLost
from firmware_app.player.sdl import sdl2, why

_BYTES = ctypes.POINTER(ctypes.c_ubyte)


class ClassPicture:
    """One streaming texture, made again when the class changes its size."""

    def __init__(self, renderer: Any, surface: Any = None) -> None:
        """Surface is where a renderer without a graphics chip draws."""
        self._renderer = renderer
        self._surface = surface
        self._planes: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._texture: Any = None
        self._size = (0, 0)
        self._shown: av.VideoFrame | None = None

    def draw(self, frame: av.VideoFrame, screen_px: tuple[int, int]) -> None:
        """Draw the frame as large as it fits; raise PartLost when there is no room for it."""
        if self.covers(frame, screen_px):
            self._fill(frame)
            return
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
            yuv = _planar(frame)
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

    def covers(self, frame: av.VideoFrame, screen_px: tuple[int, int]) -> bool:
        """Tell whether the frame becomes every pixel of the screen, without a texture."""
        even = frame.width % 2 == frame.height % 2 == 0
        return even and self._surface is not None and (frame.width, frame.height) == screen_px

    def _fill(self, frame: av.VideoFrame) -> None:
        """Turn the frame's planes into the surface's pixels."""
        rows = []
        for plane in _planar(frame).planes:
            padded = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            rows.append(padded[:, : plane.width].ravel())
        size = sum(map(len, rows))
        if len(self._planes) != size:
            self._planes = np.zeros(size, np.uint8)
        np.concatenate(rows, out=self._planes)
        onto = self._surface.contents
        sdl2.SDL_ConvertPixels(
            frame.width,
            frame.height,
            sdl2.SDL_PIXELFORMAT_IYUV,
            self._planes.ctypes.data_as(ctypes.c_void_p),
            frame.width,
            onto.format.contents.format,
            onto.pixels,
            onto.pitch,
        )

    def close(self) -> None:
        """Give the texture back."""
        if self._texture:
            sdl2.SDL_DestroyTexture(self._texture)
        self._texture, self._size, self._shown = None, (0, 0), None


def _planar(frame: av.VideoFrame) -> av.VideoFrame:
    if frame.format.name in ("yuv420p", "yuvj420p"):
        return frame
    return frame.reformat(format="yuv420p")


def letterbox(picture: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the picture on the screen, whole and undistorted."""
    scale = min(screen[0] / picture[0], screen[1] / picture[1])
    wide, high = round(picture[0] * scale), round(picture[1] * scale)
    return (screen[0] - wide) // 2, (screen[1] - high) // 2, wide, high
