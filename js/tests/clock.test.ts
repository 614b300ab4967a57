import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Beat, beforeRepaint } from "../src/viewer/clock";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("work before the next repaint", () => {
  it("is done once, in the next frame", () => {
    const work = vi.fn();
    beforeRepaint(work);
    vi.advanceTimersByTime(17);
    vi.advanceTimersByTime(1000);
    expect(work).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait for a frame that never comes", () => {
    vi.stubGlobal("requestAnimationFrame", () => 1);
    vi.stubGlobal("cancelAnimationFrame", () => undefined);
    const work = vi.fn();
    beforeRepaint(work);
    vi.advanceTimersByTime(200);
    expect(work).toHaveBeenCalledOnce();
    vi.unstubAllGlobals();
  });

  it("is done at once on a hidden page", () => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    const work = vi.fn();
    beforeRepaint(work);
    expect(work).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("can be called off", () => {
    const work = vi.fn();
    beforeRepaint(work)();
    vi.advanceTimersByTime(1000);
    expect(work).not.toHaveBeenCalled();
  });
});

describe("a beat", () => {
  it("works once, however often it is asked", () => {
    const work = vi.fn();
    const beat = new Beat(work);
    for (let each = 0; each < 9; each++) beat.ask();
    vi.advanceTimersByTime(17);
    expect(work).toHaveBeenCalledOnce();
    expect(beat.pending).toBe(false);
  });

  it("can be asked again from within its work", () => {
    let left = 3;
    const beat = new Beat(() => {
      if (--left > 0) beat.ask();
    });
    beat.ask();
    vi.advanceTimersByTime(500);
    expect(left).toBe(0);
  });

  it("is not stuck when the work was done at once", () => {
    const work = vi.fn();
    const beat = new Beat(work, (now) => {
      now();
      return () => undefined;
    });
    beat.ask();
    beat.ask();
    expect(work).toHaveBeenCalledTimes(2);
  });
});
