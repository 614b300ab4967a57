// The list: as many rows as fit are there, however many lines the folder has; the rest is room to scroll through.

import { Chosen } from "./chosen";
import { icon } from "./icons";
import type { Entry, Page, Sort, View } from "./messages";
import { about, kind, size, when } from "./words";

export const ROW = 26;
export const PAGE = 200;
// Rows beyond the edge, for whoever scrolls slowly.
const SPARE = 6;
// Letters that come one after the other are one word.
const WORD_MS = 800;
// No browser draws elements higher than 33 million pixels; Firefox stops at 17.
const MOST_ROWS = 600_000;
const COLUMNS: readonly [sort: Sort, label: string][] = [
  ["name", "Name"],
  ["size", "Size"],
  ["modified", "Modified"],
  ["kind", "Kind"],
];

export interface Ask {
  // A page is needed that begins there.
  page(begin: number): void;
  sort(sort: Sort): void;
  // What is chosen, or under the cursor, has changed.
  chosen(): void;
  enter(entry: Entry): void;
  up(): void;
  // The next name that begins so, from a place on; whether there is one.
  find(text: string, from: number): Promise<boolean>;
}

let grids = 0;

export class Grid {
  readonly element = document.createElement("div");
  readonly chosen = new Chosen();
  private readonly id = `pvlink-files-${++grids}`;
  private readonly head = document.createElement("div");
  private readonly body = document.createElement("div");
  private readonly empty = document.createElement("div");
  private readonly entries = new Map<number, Entry>();
  private readonly asked = new Set<number>();
  // Those that are there, by their place.
  private readonly rows = new Map<number, HTMLElement>();
  private total = 0;
  private number = 0;
  private word = "";
  private typed = 0;
  // The answer to what was typed last, while it is on its way.
  private finding: Promise<boolean> | null = null;
  private frame = 0;

  constructor(
    private readonly ask: Ask,
    signal: AbortSignal,
  ) {
    const { element } = this;
    element.className = "pvlink-files-grid";
    element.tabIndex = 0;
    element.setAttribute("role", "grid");
    element.setAttribute("aria-label", "Files");
    element.setAttribute("aria-multiselectable", "true");
    element.setAttribute("aria-colcount", String(COLUMNS.length));
    this.head.className = "pvlink-files-head";
    this.head.setAttribute("role", "row");
    this.body.className = "pvlink-files-body";
    this.body.setAttribute("role", "rowgroup");
    this.empty.className = "pvlink-files-empty";
    element.append(this.head, this.body, this.empty);
    element.addEventListener("scroll", () => this.later(), { passive: true, signal });
    element.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.body.addEventListener("mousedown", (event) => this.clicked(event), { signal });
    this.body.addEventListener("dblclick", ({ target }) => this.opened(target), { signal });
    const sizes = new ResizeObserver(() => this.later());
    sizes.observe(element);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.frame);
    });
  }

  // The whole list, when another folder, order or filter is meant; its first page is that of the answer.
  show(page: Page, view: View, kept: boolean): void {
    this.heads(view);
    this.entries.clear();
    this.asked.clear();
    this.rows.clear();
    this.body.replaceChildren();
    this.total = Math.min(page.total, MOST_ROWS);
    if (kept && page.number === this.number) this.chosen.lost();
    else this.chosen.clear();
    this.number = page.number;
    this.element.setAttribute("aria-rowcount", String(this.total + 1));
    this.body.style.height = `${this.total * ROW}px`;
    this.empty.textContent = page.total > 0 ? "" : view.pattern ? "Nothing here has such a name." : "This folder is empty.";
    this.element.scrollTop = 0;
    this.add(page);
  }

  // One page more of the same list.
  add(page: Page): void {
    page.entries.forEach((entry, at) => this.entries.set(page.begin + at, entry));
    this.asked.add(page.begin);
    if (page.at !== null) this.to(page.at, { ctrl: false, shift: false });
    this.draw();
  }

  // A page did not come: it may be asked for again.
  missed(begin: number): void {
    this.asked.delete(begin);
  }

  // What Enter or a double click would open.
  get current(): Entry | undefined {
    return this.entries.get(this.chosen.cursor);
  }

  // Places of the first and the last row that can be seen.
  get seen(): [first: number, last: number] {
    const { scrollTop, clientHeight } = this.element;
    const room = Math.max(0, clientHeight - ROW);
    return [Math.floor(scrollTop / ROW), Math.min(this.total, Math.ceil((scrollTop + room) / ROW)) - 1];
  }

  private heads({ sort, reverse }: View): void {
    this.head.replaceChildren(
      ...COLUMNS.map(([name, label]) => {
        const made = document.createElement("div");
        made.setAttribute("role", "columnheader");
        made.className = `pvlink-files-${name}`;
        made.setAttribute("aria-sort", name !== sort ? "none" : reverse ? "descending" : "ascending");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = label;
        button.title = `Sort by ${label.toLowerCase()}`;
        button.addEventListener("click", () => this.ask.sort(name));
        made.append(button);
        return made;
      }),
    );
    this.head.setAttribute("aria-rowindex", "1");
  }

  private later(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const [first, last] = this.seen;
    const from = Math.max(0, first - SPARE);
    const to = Math.min(this.total - 1, last + SPARE);
    this.place(from, to);
    for (let begin = from - (from % PAGE); begin <= to; begin += PAGE) {
      if (this.asked.has(begin) || this.has(begin, from, to)) continue;
      this.asked.add(begin);
      this.ask.page(begin);
    }
    const { cursor } = this.chosen;
    if (cursor >= from && cursor <= to) this.element.setAttribute("aria-activedescendant", `${this.id}-${cursor}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // Rows that stay are left where they are: one that is put in anew between two clicks is not clicked twice.
  private place(from: number, to: number): void {
    for (const [at, row] of this.rows) {
      if (at >= from && at <= to && (row.dataset.line !== undefined || !this.entries.has(at))) continue;
      row.remove();
      this.rows.delete(at);
    }
    let next = this.body.firstElementChild;
    for (let at = from; at <= to; at++) {
      const row = this.rows.get(at) ?? this.row(at);
      this.rows.set(at, row);
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
      const line = row.dataset.line;
      row.setAttribute("aria-selected", String(line !== undefined && this.chosen.has(Number(line))));
      row.toggleAttribute("data-cursor", at === this.chosen.cursor);
    }
  }

  private has(begin: number, from: number, to: number): boolean {
    for (let at = Math.max(begin, from); at <= Math.min(to, begin + PAGE - 1); at++) {
      if (!this.entries.has(at)) return false;
    }
    return true;
  }

  private row(at: number): HTMLElement {
    const entry = this.entries.get(at);
    const made = document.createElement("div");
    made.id = `${this.id}-${at}`;
    made.className = "pvlink-files-row";
    made.dataset.at = String(at);
    made.style.top = `${at * ROW}px`;
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", String(at + 2));
    if (!entry) {
      made.append(cell("name", "…"));
      return made;
    }
    made.dataset.line = String(entry.line);
    made.dataset.hidden = String(entry.hidden);
    made.title = about(entry);
    const name = cell("name", entry.name);
    name.prepend(icon(entry.kind));
    made.append(name, cell("size", size(entry.size)), cell("modified", when(entry.modified)), cell("kind", kind(entry)));
    return made;
  }

  private clicked(event: MouseEvent): void {
    const at = placeOf(event.target);
    if (at < 0 || event.button !== 0) return;
    // Else the text under the mouse is marked, and the list loses the keys.
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.to(at, { ctrl: event.ctrlKey || event.metaKey, shift: event.shiftKey });
  }

  private opened(target: EventTarget | null): void {
    const entry = this.entries.get(placeOf(target));
    if (entry) this.ask.enter(entry);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.target !== this.element || !this.takes(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private takes(event: KeyboardEvent): boolean {
    const { key, ctrlKey, metaKey, shiftKey, altKey } = event;
    const at = Math.max(0, this.chosen.cursor);
    const screen = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 2);
    const none = this.chosen.cursor < 0;
    const steps: Record<string, number> = {
      ArrowDown: none ? 0 : at + 1,
      ArrowUp: at - 1,
      PageDown: at + screen,
      PageUp: at - screen,
      Home: 0,
      End: this.total - 1,
    };
    const step = steps[key];
    if (key === "Backspace" || (altKey && key === "ArrowUp")) this.ask.up();
    else if (altKey) return false;
    else if (step !== undefined) this.step(step, { ctrl: ctrlKey || metaKey, shift: shiftKey });
    else if (key === "Enter") this.enter();
    else if (key === " " && !this.word) this.to(at, { ctrl: true, shift: false });
    else if (key.length === 1 && !ctrlKey && !metaKey) this.spell(key, event.timeStamp);
    else return false;
    return true;
  }

  private step(at: number, held: { ctrl: boolean; shift: boolean }): void {
    this.word = "";
    if (this.total === 0) return;
    const place = Math.max(0, Math.min(this.total - 1, at));
    if (!held.ctrl || held.shift) return this.to(place, held);
    this.chosen.move(place);
    this.reveal(place);
  }

  private spell(key: string, time: number): void {
    // The same letter again means the next such name.
    const again = this.word === key && this.word.length === 1;
    const begins = time - this.typed > WORD_MS;
    this.word = begins || again ? key : this.word + key;
    this.typed = time;
    const finding = this.ask.find(this.word, Math.max(0, this.chosen.cursor) + (this.word.length === 1 ? 1 : 0));
    this.finding = finding;
    void finding.then(() => {
      if (this.finding === finding) this.finding = null;
    });
  }

  // Whoever types a name and Enter means that name, also when the kernel has not found it yet.
  private enter(): void {
    this.word = "";
    const enter = (): void => {
      if (this.current) this.ask.enter(this.current);
    };
    if (this.finding) void this.finding.then((found) => found && enter());
    else enter();
  }

  private to(at: number, held: { ctrl: boolean; shift: boolean }): void {
    this.chosen.put(at, held, (place) => this.entries.get(place));
    this.reveal(at);
    this.ask.chosen();
  }

  private reveal(at: number): void {
    const { element } = this;
    const room = element.clientHeight - ROW;
    if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
    else if (room > 0 && (at + 1) * ROW > element.scrollTop + room) element.scrollTop = (at + 1) * ROW - room;
    this.draw();
  }
}

function cell(column: Sort, text: string): HTMLElement {
  const made = document.createElement("div");
  made.className = `pvlink-files-${column}`;
  made.setAttribute("role", "gridcell");
  const words = document.createElement("span");
  words.textContent = text;
  made.append(words);
  return made;
}

function placeOf(target: EventTarget | null): number {
  const row = target instanceof Element ? target.closest<HTMLElement>(".pvlink-files-row") : null;
  return row ? Number(row.dataset.at) : -1;
}
