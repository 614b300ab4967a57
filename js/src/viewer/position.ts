// Where in the picture a hand is, as the wire says it: fractions, 0 0 at the top left. Pure.

import type { InputEvent } from "../protocol";

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

// The place of a picture of this shape inside a box: whole, centred, with bars ("contain").
export function contained(box: Box, width: number, height: number): Box {
  if (!(box.width > 0 && box.height > 0 && width > 0 && height > 0)) return box;
  const scale = Math.min(box.width / width, box.height / height);
  const shown = { width: width * scale, height: height * scale };
  return {
    left: box.left + (box.width - shown.width) / 2,
    top: box.top + (box.height - shown.height) / 2,
    ...shown,
  };
}

// Where on the page the picture of a canvas is.
export function pictureBox(canvas: HTMLCanvasElement): Box {
  return contained(canvas.getBoundingClientRect(), canvas.width, canvas.height);
}

export interface Point {
  x: number;
  y: number;
}

export function fraction(box: Box, clientX: number, clientY: number): Point {
  if (!(box.width > 0 && box.height > 0)) return { x: 0, y: 0 };
  return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
}

export type Modifiers = Pick<InputEvent, "ctrl" | "shift" | "alt">;

// Only the ones that are down: that keeps the messages small. On a Mac the command key is the control key of others.
export function modifiers(event: MouseEvent | KeyboardEvent): Modifiers {
  return {
    ...((event.ctrlKey || event.metaKey) && { ctrl: true }),
    ...(event.shiftKey && { shift: true }),
    ...(event.altKey && { alt: true }),
  };
}
