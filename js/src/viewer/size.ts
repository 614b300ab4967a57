// How many device pixels an element covers, told when it rests.

import { LIMITS, type Size } from "../protocol";

// Resizing the view costs a render and new shared memory: not for every step of a drag.
const REST_MS = 100;

const side = (pixels: number): number => {
  const [least, most] = LIMITS.Size.width;
  return Math.min(most, Math.max(least, Math.round(pixels)));
};

// Browsers know exactly how many device pixels a box covers (not Safari); CSS pixels times the ratio may be one off.
// Where the two are further apart (Chromium under an emulated ratio) the ratio is what the page is painted with.
function deviceSide(exact: number | undefined, reckoned: number): number {
  return exact !== undefined && Math.abs(exact - reckoned) <= 1 ? exact : reckoned;
}

// What an observer's entry says in device pixels; null for an element that is not shown.
export function measure(entry: ResizeObserverEntry, ratio: number): Size | null {
  const exact = entry.devicePixelContentBoxSize?.[0];
  const width = deviceSide(exact?.inlineSize, entry.contentRect.width * ratio);
  const height = deviceSide(exact?.blockSize, entry.contentRect.height * ratio);
  return width >= 1 && height >= 1 ? { width: side(width), height: side(height) } : null;
}

// The first size is told at once, later ones when they have rested.
export function watchSize(element: Element, changed: (size: Size) => void, signal: AbortSignal): void {
  let told: Size | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (size: Size): void => {
    if (told && told.width === size.width && told.height === size.height) return;
    told = size;
    changed(size);
  };
  const observer = new ResizeObserver((entries) => {
    const entry = entries[entries.length - 1];
    const size = entry && measure(entry, devicePixelRatio);
    clearTimeout(timer);
    if (!size) return;
    if (told) timer = setTimeout(() => tell(size), REST_MS);
    else tell(size);
  });
  observe(observer, element);
  const stopRatio = watchRatio(() => {
    observer.unobserve(element);
    observe(observer, element);
  });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    observer.disconnect();
    stopRatio();
  });
}

function observe(observer: ResizeObserver, element: Element): void {
  try {
    observer.observe(element, { box: "device-pixel-content-box" });
  } catch {
    // Safari does not know this box.
    observer.observe(element);
  }
}

// A window dragged to another screen, or a zoom. The query names the ratio, so each change needs a new one.
function watchRatio(changed: () => void): () => void {
  let query: MediaQueryList;
  const again = (): void => {
    query.removeEventListener("change", again);
    watch();
    changed();
  };
  const watch = (): void => {
    query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", again);
  };
  watch();
  return () => query.removeEventListener("change", again);
}
