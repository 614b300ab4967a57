import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Drawn } from "../src/protocol";
import type { Decode, Picture } from "../src/viewer/decoder";
import { Painter, type Painted } from "../src/viewer/painter";
import { frame } from "./fakes/frame";
import { settle } from "./fakes/socket";

let now: number;
let due: (() => void)[];
let decoding: { picture: Picture; done: () => void; fail: (error: Error) => void }[];
let closed: number;
let painted: Painted[];
let drawn: Drawn[];
let failures: unknown[];
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
  [now, closed] = [0, 0];
  [due, decoding, painted, drawn, failures] = [[], [], [], [], []];
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
    failed: (error) => failures.push(error),
    decode: slowDecode,
    now: () => now,
    schedule: (work) => {
      due.push(work);
      return () => (due = due.filter((each) => each !== work));
    },
  });
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
