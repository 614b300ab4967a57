// What keys mean while the picture has the focus. One table; the rest belongs to the notebook. Pure.

import type { Action } from "../protocol";

// What the viewer does by itself, without the streamer.
export type Command = "fullscreen" | "statistics" | "screenshot" | "leave";
export type Meaning = { action: Action } | { command: Command };

type Pressed = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

const KEYS: Record<string, Meaning> = {
  r: { action: "reset" },
  x: { action: "+x" },
  y: { action: "+y" },
  z: { action: "+z" },
  "shift+x": { action: "-x" },
  "shift+y": { action: "-y" },
  "shift+z": { action: "-z" },
  i: { action: "isometric" },
  arrowleft: { action: "rotate-left" },
  arrowright: { action: "rotate-right" },
  arrowup: { action: "rotate-up" },
  arrowdown: { action: "rotate-down" },
  "shift+arrowleft": { action: "pan-left" },
  "shift+arrowright": { action: "pan-right" },
  "shift+arrowup": { action: "pan-up" },
  "shift+arrowdown": { action: "pan-down" },
  "+": { action: "zoom-in" },
  // The key with the plus on it, on keyboards where plus needs the shift key.
  "=": { action: "zoom-in" },
  "-": { action: "zoom-out" },
  pageup: { action: "zoom-in" },
  pagedown: { action: "zoom-out" },
  f: { command: "fullscreen" },
  s: { command: "statistics" },
  escape: { command: "leave" },
};

// Said to screen readers, and shown as the picture's help.
export const KEY_HELP =
  "Keys: arrows rotate, shift and arrows pan, plus and minus zoom, R resets the camera, " +
  "X, Y and Z look along an axis, with shift against it, I isometric, F full screen, S statistics, Escape leaves.";

export const LOOKER_HELP = "Keys: F full screen, S statistics, Escape leaves.";

export function meaning({ key, shiftKey, ctrlKey, metaKey, altKey }: Pressed): Meaning | null {
  if (ctrlKey || metaKey || altKey) return null;
  const name = key.toLowerCase();
  // A sign is the sign, however the keyboard makes it; letters and arrows differ with the shift key.
  const plain = name.length === 1 && name === key.toUpperCase();
  return KEYS[shiftKey && !plain ? `shift+${name}` : name] ?? null;
}

// Keys that a notebook would take for a command (D D deletes a cell) although the hand is on the picture.
// Everything with a control key, and whatever runs a cell or moves the focus, stays the notebook's.
export function isOurs(pressed: Pressed): boolean {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return false;
  return pressed.key.length === 1 || meaning(pressed) !== null;
}
