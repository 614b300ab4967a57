import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Drawn, Undecodable } from "../src/protocol";
import type { Decode, Picture } from "../src/viewer/decoder";
import { Painter, type Painted } from "../src/viewer/painter";
import { FakeTrackGenerator, FakeVideoFrame, fakeVideoElements } from "./fakes/film";
import { film, frame } from "./fakes/frame";
import { settle } from "./fakes/socket";
import { FakeChunk, FakeVideoDecoder } from "./fakes/videodecoder";

let now: number;
let due: (() => void)[];
let decoding: { picture: Picture; done: () => void; fail: (error: Error) => void }[];
let closed: number;
let painted: Painted[];
let drawn: Drawn[];
let failures: unknown[];
let undecodable: Undecodable[];
let refreshes: number;
let canvas: HTMLCanvasElement;
let drawImage: ReturnType<typeof vi.fn>;
let painter: Painter;

// A decoder that finishes when the test says so.
const slowDecode: Decode = () =>
  new Promise((resolve, reject) => {
    const picture = { source: canvas, close: () => void (closed += 1) };
    decoding.push({ picture, done: () => resolve(picture), fail: reject });
  });

async function decoded(place = decoding.length - 1): Promise<void> {
  decoding[place]?.done();
  await settle();
}

function repaint(): void {
  const works = due;
  due = [];
  for (const work of works) work();
}

beforeEach(() => {
  [now, closed, refreshes] = [0, 0, 0];
  [due, decoding, painted, drawn, failures, undecodable] = [[], [], [], [], [], []];
  vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
  vi.stubGlobal("EncodedVideoChunk", FakeChunk);
  FakeVideoDecoder.all.length = 0;
  FakeVideoFrame.open.clear();
  canvas = document.createElement("canvas");
  drawImage = vi.fn();
  vi.spyOn(canvas, "getContext").mockReturnValue({ drawImage } as unknown as RenderingContext);
  painter = new Painter({
    canvas,
    painted: (each) => {
      painted.push(each);
      return 42;
    },
    drawn: (each) => drawn.push(each),
    undecodable: (each) => undecodable.push(each),
    refresh: () => (refreshes += 1),
    failed: (error) => failures.push(error),
    decode: slowDecode,
    now: () => now,
    schedule: (work) => {
      due.push(work);
      return () => (due = due.filter((each) => each !== work));
    },
  });
});

afterEach(() => {
  painter.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the painter", () => {
  it("answers a frame after it was painted, with how long each step took", async () => {
    painter.show(frame(1), 10);
    now = 25;
    await decoded();
    expect(drawn).toEqual([]);
    now = 31;
    repaint();
    expect(drawImage).toHaveBeenCalledOnce();
    expect(drawn).toEqual([{ frame: 1, decode_ms: 15, paint_ms: 6, input_ms: 42 }]);
  });

  it("gives the canvas the size of the frame, and clears it only when that changed", async () => {
    const width = vi.spyOn(canvas, "width", "set");
    painter.show(frame(1, { width: 640, height: 480 }), 0);
    await decoded();
    repaint();
    painter.show(frame(2, { width: 640, height: 480 }), 0);
    await decoded();
    repaint();
    expect([canvas.width, canvas.height]).toEqual([640, 480]);
    expect(width).toHaveBeenCalledOnce();
  });

  it("decodes one frame at a time; of those that wait the newest wins", async () => {
    for (const id of [1, 2, 3, 4]) painter.show(frame(id), 0);
    expect(decoding).toHaveLength(1);
    await decoded();
    repaint();
    expect(decoding).toHaveLength(2);
    await decoded();
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([1, 4]);
    expect(painted.map(({ overtaken }) => overtaken)).toEqual([2, 0]);
  });

  it("decodes the next frame while the last one waits for the repaint", async () => {
    painter.show(frame(1), 0);
    await decoded();
    painter.show(frame(2), 0);
    expect(decoding).toHaveLength(2);
    await decoded();
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([2]);
    expect(closed).toBe(2);
  });

  it("answers every frame, those overtaken with the one that overtook them", async () => {
    painter.show(frame(1), 0);
    await decoded();
    painter.show(frame(2), 0);
    await decoded();
    expect(drawn).toEqual([]);
    repaint();
    expect(drawn.map((each) => each.frame)).toEqual([1, 2]);
  });

  it("answers a frame and its still, which have one number, twice", async () => {
    painter.show(frame(5), 0);
    await decoded();
    painter.show(frame(5, { codec: "png", still: true }), 0);
    await decoded();
    repaint();
    expect(drawn.map((each) => each.frame)).toEqual([5, 5]);
    expect(painter.shown?.codec).toBe("png");
  });

  it("answers a frame that cannot be decoded, so that the streamer does not wait for it, and goes on", async () => {
    painter.show(frame(1), 0);
    decoding[0]?.fail(new Error("not a JPEG"));
    await settle();
    expect(drawn).toEqual([{ frame: 1 }]);
    expect(failures).toHaveLength(1);
    painter.show(frame(2), 0);
    await decoded();
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([2]);
  });

  it("never answers frames of a link that was cut, and frees their pictures", async () => {
    painter.show(frame(1), 0);
    await decoded();
    painter.show(frame(2), 0);
    painter.show(frame(3), 0);
    painter.forget();
    await decoded();
    repaint();
    expect(drawn).toEqual([]);
    expect(painted).toEqual([]);
    expect(closed).toBe(2);
  });

  it("paints frames of the next link, although they count from 1 again", async () => {
    painter.show(frame(90), 0);
    await decoded();
    repaint();
    painter.forget();
    painter.show(frame(1), 0);
    await decoded();
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([90, 1]);
  });

  it("asks for no repaint while nothing comes", async () => {
    painter.show(frame(1), 0);
    await decoded();
    repaint();
    expect(due).toEqual([]);
  });
});

describe("the painter of a video", () => {
  const output = (id: number): void => FakeVideoDecoder.last.output(id);

  it("decodes every frame and paints the newest, closing those that were overtaken", () => {
    for (const id of [1, 2, 3]) painter.show(film(id, { key: id === 1 }), 0);
    expect(FakeVideoDecoder.last.taken).toEqual(["key", "delta", "delta"]);
    for (const place of [0, 1, 2]) output(place);
    expect(FakeVideoFrame.open.size).toBe(1);
    repaint();
    expect(painted.map((each) => [each.frame.id, each.overtaken])).toEqual([[3, 2]]);
    expect(drawn.map((each) => each.frame)).toEqual([1, 2, 3]);
    expect(FakeVideoFrame.open.size).toBe(0);
  });

  it("does not paint a picture that was decoded after a newer frame of the video", async () => {
    painter.show(frame(1, { codec: "png", still: true }), 0);
    painter.show(film(2, { key: true }), 0);
    output(0);
    await decoded();
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([2]);
    expect(drawn.map((each) => each.frame)).toEqual([1, 2]);
    expect(closed).toBe(1);
  });

  it("answers at once what comes so late that the newer one was painted already", async () => {
    painter.show(frame(1), 0);
    painter.show(film(2, { key: true }), 0);
    output(0);
    repaint();
    await decoded();
    expect(due).toEqual([]);
    expect(drawn.map((each) => each.frame)).toEqual([2, 1]);
  });

  it("does not paint a frame of the video that was decoded after a newer picture, and goes on from it", async () => {
    painter.show(film(1, { key: true }), 0);
    painter.show(frame(2, { codec: "png", still: true }), 0);
    await decoded();
    output(0);
    repaint();
    painter.show(film(3), 0);
    output(0);
    repaint();
    expect(painted.map((each) => each.frame.id)).toEqual([2, 3]);
    expect(refreshes).toBe(0);
    expect(FakeVideoFrame.open.size).toBe(0);
  });

  it("does not decode a picture that waits when a newer frame is there", async () => {
    painter.show(frame(1), 0);
    painter.show(frame(2), 0);
    painter.show(film(3, { key: true }), 0);
    output(0);
    await decoded();
    repaint();
    expect(decoding).toHaveLength(1);
    expect(drawn.map((each) => each.frame).sort()).toEqual([1, 2, 3]);
  });

  it("answers a frame that cannot be decoded by saying so, once", () => {
    painter.show(film(1, { key: true }), 0);
    painter.show(film(2), 0);
    FakeVideoDecoder.last.fail(new Error("no"));
    painter.show(film(3, { key: true }), 0);
    expect(undecodable).toEqual([{ frame: 1, codec: "h264" }]);
    expect(drawn).toEqual([{ frame: 2 }, { frame: 3 }]);
  });

  it("begins anew after the link was cut", () => {
    painter.show(film(1, { key: true }), 0);
    painter.forget();
    painter.show(film(2), 0);
    painter.show(film(3), 0);
    expect(FakeVideoDecoder.all.map((each) => each.state)).toEqual(["closed"]);
    expect(drawn).toEqual([{ frame: 2 }, { frame: 3 }]);
    expect(refreshes).toBe(1);
  });
});

describe("the painter with a film over its canvas", () => {
  const output = (): void => FakeVideoDecoder.last.output(0);
  let video: ReturnType<typeof fakeVideoElements>;

  async function show(id: number, more = {}): Promise<void> {
    painter.show(film(id, more), 0);
    output();
    repaint();
    await settle();
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.stubGlobal("MediaStreamTrackGenerator", FakeTrackGenerator);
    vi.stubGlobal("MediaStream", class {});
    FakeTrackGenerator.refuses = false;
    video = fakeVideoElements();
    document.body.append(canvas);
    await show(1, { key: true });
  });

  afterEach(() => {
    expect(FakeVideoFrame.open.size).toBe(0);
    painter.close();
    expect(canvas.nextElementSibling).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
    canvas.remove();
    vi.useRealTimers();
  });

  it("draws on the canvas until the film has shown that it works", async () => {
    await show(2);
    await show(3);
    expect(drawImage).toHaveBeenCalledTimes(3);
    expect(video.visible).toBe(false);
    video.present();
    await show(4);
    expect(drawImage).toHaveBeenCalledTimes(3);
    expect(drawn.map((each) => each.frame)).toEqual([1, 2, 3]);
    video.present();
    await settle();
    expect(video.visible).toBe(true);
    expect(painted.map((each) => each.frame.id)).toEqual([1, 2, 3, 4]);
    expect(drawn.map((each) => each.frame)).toEqual([1, 2, 3, 4]);
  });

  it("gives a film up that never shows anything", async () => {
    for (let id = 2; id <= 21; id++) await show(id);
    expect(canvas.nextElementSibling).toBeNull();
    expect(painted).toHaveLength(21);
  });

  it("gives a film up that takes no frames, and answers them all the same", async () => {
    await show(2);
    video.present();
    FakeTrackGenerator.refuses = true;
    await show(3);
    expect(drawn.at(-1)).toEqual({ frame: 3 });
    await show(4);
    expect(painted.map((each) => each.frame.id)).toEqual([1, 2, 4]);
  });

  describe("that is shown", () => {
    beforeEach(async () => {
      await show(2);
      video.present();
      await show(3);
      video.present();
      await settle();
      drawImage.mockClear();
    });

    it("has the newest of those that came meanwhile", async () => {
      for (const id of [4, 5, 6]) await show(id);
      video.present();
      await settle();
      video.present();
      await settle();
      expect(painted.map((each) => each.frame.id)).toEqual([1, 2, 3, 4, 6]);
      expect(drawn.map((each) => each.frame)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it("does not wait for ever for a frame to be shown", async () => {
      await show(4);
      await vi.advanceTimersByTimeAsync(200);
      expect(drawn.at(-1)).toMatchObject({ frame: 4 });
    });

    it("gives way to a still", async () => {
      painter.show(frame(3, { codec: "png", still: true }), 0);
      await decoded();
      repaint();
      expect(video.visible).toBe(false);
      // A video that plays would keep the screen awake.
      expect(video.element.paused).toBe(true);
      expect(drawImage).toHaveBeenCalledOnce();
      expect(painter.shown?.codec).toBe("png");
    });

    it("leaves its picture to the canvas when the link is cut, or somebody reads it", () => {
      painter.settle();
      expect(drawImage).toHaveBeenCalledWith(video.element, 0, 0, 800, 400);
      expect(video.visible).toBe(false);
      painter.forget();
      expect(drawImage).toHaveBeenCalledOnce();
    });

    it("leaves frames of another shape to the canvas, and all on a hidden page", async () => {
      await show(4, { key: true, width: 600 });
      expect(canvas.width).toBe(600);
      expect(video.visible).toBe(false);
      vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
      await show(5, { key: true, width: 600 });
      expect(drawImage).toHaveBeenCalledTimes(2);
    });
  });
});
