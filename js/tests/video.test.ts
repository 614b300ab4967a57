import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "../src/protocol";
import { Video } from "../src/viewer/video";
import { FakeVideoFrame } from "./fakes/film";
import { film } from "./fakes/frame";
import { FakeChunk, FakeVideoDecoder } from "./fakes/videodecoder";

let said: string[];
let video: Video;
let order: number;

function take(...frames: Frame[]): void {
  for (const frame of frames) video.take({ frame, receivedAt: 0, order: ++order });
}

const RECLAIMED = new DOMException("Codec reclaimed due to inactivity.", "QuotaExceededError");

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
  vi.stubGlobal("EncodedVideoChunk", FakeChunk);
  FakeVideoDecoder.all.length = 0;
  FakeVideoDecoder.refuses = () => false;
  FakeVideoFrame.open.clear();
  [said, order] = [[], 0];
  video = new Video({
    decoded: ({ frame }, picture) => {
      picture.close();
      said.push(`decoded ${frame.id}`);
    },
    skipped: ({ frame }) => said.push(`skipped ${frame.id}`),
    refresh: () => said.push("refresh"),
    undecodable: ({ frame }) => said.push(`undecodable ${frame.id} ${frame.codec}`),
  });
});

afterEach(() => {
  video.forget();
  expect(vi.getTimerCount()).toBe(0);
  expect(FakeVideoFrame.open.size).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a video", () => {
  it("is configured by its first key frame, without a description, for low latency", () => {
    take(film(1, { key: true }), film(2), film(3, { key: true }));
    expect(FakeVideoDecoder.last.configs).toEqual([
      { codec: "avc1.42C01F", codedWidth: 800, codedHeight: 400, optimizeForLatency: true },
    ]);
    expect(FakeVideoDecoder.last.taken).toEqual(["key", "delta", "key"]);
  });

  it("asks once for a frame that needs no other, and answers those that come until then", () => {
    take(film(1), film(2));
    expect(said).toEqual(["skipped 1", "refresh", "skipped 2"]);
    take(film(3, { key: true }), film(4));
    FakeVideoDecoder.last.output(0);
    FakeVideoDecoder.last.output(1);
    expect(said.slice(3)).toEqual(["decoded 3", "decoded 4"]);
    video.forget();
    take(film(1));
    expect(said.slice(5)).toEqual(["skipped 1", "refresh"]);
  });

  it("is configured anew by a key frame of another size, config or codec, and decodes what is inside first", () => {
    take(film(1, { key: true }), film(2, { key: true, width: 400 }), film(3, { width: 400 }));
    take(film(4, { key: true, codec: "vp9", config: "vp09.00.61.08" }));
    expect(FakeVideoDecoder.last.configs.map(({ codec, codedWidth }) => [codec, codedWidth])).toEqual([
      ["avc1.42C01F", 800],
      ["avc1.42C01F", 400],
      ["vp09.00.61.08", 800],
    ]);
    for (const place of [0, 1, 2, 3]) FakeVideoDecoder.last.output(place);
    expect(said).toEqual(["decoded 1", "decoded 2", "decoded 3", "decoded 4"]);
  });

  it.each([{ width: 400 }, { codec: "vp9" as const }, { config: "avc1.640028" }])(
    "has no place for a frame of another kind that needs others: %j",
    (more) => {
      take(film(1, { key: true }), film(2, more));
      expect(said).toEqual(["skipped 2", "refresh"]);
      take(film(3));
      expect(said).toEqual(["skipped 2", "refresh", "skipped 3"]);
    },
  );

  it("that cannot be decoded is given up, with all that is on its way", () => {
    take(film(1, { key: true }), film(2));
    FakeVideoDecoder.last.fail(new DOMException("Decoding error.", "EncodingError"));
    take(film(3), film(4, { key: true }));
    expect(said).toEqual(["undecodable 1 h264", "skipped 2", "skipped 3", "skipped 4"]);
    take(film(5, { key: true, codec: "vp9" }));
    FakeVideoDecoder.last.output();
    expect(said.at(-1)).toBe("decoded 5");
  });

  it("of a kind that the browser does not know is given up, and not the one before it", () => {
    take(film(1, { key: true }));
    FakeVideoDecoder.refuses = ({ codec }) => codec === "av01";
    take(film(2, { key: true, codec: "av1", config: "av01" }));
    expect(said).toEqual(["undecodable 2 av1", "skipped 1"]);
  });

  it("whose decoder was taken away begins anew, and is not given up", () => {
    take(film(1, { key: true }));
    FakeVideoDecoder.last.output();
    FakeVideoDecoder.last.fail(RECLAIMED);
    expect(said).toEqual(["decoded 1"]);
    take(film(2), film(3, { key: true }));
    FakeVideoDecoder.last.fail(RECLAIMED);
    expect(said).toEqual(["decoded 1", "skipped 2", "refresh", "skipped 3", "refresh"]);
  });

  it("answers frames that the decoder swallowed", () => {
    take(film(1, { key: true }), film(2), film(3));
    FakeVideoDecoder.last.output(2);
    expect(said).toEqual(["skipped 1", "skipped 2", "decoded 3"]);
  });

  it("that stands still begins anew, and is given up when it does so again", () => {
    take(film(1, { key: true }));
    vi.advanceTimersByTime(4_000);
    expect(said).toEqual(["skipped 1", "refresh"]);
    take(film(2, { key: true }));
    vi.advanceTimersByTime(4_000);
    expect(said.slice(2)).toEqual(["undecodable 2 h264"]);
  });

  it("that stood still once, and went on, may do so again", () => {
    for (const id of [1, 3]) {
      take(film(id, { key: true }));
      vi.advanceTimersByTime(4_000);
      take(film(id + 1, { key: true }));
      FakeVideoDecoder.last.output();
    }
    expect(said.filter((each) => each.startsWith("undecodable"))).toEqual([]);
  });

  it("never has more inside than a second's worth, and answers what it drops", () => {
    take(film(0, { key: true }), ...Array.from({ length: 40 }, (_, each) => film(each + 1)));
    expect(said.filter((each) => each === "refresh")).toHaveLength(1);
    expect(said.filter((each) => each.startsWith("skipped"))).toHaveLength(41);
    expect(FakeVideoDecoder.all.map((each) => each.state)).toEqual(["closed"]);
  });

  it("takes no notice of a decoder that it has left", () => {
    take(film(1, { key: true }));
    const left = FakeVideoDecoder.last;
    video.forget();
    take(film(2, { key: true }));
    left.output();
    left.fail(new Error("late"));
    expect(said).toEqual([]);
  });
});
