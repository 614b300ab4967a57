import { beforeEach, describe, expect, it } from "vitest";
import type { Input } from "../src/protocol";
import { Outbox } from "../src/viewer/outbox";

let sent: Input[];
let now: number;
let frames: (() => void)[];
let outbox: Outbox;

function nextFrame(): void {
  const due = frames;
  frames = [];
  for (const work of due) work();
}

beforeEach(() => {
  sent = [];
  frames = [];
  now = 0;
  const schedule = (work: () => void): (() => void) => {
    frames.push(work);
    return () => (frames = frames.filter((each) => each !== work));
  };
  outbox = new Outbox((input) => sent.push(input), () => now, schedule);
});

describe("the outbox", () => {
  it("sends one message a frame, however many moves there were", () => {
    for (let step = 0; step < 20; step++) outbox.push({ type: "move", x: step / 20 });
    expect(sent).toEqual([]);
    nextFrame();
    expect(sent).toEqual([{ seq: 1, events: [{ type: "move", x: 0.95 }] }]);
  });

  it("sends a click at once, behind the moves before it", () => {
    outbox.push({ type: "move", x: 0.1 });
    outbox.push({ type: "down", button: 0 });
    expect(sent).toEqual([{ seq: 1, events: [{ type: "move", x: 0.1 }, { type: "down", button: 0 }] }]);
    nextFrame();
    expect(sent).toHaveLength(1);
  });

  it("asks for no frame while nothing happens", () => {
    outbox.push({ type: "move", x: 0.1 });
    nextFrame();
    expect(frames).toEqual([]);
  });

  it("numbers its messages without a gap, also after a cut", () => {
    outbox.push({ type: "down" });
    outbox.forget();
    outbox.push({ type: "up" });
    expect(sent.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("knows how old the input is that a frame answers", () => {
    now = 100;
    outbox.push({ type: "down" });
    now = 120;
    outbox.push({ type: "up" });
    expect(outbox.answered(2, 150)).toBe(30);
  });

  it("counts each input once", () => {
    outbox.push({ type: "down" });
    outbox.push({ type: "up" });
    expect(outbox.answered(2, 40)).toBe(40);
    expect(outbox.answered(2, 90)).toBe(0);
    expect(outbox.answered(1, 90)).toBe(0);
  });

  it("says 0 for a frame that answers nobody, or somebody else", () => {
    expect(outbox.answered(undefined, 10)).toBe(0);
    expect(outbox.answered(77, 10)).toBe(0);
  });

  it("forgets the oldest of more than 256 unanswered messages", () => {
    for (let each = 0; each < 300; each++) outbox.push({ type: "down" });
    now = 5;
    expect(outbox.answered(40, now)).toBe(0);
    expect(outbox.answered(50, now)).toBe(5);
  });

  it("drops what was waiting when the link was cut", () => {
    outbox.push({ type: "move", x: 0.5 });
    outbox.forget();
    nextFrame();
    expect(sent).toEqual([]);
  });

  it("keeps nothing while nobody takes anything, but what was let go", () => {
    outbox.push({ type: "down", button: 0 });
    outbox.push({ type: "move", x: 0.1 });
    outbox.hold(true);
    for (let step = 0; step < 100; step++) outbox.push({ type: "move", x: step / 100 });
    for (let press = 0; press < 20; press++) outbox.push({ type: "up", button: 0 });
    outbox.push({ type: "key", key: "r" });
    nextFrame();
    expect(sent).toHaveLength(1);
    outbox.hold(false);
    const late = sent[1]?.events ?? [];
    expect(late[0]).toEqual({ type: "move", x: 0.1 });
    expect(late.slice(1).every(({ type }) => type === "up")).toBe(true);
    expect(late.length).toBeLessThan(10);
  });
});
