// What buttons mean: which went down, which up, and whether a press is the second of a double click. Pure.

import type { InputEvent } from "../protocol";
import type { Modifiers, Point } from "./position";

// The bits of MouseEvent.buttons and the buttons of the wire: 0 left, 1 middle, 2 right.
const BUTTONS: readonly [bit: number, button: number][] = [
  [1, 0],
  [4, 1],
  [2, 2],
];

// What desktops take for a double click.
const DOUBLE_MS = 400;
const DOUBLE_PX = 5;
const MOST_CLICKS = 3;

interface Press {
  button: number;
  at: number;
  x: number;
  y: number;
  clicks: number;
}

export class Mouse {
  private buttons = 0;
  private last: Press | null = null;

  // True while a button that went down on the picture is held.
  get held(): boolean {
    return this.buttons !== 0;
  }

  // Pointer events tell of a second button by a move: what counts is how `buttons` changed.
  change(buttons: number, place: Point, page: Point, at: number, held: Modifiers): InputEvent[] {
    const events: InputEvent[] = [];
    for (const [bit, button] of BUTTONS) {
      if ((buttons & bit) === (this.buttons & bit)) continue;
      if (buttons & bit) events.push(this.press(button, place, page, at, held));
      else events.push({ type: "up", button, ...place, ...held });
    }
    this.buttons = buttons;
    return events;
  }

  forget(): void {
    this.buttons = 0;
  }

  private press(button: number, place: Point, page: Point, at: number, held: Modifiers): InputEvent {
    const clicks = this.again(button, page, at) ? Math.min(MOST_CLICKS, (this.last?.clicks ?? 0) + 1) : 1;
    this.last = { button, at, ...page, clicks };
    return { type: "down", button, ...place, ...held, ...(clicks > 1 && { clicks }) };
  }

  private again(button: number, page: Point, at: number): boolean {
    const { last } = this;
    if (!last || last.button !== button || at - last.at > DOUBLE_MS) return false;
    return Math.hypot(page.x - last.x, page.y - last.y) <= DOUBLE_PX;
  }
}
