// Moves merge, clicks never: what a hand did between two messages, as few events as say the same.

import { LIMITS, MAX_EVENTS, type EventType, type InputEvent } from "../protocol";

type Merge = (older: InputEvent, newer: InputEvent) => InputEvent;

const newest: Merge = (_, newer) => newer;
const sum: Merge = (older, newer) => ({ ...newer, amount: (older.amount ?? 0) + (newer.amount ?? 0) });
const product: Merge = (older, newer) => ({ ...newer, amount: (older.amount ?? 1) * (newer.amount ?? 1) });

// Two events of one type become one; what is not in the table never merges and nothing merges across it.
const TABLE: Partial<Record<EventType, Merge>> = { move: newest, wheel: sum, pinch: product };

const sameModifiers = (one: InputEvent, other: InputEvent): boolean =>
  !one.ctrl === !other.ctrl && !one.shift === !other.shift && !one.alt === !other.alt;

// The place of the event that `event` may merge into, or -1. Two fingers give moves and pinches by turns: those
// may pass each other, but nothing passes a click.
function partner(queue: readonly InputEvent[], event: InputEvent): number {
  for (let place = queue.length - 1; place >= 0; place--) {
    const older = queue[place];
    if (!older || !TABLE[older.type] || !sameModifiers(older, event)) return -1;
    if (older.type === event.type) return place;
  }
  return -1;
}

const clamp = (value: number, [low, high]: readonly [number, number]): number => Math.min(high, Math.max(low, value));

// The event with its numbers inside what the streamer accepts.
export function bounded(event: InputEvent): InputEvent {
  const inside = { ...event };
  for (const name of ["x", "y", "amount"] as const) {
    const value = inside[name];
    if (value !== undefined) inside[name] = clamp(Number.isFinite(value) ? value : 0, LIMITS.InputEvent[name]);
  }
  return inside;
}

// Adds `event` to `queue`, in place.
export function merge(queue: InputEvent[], event: InputEvent): void {
  const how = TABLE[event.type];
  const place = how ? partner(queue, event) : -1;
  const older = queue[place];
  if (how && older) queue[place] = bounded(how(older, event));
  else queue.push(bounded(event));
}

// Whether the event may wait for the next frame.
export const mayWait = (event: InputEvent): boolean => TABLE[event.type] !== undefined;

// The queue in messages that the streamer accepts.
export function messages(queue: readonly InputEvent[]): InputEvent[][] {
  const found: InputEvent[][] = [];
  for (let start = 0; start < queue.length; start += MAX_EVENTS) found.push(queue.slice(start, start + MAX_EVENTS));
  return found;
}
