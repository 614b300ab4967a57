import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { amount, Panel, rows } from "../src/viewer/panel";
import { fileName } from "../src/viewer/picture";
import { quantile, Statistics } from "../src/viewer/stats";
import { frame } from "./fakes/frame";

let statistics: Statistics;

function paint(at: number, inputMs = 0, bytes = 1000): void {
  const data = new Uint8Array(bytes);
  statistics.add({ frame: frame(1, { data }), decodeMs: 4, paintMs: 2, at, overtaken: 0 }, inputMs);
}

beforeEach(() => {
  vi.useFakeTimers();
  statistics = new Statistics();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("statistics", () => {
  it("are empty and calm before the first frame", () => {
    expect(statistics.snapshot(0)).toMatchObject({ frames: 0, fps: 0, latencyP50: null, bytesPerSecond: 0, decodeMs: 0 });
  });

  it("count frames a second by the time between them", () => {
    for (const at of [0, 50, 100, 150]) paint(at);
    expect(statistics.snapshot(150).fps).toBeCloseTo(20);
  });

  it("count nothing any more two seconds after the last frame", () => {
    for (const at of [0, 50, 100]) paint(at);
    expect(statistics.snapshot(2_200)).toMatchObject({ fps: 0, bytesPerSecond: 0, frames: 3 });
  });

  it("give bytes a second over the last two", () => {
    for (const at of [0, 500, 1000, 1500]) paint(at, 0, 50_000);
    expect(statistics.snapshot(1_500).bytesPerSecond).toBe(100_000);
  });

  it("give median and 95th percentile of the latency, of frames that answer an input only", () => {
    for (let each = 1; each <= 100; each++) paint(each, each);
    paint(101, 0);
    expect(statistics.snapshot(101)).toMatchObject({ latencyP50: 51, latencyP95: 96 });
  });

  it("give median and 95th percentile of decoding and painting, and the size of a frame", () => {
    for (let each = 1; each <= 100; each++) {
      const data = new Uint8Array(each * 10);
      statistics.add({ frame: frame(each, { data }), decodeMs: each, paintMs: each * 2, at: each, overtaken: 0 }, 0);
    }
    const found = statistics.snapshot(100);
    expect(found).toMatchObject({ decodeMs: 51, decodeP95: 96, paintMs: 102, paintP95: 192, frameBytes: 510 });
  });

  it("remember a bounded number of frames", () => {
    for (let each = 0; each < 1_000; each++) paint(0, each < 700 ? 1_000 : 10);
    expect(statistics.snapshot(0).latencyP95).toBe(10);
  });

  it("know what the picture was", () => {
    paint(0);
    expect(statistics.snapshot(0)).toMatchObject({ width: 800, height: 400, codec: "jpeg", renderMs: 6, encodeMs: 2 });
  });

  it("have quantiles of one value and of none", () => {
    expect(quantile([], 0.5)).toBeNull();
    expect(quantile([7], 0.95)).toBe(7);
  });
});

describe("the panel", () => {
  const read = (): ReturnType<Statistics["snapshot"]> => statistics.snapshot(performance.now());

  it("names every figure with its unit", () => {
    paint(performance.now(), 12.34);
    const found = Object.fromEntries(rows(read()));
    expect(found["Latency, median"]).toBe("12 ms");
    expect(found["Decode, median"]).toBe("4.0 ms");
    expect(found["Paint, 95 %"]).toBe("2.0 ms");
    expect(found.Frame).toBe("1 kB");
    expect(found.Bandwidth).toBe("500 B/s");
    expect(found.Picture).toBe("800 × 400 JPEG");
  });

  it("says a dash for what is not known", () => {
    expect(Object.fromEntries(rows(read()))).toMatchObject({ "Latency, 95 %": "–", Picture: "–", Frame: "–" });
  });

  it("calls codecs as people do, and says which could not be decoded", () => {
    statistics.add({ frame: frame(1, { codec: "vp9" }), decodeMs: 1, paintMs: 1, at: 0, overtaken: 0 }, 0);
    const found = Object.fromEntries(rows(statistics.snapshot(0, ["h264"])));
    expect(found.Picture).toBe("800 × 400 VP9");
    expect(found["H.264"]).toBe("could not be decoded here; pictures instead");
  });

  it("speaks of kilobytes and megabytes", () => {
    expect([999, 1500, 2_340_000].map(amount)).toEqual(["999 B", "2 kB", "2.3 MB"]);
  });

  it("is closed at first, and runs nothing while it is", () => {
    const panel = new Panel(read);
    panel.touch();
    expect(panel.open).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("runs while frames come, then stands still at zero", () => {
    const panel = new Panel(read);
    panel.toggle();
    paint(performance.now());
    paint(performance.now() + 20);
    panel.touch();
    vi.advanceTimersByTime(500);
    expect(panel.element.textContent).toContain("50 /s");
    vi.advanceTimersByTime(5_000);
    expect(panel.element.textContent).toContain("0.0 /s");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("stops when it is closed", () => {
    const panel = new Panel(read);
    panel.toggle();
    paint(performance.now());
    panel.touch();
    panel.toggle();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a screenshot's name", () => {
  it("has the view and the time, and nothing a file system would refuse", () => {
    expect(fileName("RenderView1/../x", new Date("2024-05-06T07:08:09Z"))).toBe(
      "pvlink-RenderView1_x-20240506-070809.png",
    );
  });
});
