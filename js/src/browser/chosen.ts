// Which lines are chosen, and where the cursor is: as every list of files has it. Pure.

import type { Entry } from "./messages";

export interface Held {
  ctrl: boolean;
  shift: boolean;
}

export class Chosen {
  // By the line's number, in the order they were chosen.
  private readonly entries = new Map<number, Entry>();
  // Places in the list; -1: nowhere.
  cursor = -1;
  private anchor = -1;

  get all(): Entry[] {
    return [...this.entries.values()];
  }

  has(line: number): boolean {
    return this.entries.has(line);
  }

  clear(): void {
    this.entries.clear();
    this.cursor = this.anchor = -1;
  }

  // After the list was sorted or filtered anew: what is chosen stays, where it is is not known any more.
  lost(): void {
    this.cursor = this.anchor = -1;
  }

  // A click, or a step of the cursor. `entryAt` knows what is loaded.
  put(at: number, { ctrl, shift }: Held, entryAt: (at: number) => Entry | undefined): void {
    this.cursor = at;
    if (shift) return this.span(at, ctrl, entryAt);
    this.anchor = at;
    const entry = entryAt(at);
    if (!entry) return;
    if (ctrl) return this.toggle(entry);
    this.entries.clear();
    this.entries.set(entry.line, entry);
  }

  // The cursor alone.
  move(at: number): void {
    this.cursor = at;
  }

  private toggle(entry: Entry): void {
    if (!this.entries.delete(entry.line)) this.entries.set(entry.line, entry);
  }

  private span(at: number, more: boolean, entryAt: (at: number) => Entry | undefined): void {
    if (!more) this.entries.clear();
    const from = this.anchor < 0 ? at : this.anchor;
    this.anchor = from;
    for (let place = Math.min(from, at); place <= Math.max(from, at); place++) {
      const entry = entryAt(place);
      if (entry) this.entries.set(entry.line, entry);
    }
  }
}

// What of it can be opened together: folders cannot.
export function files(entries: Entry[]): Entry[] {
  return entries.filter(({ kind }) => kind !== "folder");
}
