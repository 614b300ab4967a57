"""What a person would see, remembered in the page: each picture when it is painted, each move when it was made.

A picture is an <img> that has loaded (all peers show one, from a blob), or the event that pvlink's view dispatches when
it has painted. It counts at the start of the browser's next drawing, so two that come between drawings count once.
Whether it shows something else than the one before is looked at afterwards, on thumbnails: looking costs time that the
drag must not pay, and a picture that comes again in a better quality shows nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Frame

# Share of a thumbnail's pixels that must differ: one view in two qualities differs in none, after a move of 5 pixels in
# more than one in a hundred.
CHANGED = 0.002

REMEMBER = """
(() => {
  const absolute = (at) => performance.timeOrigin + at;
  const eyes = (window.benchEyes = { pictures: [], moves: [], newest: 0, closely: true });
  const SMALL = { resizeWidth: 160, resizeHeight: 90, resizeQuality: 'medium' };

  // The blobs behind the addresses: pages revoke these as soon as they may.
  const blobs = new Map();
  const create = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (source) => {
    const url = create(source);
    blobs.set(url, source);
    if (blobs.size > 64) blobs.delete(blobs.keys().next().value);
    return url;
  };

  let next = null;
  const paints = (picture) => {
    if (next === null) {
      requestAnimationFrame(() => {
        eyes.newest = absolute(performance.now());
        eyes.pictures.push({ ...next, at: eyes.newest });
        next = null;
      });
    }
    next = picture;
  };
  document.addEventListener('load', ({ target }) => {
    // Not the page's icons and logos.
    if (!(target instanceof HTMLImageElement) || target.naturalWidth < 200 || target.naturalHeight < 200) return;
    const blob = blobs.get(target.src);
    if (blob) paints({ width: target.naturalWidth, height: target.naturalHeight, blob });
  }, true);
  addEventListener('pvlink:painted', (event) => {
    const host = event.composedPath()[0];
    const { width, height, inputMs, still } = event.detail;
    // A picture that answers no new input is an old one in a better quality.
    if (!inputMs) return paints({ width, height, still, changed: 0 });
    // In a drag its word is taken: to copy each picture would cost it frames.
    if (!eyes.closely) return paints({ width, height, changed: 1 });
    const film = host.querySelector('.pvlink-film');
    const seen = film?.style.visibility === 'visible' ? film : host.querySelector('.pvlink-picture');
    paints({ width, height, small: createImageBitmap(seen, SMALL) });
  }, true);
  for (const kind of ['pointerdown', 'pointermove', 'pointerup']) {
    addEventListener(kind, (event) => eyes.moves.push(absolute(event.timeStamp)), true);
  }

  const thumbnail = new OffscreenCanvas(160, 90).getContext('2d', { willReadFrequently: true });
  let before = null;
  const look = (small) => {
    thumbnail.drawImage(small, 0, 0);
    const { data } = thumbnail.getImageData(0, 0, 160, 90);
    let different = 0;
    for (let i = 0; before && i < data.length; i += 4) {
      const by = (channel) => Math.abs(data[i + channel] - before[i + channel]);
      if (Math.max(by(0), by(1), by(2)) > 16) different += 1;
    }
    const share = before ? different / 14400 : 1;
    before = data;
    return share;
  };
  // Answers and forgets.
  eyes.take = async () => {
    const moves = eyes.moves.splice(0);
    const pictures = [];
    for (const { blob, small, ...picture } of eyes.pictures.splice(0)) {
      const copy = blob ? createImageBitmap(blob, SMALL) : small;
      pictures.push(copy ? { ...picture, changed: look(await copy) } : picture);
    }
    return { moves, pictures };
  };
})();
"""
TAKE = "() => benchEyes.take()"


@dataclass(frozen=True)
class Picture:
    """When it was painted, in milliseconds of the clock that all frames share, and how much of it is new."""

    at: float
    width: int
    height: int
    changed: float
    # Without loss, as far as it says so.
    still: bool = False

    @property
    def news(self) -> bool:
        return self.changed > CHANGED


@dataclass(frozen=True)
class Seen:
    # When the hand acted.
    moves: Sequence[float]
    pictures: Sequence[Picture]

    @property
    def news(self) -> list[Picture]:
        return [picture for picture in self.pictures if picture.news]


def take(frame: Frame) -> Seen:
    """What was seen since this was last asked."""
    found = frame.evaluate(TAKE)
    return Seen(found["moves"], [Picture(**picture) for picture in found["pictures"]])


def closely(frame: Frame, yes: bool) -> None:
    """Whether to copy what only an event tells of."""
    frame.evaluate("yes => { benchEyes.closely = yes; }", yes)


def newest(frame: Frame) -> float:
    """When the latest picture was painted."""
    return float(frame.evaluate("benchEyes.newest"))


def first_of(frame: Frame, size: tuple[int, int], patience: float = 90.0) -> float:
    """When the first picture of that size was painted; views begin smaller than they become."""
    width, height = size
    fits = (
        f"benchEyes.pictures.find(each => Math.abs(each.width - {width}) < 3 && Math.abs(each.height - {height}) < 3)"
    )
    frame.wait_for_function(f"!!{fits}", polling=20, timeout=patience * 1e3)
    return float(frame.evaluate(f"{fits}.at"))
