import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Codecs } from "../src/viewer/codecs";
import { FakeVideoDecoder } from "./fakes/videodecoder";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
  FakeVideoDecoder.supported = () => Promise.resolve(true);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what a browser decodes", () => {
  it("is pictures where there is no WebCodecs", async () => {
    vi.unstubAllGlobals();
    const codecs = new Codecs();
    await codecs.learn();
    expect(codecs.offered).toEqual(["jpeg", "png"]);
  });

  it("is what it says, asked once, for frames that come out as they go in", async () => {
    const asked: VideoDecoderConfig[] = [];
    FakeVideoDecoder.supported = (config) => {
      asked.push(config);
      return config.codec.startsWith("av01") ? Promise.reject(new TypeError("?")) : Promise.resolve(true);
    };
    const codecs = new Codecs();
    await Promise.all([codecs.learn(), codecs.learn()]);
    expect(codecs.offered).toEqual(["jpeg", "png", "h264", "vp9"]);
    expect(asked).toHaveLength(3);
    expect(asked.every((config) => config.optimizeForLatency)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is pictures for a browser that takes long to say, until it has", async () => {
    let answer: (yes: boolean) => void = () => undefined;
    FakeVideoDecoder.supported = ({ codec }) =>
      codec.startsWith("vp09") ? new Promise((done) => (answer = done)) : Promise.resolve(false);
    const codecs = new Codecs();
    const learnt = codecs.learn();
    await vi.advanceTimersByTimeAsync(300);
    await learnt;
    expect(codecs.offered).toEqual(["jpeg", "png"]);
    answer(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(codecs.offered).toEqual(["jpeg", "png", "vp9"]);
  });

  it("is not what has failed", async () => {
    const codecs = new Codecs();
    await codecs.learn();
    codecs.refuse("h264");
    expect(codecs.offered).toEqual(["jpeg", "png", "vp9", "av1"]);
    expect(codecs.failed).toEqual(["h264"]);
  });
});
