import { describe, expect, it } from "vitest";
import { isOurs, KEY_HELP, meaning } from "../src/viewer/keyboard";
import { Mouse } from "../src/viewer/mouse";
import { contained, fraction, modifiers } from "../src/viewer/position";
import { Touch } from "../src/viewer/touch";
import { turned } from "../src/viewer/wheel";

const HERE = { x: 0.5, y: 0.5 };
const PAGE = { x: 100, y: 100 };

describe("a position", () => {
  it("is a fraction of the picture", () => {
    const box = { left: 10, top: 20, width: 200, height: 100 };
    expect(fraction(box, 10, 20)).toEqual({ x: 0, y: 0 });
    expect(fraction(box, 110, 70)).toEqual({ x: 0.5, y: 0.5 });
    expect(fraction(box, 410, 20)).toEqual({ x: 2, y: 0 });
  });

  it("does not count the bars beside a picture of another shape", () => {
    expect(contained({ left: 0, top: 0, width: 400, height: 100 }, 200, 100)).toEqual({
      left: 100,
      top: 0,
      width: 200,
      height: 100,
    });
  });

  it("does not count the bars above and below either", () => {
    const box = contained({ left: 0, top: 0, width: 100, height: 400 }, 100, 200);
    expect(box).toEqual({ left: 0, top: 100, width: 100, height: 200 });
  });

  it("is the corner while there is no picture", () => {
    expect(fraction({ left: 0, top: 0, width: 0, height: 0 }, 5, 5)).toEqual({ x: 0, y: 0 });
  });

  it("comes with the modifiers that are down, command counting as control", () => {
    expect(modifiers(new MouseEvent("x", { shiftKey: true, altKey: true }))).toEqual({ shift: true, alt: true });
    expect(modifiers(new MouseEvent("x", { metaKey: true }))).toEqual({ ctrl: true });
    expect(modifiers(new MouseEvent("x"))).toEqual({});
  });
});

describe("a mouse", () => {
  it("presses and releases the button the wire calls by another number", () => {
    const mouse = new Mouse();
    expect(mouse.change(2, HERE, PAGE, 0, {})).toEqual([{ type: "down", button: 2, ...HERE }]);
    expect(mouse.change(0, HERE, PAGE, 9, {})).toEqual([{ type: "up", button: 2, ...HERE }]);
    expect(mouse.change(4, HERE, PAGE, 20, {})[0]?.button).toBe(1);
  });

  it("tells of a second button that comes while the first is held", () => {
    const mouse = new Mouse();
    mouse.change(1, HERE, PAGE, 0, {});
    expect(mouse.change(3, HERE, PAGE, 5, {})).toEqual([{ type: "down", button: 2, ...HERE }]);
    expect(mouse.change(0, HERE, PAGE, 9, {}).map(({ type, button }) => [type, button])).toEqual([
      ["up", 0],
      ["up", 2],
    ]);
  });

  it("counts a second press nearby and soon as a double click, a third as a triple one", () => {
    const mouse = new Mouse();
    const clicks = [0, 200, 400].map((at) => {
      const found = mouse.change(1, HERE, PAGE, at, {})[0]?.clicks;
      mouse.change(0, HERE, PAGE, at + 50, {});
      return found;
    });
    expect(clicks).toEqual([undefined, 2, 3]);
  });

  it.each([
    ["late", 500, PAGE, 1],
    ["far away", 200, { x: 120, y: 100 }, 1],
    ["of another button", 200, PAGE, 2],
  ])("counts a press that is %s as a new one", (_, at, page, buttons) => {
    const mouse = new Mouse();
    mouse.change(1, HERE, PAGE, 0, {});
    mouse.change(0, HERE, PAGE, 50, {});
    expect(mouse.change(buttons, HERE, page, at, {})[0]?.clicks).toBeUndefined();
  });

  it("ignores the buttons for back and forward", () => {
    expect(new Mouse().change(8, HERE, PAGE, 0, {})).toEqual([]);
  });

  it("holds nothing after the link was cut", () => {
    const mouse = new Mouse();
    mouse.change(1, HERE, PAGE, 0, {});
    mouse.forget();
    expect(mouse.held).toBe(false);
  });
});

describe("a wheel", () => {
  const turn = (deltaY: number, deltaMode = 0, more = {}): unknown =>
    turned({ deltaX: 0, deltaY, deltaMode, ctrlKey: false, ...more });

  it("is counted in notches, positive away from the user, whatever the browser counts in", () => {
    expect(turn(-100)).toEqual({ type: "wheel", amount: 1 });
    expect(turn(3, 1)).toEqual({ type: "wheel", amount: -1 });
    expect(turn(-1, 2)).toEqual({ type: "wheel", amount: 1 });
  });

  it("may turn by less than a notch", () => {
    expect(turn(-4)).toEqual({ type: "wheel", amount: 0.04 });
  });

  it("turns sideways with the shift key in some browsers", () => {
    expect(turn(0, 0, { deltaX: -100 })).toEqual({ type: "wheel", amount: 1 });
  });

  it("is a pinch when a track pad says so", () => {
    const pinch = turned({ deltaX: 0, deltaY: -10, deltaMode: 0, ctrlKey: true });
    expect(pinch?.type).toBe("pinch");
    expect(pinch?.amount).toBeCloseTo(1.105, 3);
  });

  it("says nothing when it did not turn", () => {
    expect(turn(0)).toBeNull();
    expect(turn(NaN)).toBeNull();
  });
});

describe("fingers", () => {
  it("drag like the left button when there is one", () => {
    const touch = new Touch();
    expect(touch.down(1, HERE, 2, {})).toEqual([{ type: "down", button: 0, ...HERE }]);
    expect(touch.move(1, { x: 0.6, y: 0.5 }, 2, {})).toEqual([{ type: "move", x: 0.6, y: 0.5 }]);
    expect(touch.up(1, { x: 0.6, y: 0.5 }, {})).toEqual([{ type: "up", button: 0, x: 0.6, y: 0.5 }]);
  });

  it("let go of the left button and take the middle one when there are two", () => {
    const touch = new Touch();
    touch.down(1, { x: 0.4, y: 0.5 }, 1, {});
    expect(touch.down(2, { x: 0.6, y: 0.5 }, 1, {})).toEqual([
      { type: "up", button: 0, x: 0.4, y: 0.5 },
      { type: "down", button: 1, x: 0.5, y: 0.5 },
    ]);
  });

  it("pinch by the ratio of their distances", () => {
    const touch = new Touch();
    touch.down(1, { x: 0.4, y: 0.5 }, 1, {});
    touch.down(2, { x: 0.6, y: 0.5 }, 1, {});
    const events = touch.move(2, { x: 0.8, y: 0.5 }, 1, {});
    expect(events[0]).toEqual({ type: "move", x: expect.closeTo(0.6) as number, y: 0.5 });
    expect(events[1]?.type).toBe("pinch");
    expect(events[1]?.amount).toBeCloseTo(2);
  });

  it("measure as far across a wide picture as down it", () => {
    const touch = new Touch();
    touch.down(1, { x: 0.5, y: 0.5 }, 2, {});
    touch.down(2, { x: 0.6, y: 0.5 }, 2, {});
    // 0.1 of the width is as far as 0.2 of the height: nothing was pinched.
    const [, pinched] = touch.move(2, { x: 0.5, y: 0.7 }, 2, {});
    expect(pinched?.amount ?? 1).toBeCloseTo(1);
  });

  it("do nothing any more once one of two was lifted, until all are", () => {
    const touch = new Touch();
    touch.down(1, { x: 0.4, y: 0.5 }, 1, {});
    touch.down(2, { x: 0.6, y: 0.5 }, 1, {});
    expect(touch.up(2, { x: 0.6, y: 0.5 }, {})).toEqual([{ type: "up", button: 1, x: 0.5, y: 0.5 }]);
    expect(touch.move(1, { x: 0.1, y: 0.1 }, 1, {})).toEqual([]);
    expect(touch.up(1, { x: 0.1, y: 0.1 }, {})).toEqual([]);
    expect(touch.down(3, HERE, 1, {})).toHaveLength(1);
  });

  it("take no notice of a third one, or of one that was never put down", () => {
    const touch = new Touch();
    touch.down(1, HERE, 1, {});
    touch.down(2, HERE, 1, {});
    expect(touch.down(3, HERE, 1, {})).toEqual([]);
    expect(touch.move(9, HERE, 1, {})).toEqual([]);
    expect(touch.up(9, HERE, {})).toEqual([]);
  });
});

describe("a key", () => {
  const press = (key: string, more = {}): Parameters<typeof meaning>[0] => ({
    key,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...more,
  });

  it.each([
    ["r", "reset"],
    ["x", "+x"],
    ["y", "+y"],
    ["z", "+z"],
    ["i", "isometric"],
    ["ArrowLeft", "rotate-left"],
    ["ArrowUp", "rotate-up"],
    ["+", "zoom-in"],
    ["-", "zoom-out"],
    ["PageUp", "zoom-in"],
    ["PageDown", "zoom-out"],
  ])("%s asks for %s", (key, action) => {
    expect(meaning(press(key))).toEqual({ action });
  });

  it.each([
    ["X", "-x"],
    ["Y", "-y"],
    ["Z", "-z"],
    ["ArrowRight", "pan-right"],
    ["ArrowDown", "pan-down"],
    ["+", "zoom-in"],
  ])("%s with shift asks for %s", (key, action) => {
    expect(meaning(press(key, { shiftKey: true }))).toEqual({ action });
  });

  it("means the same with caps lock", () => {
    expect(meaning(press("X"))).toEqual({ action: "+x" });
  });

  it.each([
    ["f", "fullscreen"],
    ["s", "statistics"],
    ["Escape", "leave"],
  ])("%s tells the viewer: %s", (key, command) => {
    expect(meaning(press(key))).toEqual({ command });
  });

  it.each(["ctrlKey", "metaKey", "altKey"])("with %s belongs to the notebook", (modifier) => {
    expect(meaning(press("s", { [modifier]: true }))).toBeNull();
    expect(isOurs(press("s", { [modifier]: true }))).toBe(false);
  });

  it("that would delete the cell does not reach the notebook", () => {
    expect(isOurs(press("d"))).toBe(true);
    expect(meaning(press("d"))).toBeNull();
  });

  it.each(["Tab", "Enter", "F5"])("%s stays the notebook's", (key) => {
    expect(isOurs(press(key))).toBe(false);
    expect(isOurs(press(key, { shiftKey: true }))).toBe(false);
  });

  it("that turns the picture is named to a screen reader", () => {
    for (const name of ["arrows", "plus", "R resets", "full screen", "Escape"]) expect(KEY_HELP).toContain(name);
  });
});
