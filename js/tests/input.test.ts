import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { InputEvent } from "../src/protocol";
import { HandInput } from "../src/viewer/input";

let life: AbortController;
let canvas: HTMLCanvasElement;
let pushed: InputEvent[];
let commands: string[];
let hand: HandInput;

beforeEach(() => {
  life = new AbortController();
  canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  [canvas.width, canvas.height] = [400, 200];
  // Shown as 400 by 400: bars of 100 above and below.
  vi.spyOn(canvas, "getBoundingClientRect").mockReturnValue({ left: 0, top: 0, width: 400, height: 400 } as DOMRect);
  document.body.append(canvas);
  [pushed, commands] = [[], []];
  hand = new HandInput({
    canvas,
    push: (event) => pushed.push(event),
    command: (command) => commands.push(command),
    signal: life.signal,
  });
});

afterEach(() => {
  life.abort();
  canvas.remove();
});

function pointer(type: string, more: PointerEventInit = {}): void {
  canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, pointerType: "mouse", bubbles: true, ...more }));
}

const wheel = (more: WheelEventInit): WheelEvent => {
  // happy-dom's WheelEvent has no position.
  const place = { clientX: more.clientX, clientY: more.clientY };
  const event = Object.assign(new WheelEvent("wheel", { bubbles: true, cancelable: true, ...more }), place);
  canvas.dispatchEvent(event);
  return event;
};

const key = (name: string, more: KeyboardEventInit = {}): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, composed: true, ...more });
  canvas.dispatchEvent(event);
  return event;
};

describe("a drag with the mouse", () => {
  it("presses, moves and lets go in fractions of the picture, not of its bars", () => {
    pointer("pointerdown", { buttons: 1, clientX: 100, clientY: 100 });
    pointer("pointermove", { buttons: 1, clientX: 200, clientY: 200 });
    pointer("pointerup", { buttons: 0, clientX: 200, clientY: 200 });
    expect(pushed).toEqual([
      { type: "down", button: 0, x: 0.25, y: 0 },
      { type: "move", x: 0.5, y: 0.5 },
      { type: "up", button: 0, x: 0.5, y: 0.5 },
    ]);
  });

  it("may leave the picture: the pointer is captured", () => {
    const capture = vi.spyOn(canvas, "setPointerCapture").mockReturnValue();
    pointer("pointerdown", { buttons: 1, pointerId: 7 });
    pointer("pointermove", { buttons: 1, clientX: 800, clientY: 0 });
    expect(capture).toHaveBeenCalledWith(7);
    expect(pushed.at(-1)).toEqual({ type: "move", x: 2, y: -0.5 });
  });

  it("gives the picture the focus", () => {
    pointer("pointerdown", { buttons: 1 });
    expect(document.activeElement).toBe(canvas);
  });

  it("lets go of every button when the pointer is taken away", () => {
    pointer("pointerdown", { buttons: 1 });
    pointer("pointermove", { buttons: 3 });
    pointer("lostpointercapture", { buttons: 3 });
    expect(pushed.filter(({ type }) => type === "up").map(({ button }) => button)).toEqual([0, 2]);
  });

  it("carries the modifiers along", () => {
    pointer("pointerdown", { buttons: 1, shiftKey: true, ctrlKey: true, altKey: true });
    expect(pushed[0]).toMatchObject({ shift: true, ctrl: true, alt: true });
  });

  it("begins on the picture, or is not ours", () => {
    pointer("pointermove", { buttons: 1 });
    pointer("pointerup", { buttons: 0 });
    expect(pushed).toEqual([]);
  });

  it("says nothing while the mouse only passes over", () => {
    pointer("pointermove", { buttons: 0 });
    expect(pushed).toEqual([]);
  });

  it("is over when the link was cut, and begins anew with the next press", () => {
    pointer("pointerdown", { buttons: 1 });
    hand.forget();
    pointer("pointermove", { buttons: 1 });
    expect(pushed).toHaveLength(1);
    pointer("pointerdown", { buttons: 1 });
    expect(pushed).toHaveLength(2);
  });
});

describe("fingers on the picture", () => {
  const finger = (type: string, pointerId: number, clientX: number): void =>
    pointer(type, { pointerType: "touch", pointerId, clientX, clientY: 200 });

  it("drag and pinch", () => {
    finger("pointerdown", 1, 160);
    finger("pointerdown", 2, 240);
    finger("pointermove", 2, 320);
    expect(pushed.map(({ type, button }) => [type, button])).toEqual([
      ["down", 0],
      ["up", 0],
      ["down", 1],
      ["move", undefined],
      ["pinch", undefined],
    ]);
    expect(pushed.at(-1)?.amount).toBeCloseTo(2);
  });
});

describe("the wheel", () => {
  it("of a track pad pinches, without the control key that comes with it", () => {
    // happy-dom's WheelEvent has no modifiers either.
    const event = Object.assign(new WheelEvent("wheel", { deltaY: -10 }), { ctrlKey: true, clientX: 0, clientY: 100 });
    canvas.dispatchEvent(event);
    expect(pushed).toEqual([{ type: "pinch", amount: Math.exp(0.1), x: 0, y: 0 }]);
  });

  it("turns the picture and not the page", () => {
    const event = wheel({ deltaY: -100, clientX: 200, clientY: 200 });
    expect(pushed).toEqual([{ type: "wheel", amount: 1, x: 0.5, y: 0.5 }]);
    expect(event.defaultPrevented).toBe(true);
  });
});

describe("the keyboard on the picture", () => {
  it("asks for what the key means, and nobody else hears of it", () => {
    const heard = vi.fn();
    document.body.addEventListener("keydown", heard, { signal: life.signal });
    expect(key("r").defaultPrevented).toBe(true);
    expect(pushed).toEqual([{ type: "action", action: "reset" }]);
    expect(heard).not.toHaveBeenCalled();
  });

  it("tells the viewer what is for the viewer", () => {
    key("f");
    key("Escape");
    expect(commands).toEqual(["fullscreen", "leave"]);
  });

  it("keeps JupyterLab off the keys that are ours, and only off those", () => {
    const keptOff = (): boolean => canvas.hasAttribute("data-lm-suppress-shortcuts");
    const seen: boolean[] = [];
    // Where JupyterLab listens: at the document, before the picture.
    document.addEventListener("keydown", () => seen.push(keptOff()), { signal: life.signal, capture: true });
    key("d");
    key("s", { ctrlKey: true });
    key("ArrowUp");
    key("Enter", { shiftKey: true });
    expect(seen).toEqual([true, false, true, false]);
  });

  it("lets Tab move on", () => {
    expect(key("Tab").defaultPrevented).toBe(false);
  });

  it("never hears keys that were pressed elsewhere", () => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
    expect(pushed).toEqual([]);
  });
});

describe("the context menu", () => {
  it("does not come in the way of the right button", () => {
    const jupyterLab = vi.fn();
    document.addEventListener("contextmenu", jupyterLab);
    const event = new MouseEvent("contextmenu", { bubbles: true, cancelable: true });
    canvas.dispatchEvent(event);
    document.removeEventListener("contextmenu", jupyterLab);
    expect(event.defaultPrevented).toBe(true);
    expect(jupyterLab).not.toHaveBeenCalled();
  });
});

it("hears nothing any more when the viewer is gone", () => {
  life.abort();
  pointer("pointerdown", { buttons: 1 });
  wheel({ deltaY: 100 });
  key("r");
  expect(pushed).toEqual([]);
});
