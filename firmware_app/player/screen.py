"""The screen: the class's picture with panels over it, by SDL.

On a bike SDL drives the display itself (KMSDRM); on a desktop it opens a window; headless it draws
into memory with the same code, so what a test sees is what a rider sees.
"""

import ctypes
import os
from typing import Any

import av
import numpy as np
import structlog
from numpy.typing import NDArray
from PIL import Image

from firmware_app.errors import MissingPart, PartLost
from firmware_app.player.brush import Brush
from firmware_app.player.hands import Event
from firmware_app.player.hud import Placed, Scene
from firmware_app.player.panels import Panel
from firmware_app.player.picture import ClassPicture
from firmware_app.player.sdl import sdl2, why
from firmware_app.player.theme import Canvas, canvas

log = structlog.get_logger()

_REDRAW = (
    sdl2.SDL_WINDOWEVENT,
    sdl2.SDL_RENDER_TARGETS_RESET,
    sdl2.SDL_RENDER_DEVICE_RESET,
)


class Screen:
    """Draws scenes; belongs to the thread that made it."""

    def __init__(self, width_px: int, height_px: int, *, headless: bool, fullscreen: bool) -> None:
        """Open it; raise MissingPart when there is no display."""
        self._window = self._surface = None
        sdl2.SDL_SetHint(sdl2.SDL_HINT_NO_SIGNAL_HANDLERS, b"1")
        sdl2.SDL_SetHint(sdl2.SDL_HINT_RENDER_SCALE_QUALITY, b"linear")
        if headless:
            self._surface = sdl2.SDL_CreateRGBSurfaceWithFormat(
                0, width_px, height_px, 32, sdl2.SDL_PIXELFORMAT_XRGB8888
            )
            self._renderer = sdl2.SDL_CreateSoftwareRenderer(self._surface)
        else:
            self._window, self._renderer = _open_window(width_px, height_px, fullscreen=fullscreen)
        if not self._renderer:
            raise MissingPart(f"no renderer for the screen: {why()}; try --headless")
        self._textures: dict[Panel, Any] = {}
        self._picture = ClassPicture(self._renderer, self._surface)
        self._measure()
        self.painted = 0
        """Panels drawn since the start; stands still while nothing changes."""

    @property
    def canvas(self) -> Canvas:
        """The screen in units."""
        return self._canvas

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self._size

    @property
    def software(self) -> bool:
        """Draws without a graphics chip, at our pace rather than the display's."""
        return self._surface is not None

    def draw(self, scene: Scene, picture: av.VideoFrame | None) -> None:
        """Show the scene; picture is the class's newest, drawn when the scene wants one."""
        if not scene.picture:
            picture = None
        if picture is None or not self._picture.covers(picture, self._size):
            sdl2.SDL_SetRenderDrawColor(self._renderer, 0, 0, 0, 255)
            sdl2.SDL_RenderClear(self._renderer)
        if picture is not None:
            self._picture.draw(picture, self._size)
            if scene.dim:
                self._darken(scene.dim)
        for placed in scene.layers:
            self._put(placed, mirrored=scene.mirrored)
        self._forget(scene)
        if self._surface is not None:
            sdl2.SDL_RenderFlush(self._renderer)
        else:
            sdl2.SDL_RenderPresent(self._renderer)

    def pixels(self) -> NDArray[np.uint8]:
        """Return a copy of what is shown: (height, width, 4) as BGRX. Call before events()."""
        wide, high = self._size
        out = np.empty((high, wide, 4), np.uint8)
        if self._surface is not None:
            pitch, at = self._surface.contents.pitch, self._surface.contents.pixels
            raw = (ctypes.c_ubyte * (pitch * high)).from_address(at)
            out[:] = np.frombuffer(raw, np.uint8).reshape(high, pitch // 4, 4)[:, :wide]
        else:
            into = out.ctypes.data_as(ctypes.c_void_p)
            form = sdl2.SDL_PIXELFORMAT_XRGB8888
            if sdl2.SDL_RenderReadPixels(self._renderer, None, form, into, wide * 4) != 0:
                raise PartLost(f"the screen cannot be read: {why()}")
        return out

    def events(self) -> list[Event]:
        """Return what the rider did since the last call."""
        if self._window is None:
            return []
        found, event = [], sdl2.SDL_Event()
        while sdl2.SDL_PollEvent(ctypes.byref(event)):
            told = self._read(event)
            if told is not None:
                found.append(told)
        return found

    def close(self) -> None:
        """Give the display back."""
        for texture in self._textures.values():
            sdl2.SDL_DestroyTexture(texture)
        self._textures.clear()
        self._picture.close()
        sdl2.SDL_DestroyRenderer(self._renderer)
        if self._surface is not None:
            sdl2.SDL_FreeSurface(self._surface)
        else:
            sdl2.SDL_DestroyWindow(self._window)
            sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_VIDEO)

    def _measure(self) -> None:
        wide, high = ctypes.c_int(), ctypes.c_int()
        sdl2.SDL_GetRendererOutputSize(self._renderer, ctypes.byref(wide), ctypes.byref(high))
        self._size = (wide.value, high.value)
        self._canvas = canvas(*self._size)

    def _read(self, event: Any) -> Event | None:
        kind, told = event.type, None
        if kind == sdl2.SDL_QUIT:
            told = Event("quit")
        elif kind == sdl2.SDL_KEYDOWN:
            name = sdl2.SDL_GetKeyName(event.key.keysym.sym).decode(errors="replace")
            told = Event("key", key=name.lower())
        elif kind == sdl2.SDL_FINGERDOWN:
            at = event.tfinger
            told = Event("touch", at.x * self._size[0], at.y * self._size[1])
        elif kind == sdl2.SDL_MOUSEBUTTONDOWN and event.button.which != sdl2.SDL_TOUCH_MOUSEID:
            told = Event("touch", float(event.button.x), float(event.button.y))
        elif kind in _REDRAW:
            self._drop_textures()  # sizes changed, or the graphics chip forgot them
            self._measure()
            told = Event("exposed")
        return told

    def _darken(self, share: float) -> None:
        sdl2.SDL_SetRenderDrawBlendMode(self._renderer, sdl2.SDL_BLENDMODE_BLEND)
        sdl2.SDL_SetRenderDrawColor(self._renderer, 5, 9, 12, round(share * 255))
        sdl2.SDL_RenderFillRect(self._renderer, None)

    def _put(self, placed: Placed, *, mirrored: bool) -> None:
        texture = self._textures.get(placed.panel)
        if texture is None:
            texture = self._paint(placed.panel, mirrored=mirrored)
            self._textures[placed.panel] = texture
        wide, high = ctypes.c_int(), ctypes.c_int()
        sdl2.SDL_QueryTexture(texture, None, None, ctypes.byref(wide), ctypes.byref(high))
        scale = self._canvas.scale
        at = sdl2.SDL_Rect(round(placed.x * scale), round(placed.y * scale), wide.value, high.value)
        sdl2.SDL_SetTextureAlphaMod(texture, round(placed.share * 255))
        sdl2.SDL_RenderCopy(self._renderer, texture, None, at)

    def _paint(self, panel: Panel, *, mirrored: bool) -> Any:
        brush = Brush(panel.width, panel.height, self._canvas.scale, mirrored=mirrored)
        panel.paint(brush)
        self.painted += 1
        return self._upload(brush.image)

    def _upload(self, image: Image.Image) -> Any:
        data = image.tobytes("raw", "BGRA")
        texture = sdl2.SDL_CreateTexture(
            self._renderer,
            sdl2.SDL_PIXELFORMAT_ARGB8888,
            sdl2.SDL_TEXTUREACCESS_STATIC,
            *image.size,
        )
        if not texture:
            raise PartLost(f"the screen has no room for a panel: {why()}")
        sdl2.SDL_UpdateTexture(texture, None, data, image.width * 4)
        opaque = image.getchannel("A").getextrema() == (255, 255)  # a copy costs less than a blend
        mode = sdl2.SDL_BLENDMODE_NONE if opaque else sdl2.SDL_BLENDMODE_BLEND
        sdl2.SDL_SetTextureBlendMode(texture, mode)
        return texture

    def _forget(self, scene: Scene) -> None:
        shown = {placed.panel for placed in scene.layers}
        for panel in [p for p in self._textures if p not in shown]:
            sdl2.SDL_DestroyTexture(self._textures.pop(panel))

    def _drop_textures(self) -> None:
        for texture in self._textures.values():
            sdl2.SDL_DestroyTexture(texture)
        self._textures.clear()
        self._picture.close()


def _open_window(width_px: int, height_px: int, *, fullscreen: bool) -> tuple[Any, Any]:
    """Return a window and its renderer; raise MissingPart when there is no display."""
    if sdl2.SDL_InitSubSystem(sdl2.SDL_INIT_VIDEO) != 0:
        raise MissingPart(f"no display: {why()}; connect one, or add --headless")
    driver = sdl2.SDL_GetCurrentVideoDriver().decode()
    if driver in ("offscreen", "dummy") and not os.environ.get("SDL_VIDEODRIVER"):
        sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_VIDEO)
        raise MissingPart("no display found; connect one, or add --headless")
    flags = sdl2.SDL_WINDOW_SHOWN | sdl2.SDL_WINDOW_RESIZABLE
    if fullscreen:
        flags |= sdl2.SDL_WINDOW_FULLSCREEN_DESKTOP
    middle = sdl2.SDL_WINDOWPOS_CENTERED
    window = sdl2.SDL_CreateWindow(b"Bikebox", middle, middle, width_px, height_px, flags)
    if not window:
        raise MissingPart(f"the display ({driver}) opens no window: {why()}; try --headless")
    if fullscreen:
        sdl2.SDL_ShowCursor(sdl2.SDL_DISABLE)
    renderer = sdl2.SDL_CreateRenderer(window, -1, sdl2.SDL_RENDERER_PRESENTVSYNC)
    log.info("screen_open", driver=driver)
    return window, renderer
