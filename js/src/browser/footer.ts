// What is chosen and which reader reads it; the button that opens it; what went wrong, and what was opened.

import { copy } from "../viewer/clipboard";
import { iconButton } from "./icons";
import type { Entry, Opened } from "./messages";

export interface Asks {
  open(reader: string): void;
  // The readers of what is chosen.
  readers(): void;
}

// Who walks through a list with the arrow keys does not ask about each file on the way.
const REST_MS = 200;

export class Footer {
  readonly element = document.createElement("div");
  private readonly error = part("pvlink-files-error");
  private readonly result = part("pvlink-files-result");
  private readonly counted = part("pvlink-files-count");
  private readonly spinner = part("pvlink-files-busy");
  private readonly select = document.createElement("select");
  private readonly button = document.createElement("button");
  private resting: ReturnType<typeof setTimeout> | undefined;
  private isOpening = false;

  constructor(private readonly asks: Asks) {
    this.element.className = "pvlink-files-foot";
    this.error.setAttribute("role", "alert");
    this.result.setAttribute("role", "status");
    this.counted.setAttribute("role", "status");
    this.spinner.textContent = "The kernel is at work";
    this.error.hidden = this.result.hidden = this.spinner.hidden = true;
    this.select.setAttribute("aria-label", "Reader");
    this.select.title = "Which of ParaView's readers opens it";
    this.button.type = "button";
    this.button.className = "pvlink-files-open";
    this.button.textContent = "Open";
    this.button.addEventListener("click", () => this.asks.open(this.reader));
    const line = part("pvlink-files-line");
    line.append(this.counted, this.spinner, this.select, this.button);
    this.element.append(this.error, this.result, line);
    this.choose([], false);
  }

  // Empty: the best one.
  get reader(): string {
    return this.select.value;
  }

  say(error: string): void {
    this.error.textContent = error;
    this.error.hidden = error === "";
  }

  busy(busy: boolean): void {
    this.spinner.hidden = !busy;
    this.element.parentElement?.setAttribute("aria-busy", String(busy));
  }

  count(words: string, host: string): void {
    this.counted.textContent = host ? `${words} on ${host}` : words;
  }

  // Files that are chosen; `folders`: others are, too.
  choose(entries: Entry[], folders: boolean): void {
    clearTimeout(this.resting);
    const [first] = entries;
    this.readers(first?.reader ? [[first.reader, first.description]] : [], "Reader");
    this.select.disabled = first === undefined;
    this.button.disabled = this.isOpening || (first === undefined && !folders);
    if (first) this.resting = setTimeout(() => this.asks.readers(), REST_MS);
  }

  offer(readers: [name: string, description: string][]): void {
    this.readers(readers, "No reader reads it");
  }

  opening(opening: boolean): void {
    this.isOpening = opening;
    this.button.disabled = opening;
    this.button.textContent = opening ? "Opening…" : "Open";
  }

  opened({ name, reader, note, code }: Opened): void {
    const words = document.createElement("span");
    words.append(strong(name), ` is open, by ${reader}. In Python it is `, quoted("browser.source"), ". ", note);
    const line = part("pvlink-files-code");
    const copied = iconButton("copy", "Copy this line");
    copied.addEventListener("click", () => void copy(code, line).then((done) => done && (copied.title = "Copied")));
    const text = quoted(code);
    text.tabIndex = 0;
    line.append(text, copied);
    this.result.replaceChildren(words, line);
    this.result.dataset.note = String(note !== "");
    this.result.hidden = false;
  }

  // The first is taken without being named: should it say that a file is none of its own, the kernel says so.
  private readers([first, ...others]: [name: string, description: string][], without: string): void {
    const before = this.select.value;
    const best = option("", first ? worded(first) : without);
    this.select.replaceChildren(best, ...others.map((one) => option(one[0], worded(one))));
    this.select.value = others.some(([name]) => name === before) ? before : "";
  }
}

const worded = ([name, description]: [string, string]): string => (description ? `${name} (${description})` : name);

function option(value: string, text: string): HTMLOptionElement {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function part(name: string): HTMLDivElement {
  const made = document.createElement("div");
  made.className = name;
  return made;
}

function strong(text: string): HTMLElement {
  const made = document.createElement("strong");
  made.textContent = text;
  return made;
}

function quoted(text: string): HTMLElement {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}
