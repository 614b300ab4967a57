import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Size } from "../src/protocol";
import { measure, watchSize } from "../src/viewer/size";
import { watchVisibility } from "../src/viewer/visibility";
import { FakeIntersectionObserver, FakeResizeObserver, lastOf } from "./fakes/observers";

let life: AbortController;
let sizes: Size[];
let ratioChanged: (() => void) | null;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  vi.stubGlobal("IntersectionObserver", FakeIntersectionObserver);
  vi.stubGlobal("matchMedia", () => ({
    addEventListener: (_: string, listener: () => void) => (ratioChanged = listener),
    removeEventListener: () => (ratioChanged = null),
  }));
  FakeResizeObserver.knowsDevicePixels = true;
  life = new AbortController();
  sizes = [];
  ratioChanged = null;
});

afterEach(() => {
  life.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const watch = (): FakeResizeObserver => {
  watchSize(document.body, (size) => sizes.push(size), life.signal);
  return lastOf(FakeResizeObserver.all);
};

describe("the size", () => {
  it("is told at once the first time", () => {
    watch().see(800, 600);
    expect(sizes).toEqual([{ width: 800, height: 600 }]);
  });

  it("is told when it has rested, not while it is dragged", () => {
    const observer = watch();
    observer.see(800, 600);
    for (const height of [610, 620, 630, 640]) {
      observer.see(800, height);
      vi.advanceTimersByTime(60);
    }
    expect(sizes).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(sizes[1]).toEqual({ width: 800, height: 640 });
  });

  it("is not told again when it came back to what it was", () => {
    const observer = watch();
    observer.see(800, 600);
    observer.see(900, 600);
    observer.see(800, 600);
    vi.advanceTimersByTime(1000);
    expect(sizes).toHaveLength(1);
  });

  it("is nothing for an element that is not shown", () => {
    const observer = watch();
    observer.see(0, 0);
    expect(sizes).toEqual([]);
    observer.see(800, 600);
    observer.see(0, 0);
    vi.advanceTimersByTime(1000);
    expect(sizes).toHaveLength(1);
  });

  it("is never more than the streamer takes", () => {
    watch().see(100_000, 50);
    expect(sizes).toEqual([{ width: 8192, height: 50 }]);
  });

  it("is measured in device pixels where the browser knows them, and reckoned where it does not", () => {
    const rect = { width: 100.4, height: 50 } as DOMRectReadOnly;
    const exact = [{ inlineSize: 151, blockSize: 75 }];
    const knows = { contentRect: rect, devicePixelContentBoxSize: exact } as unknown as ResizeObserverEntry;
    expect(measure(knows, 1.5)).toEqual({ width: 151, height: 75 });
    expect(measure({ contentRect: rect } as ResizeObserverEntry, 2)).toEqual({ width: 201, height: 100 });
  });

  it("is reckoned where the browser's own count has nothing to do with the ratio", () => {
    const exact = [{ inlineSize: 100, blockSize: 50 }];
    const emulated = { contentRect: { width: 100, height: 50 }, devicePixelContentBoxSize: exact };
    expect(measure(emulated as unknown as ResizeObserverEntry, 2)).toEqual({ width: 200, height: 100 });
  });

  it("is watched in Safari too", () => {
    FakeResizeObserver.knowsDevicePixels = false;
    const observer = watch();
    expect(observer.boxes).toEqual([undefined]);
    observer.see(10, 10);
    expect(sizes).toHaveLength(1);
  });

  it("is measured again when the window comes to another screen", () => {
    const observer = watch();
    ratioChanged?.();
    expect(observer.boxes).toHaveLength(2);
    expect(ratioChanged).not.toBeNull();
  });

  it("is nobody's business any more when the viewer is gone", () => {
    const observer = watch();
    observer.see(1, 1);
    observer.see(2, 2);
    life.abort();
    vi.advanceTimersByTime(1000);
    expect(sizes).toHaveLength(1);
    expect(observer.watched.size).toBe(0);
    expect(ratioChanged).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("visibility", () => {
  let seen: boolean[];

  const look = (): FakeIntersectionObserver => {
    seen = [];
    watchVisibility(document.body, (visible) => seen.push(visible), life.signal);
    return lastOf(FakeIntersectionObserver.all);
  };

  const hidePage = (hidden: boolean): void => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(hidden ? "hidden" : "visible");
    document.dispatchEvent(new Event("visibilitychange"));
  };

  it("is told when it changes, and only then", () => {
    const observer = look();
    observer.see(true);
    observer.see(false);
    observer.see(false);
    observer.see(true);
    expect(seen).toEqual([false, true]);
  });

  it("needs the page and the cell", () => {
    const observer = look();
    hidePage(true);
    observer.see(false);
    hidePage(false);
    expect(seen).toEqual([false]);
    observer.see(true);
    expect(seen).toEqual([false, true]);
  });

  it("is told at once when the page is hidden from the start", () => {
    hidePage(true);
    look();
    expect(seen).toEqual([false]);
  });
});
