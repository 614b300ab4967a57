// What a wheel means: notches, positive away from the user. Pure.

import type { InputEvent } from "../protocol";

// What browsers report for one notch of a mouse wheel, by WheelEvent.deltaMode: pixels, lines, pages.
const NOTCH: Record<number, number> = { 0: 100, 1: 3, 2: 1 };

// A track pad's pinch comes as a wheel with the control key, about one percent of size for each pixel.
const PINCH_PER_PIXEL = 0.01;

type Turn = Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode" | "ctrlKey">;

export function turned({ deltaX, deltaY, deltaMode, ctrlKey }: Turn): Pick<InputEvent, "type" | "amount"> | null {
  // With the shift key some browsers turn the wheel sideways.
  const delta = deltaY || deltaX;
  const notches = -delta / (NOTCH[deltaMode] ?? 100);
  if (!notches || !Number.isFinite(notches)) return null;
  if (ctrlKey && deltaMode === 0) return { type: "pinch", amount: Math.exp(-delta * PINCH_PER_PIXEL) };
  return { type: "wheel", amount: notches };
}
