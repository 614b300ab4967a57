import { describe, expect, it } from "vitest";
import { LIMITS, MAX_EVENTS, type InputEvent } from "../src/protocol";
import { bounded, mayWait, merge, messages } from "../src/viewer/merge";

function merged(...events: InputEvent[]): InputEvent[] {
  const queue: InputEvent[] = [];
  for (const event of events) merge(queue, event);
  return queue;
}

const move = (x: number, more: Partial<InputEvent> = {}): InputEvent => ({ type: "move", x, y: 0, ...more });
const wheel = (amount: number): InputEvent => ({ type: "wheel", amount });
const pinch = (amount: number): InputEvent => ({ type: "pinch", amount });
const down: InputEvent = { type: "down", button: 0 };
const up: InputEvent = { type: "up", button: 0 };

describe("events between two messages", () => {
  it("keeps the newest of several moves", () => {
    expect(merged(move(0.1), move(0.2), move(0.3))).toEqual([move(0.3)]);
  });

  it("adds what the wheel turned", () => {
    expect(merged(wheel(1), wheel(0.5), wheel(-2))).toEqual([wheel(-0.5)]);
  });

  it("multiplies what fingers pinched", () => {
    expect(merged(pinch(1.5), pinch(2))).toEqual([pinch(3)]);
  });

  it("never merges clicks", () => {
    expect(merged(down, up, down, up)).toEqual([down, up, down, up]);
  });

  it("never merges actions", () => {
    const turn: InputEvent = { type: "action", action: "rotate-left" };
    expect(merged(turn, turn)).toEqual([turn, turn]);
  });

  it("lets no move pass a click", () => {
    expect(merged(move(0.1), down, move(0.2), move(0.3), up)).toEqual([move(0.1), down, move(0.3), up]);
  });

  it("lets moves and pinches of two fingers pass each other", () => {
    expect(merged(move(0.1), pinch(2), move(0.2), pinch(2))).toEqual([move(0.2), pinch(4)]);
  });

  it("keeps moves apart when a modifier changed between them", () => {
    const shifted = move(0.2, { shift: true });
    expect(merged(move(0.1), shifted)).toEqual([move(0.1), shifted]);
    expect(merged(move(0.1, { ctrl: false }), move(0.2))).toEqual([move(0.2)]);
  });

  it("may hold back moves, wheel and pinches, nothing else", () => {
    const waiting = (["move", "wheel", "pinch", "down", "up", "key", "action"] as const).filter((type) =>
      mayWait({ type }),
    );
    expect(waiting).toEqual(["move", "wheel", "pinch"]);
  });

  it("never grows by moving, turning and pinching, and keeps every sum, whatever the order", () => {
    for (let seed = 1; seed <= 50; seed++) {
      let state = seed;
      const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
      const events = Array.from({ length: 60 }, (): InputEvent => {
        const kind = Math.floor(random() * 3);
        return [move(random()), wheel(random() - 0.5), pinch(0.9 + random() * 0.2)][kind] as InputEvent;
      });
      const queue = merged(...events);
      const turned = (list: InputEvent[]): number =>
        list.filter(({ type }) => type === "wheel").reduce((sum, { amount }) => sum + (amount ?? 0), 0);
      expect(queue.length).toBeLessThanOrEqual(3);
      expect(turned(queue)).toBeCloseTo(turned(events), 9);
      const last = events.filter(({ type }) => type === "move").at(-1);
      expect(queue.find(({ type }) => type === "move")).toEqual(last);
    }
  });
});

describe("what the streamer would refuse", () => {
  it("is brought inside its limits", () => {
    expect(bounded({ type: "move", x: 1e9, y: -1e9 })).toEqual({ type: "move", x: 17, y: -16 });
    expect(bounded({ type: "wheel", amount: 1e6 }).amount).toBe(LIMITS.InputEvent.amount[1]);
  });

  it("loses numbers that are none", () => {
    expect(bounded({ type: "move", x: NaN, y: Infinity })).toEqual({ type: "move", x: 0, y: 0 });
  });

  it("is cut into messages of a size it takes", () => {
    const queue = Array.from({ length: MAX_EVENTS * 2 + 1 }, () => down);
    expect(messages(queue).map(({ length }) => length)).toEqual([MAX_EVENTS, MAX_EVENTS, 1]);
    expect(messages([])).toEqual([]);
  });
});
