// The standard views: a menu under its button, by mouse and by arrow keys.

import type { Action } from "../protocol";

// [what is asked for, what it is called, its key]
export const VIEWS: readonly [action: Action, label: string, key: string][] = [
  ["+x", "+X", "X"],
  ["-x", "−X", "Shift+X"],
  ["+y", "+Y", "Y"],
  ["-y", "−Y", "Shift+Y"],
  ["+z", "+Z", "Z"],
  ["-z", "−Z", "Shift+Z"],
  ["isometric", "Isometric", "I"],
];

export class Menu {
  readonly element = document.createElement("div");
  private readonly items: HTMLButtonElement[];

  constructor(
    private readonly opener: HTMLButtonElement,
    pick: (action: Action) => void,
    signal: AbortSignal,
  ) {
    this.element.className = "pvlink-menu";
    this.element.setAttribute("role", "menu");
    this.element.setAttribute("aria-label", "Standard views");
    this.element.hidden = true;
    opener.setAttribute("aria-haspopup", "menu");
    opener.setAttribute("aria-expanded", "false");
    this.items = VIEWS.map(([action, label, key]) => {
      const item = entry(label, key);
      const picked = (): void => {
        this.show(false);
        pick(action);
      };
      item.addEventListener("click", picked, { signal });
      return item;
    });
    this.element.append(...this.items);
    this.element.addEventListener("keydown", (event) => this.key(event), { signal });
    opener.addEventListener("click", () => this.show(this.element.hidden), { signal });
    this.closeElsewhere(signal);
  }

  private closeElsewhere(signal: AbortSignal): void {
    const elsewhere = (event: Event): void => {
      if (this.element.hidden || event.composedPath().includes(this.element)) return;
      if (!event.composedPath().includes(this.opener)) this.show(false, false);
    };
    addEventListener("pointerdown", elsewhere, { signal, capture: true });
    addEventListener("focusin", elsewhere, { signal, capture: true });
  }

  private show(open: boolean, refocus = true): void {
    this.element.hidden = !open;
    this.opener.setAttribute("aria-expanded", String(open));
    if (open) this.items[0]?.focus();
    else if (refocus) this.opener.focus();
  }

  private key(event: KeyboardEvent): void {
    const at = this.items.indexOf(event.target as HTMLButtonElement);
    const places: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: this.items.length - 1,
    };
    const to = places[event.key];
    if (to !== undefined) this.items.at(to % this.items.length)?.focus();
    else if (event.key === "Escape") this.show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function entry(label: string, key: string): HTMLButtonElement {
  const item = document.createElement("button");
  item.type = "button";
  item.tabIndex = -1;
  item.setAttribute("role", "menuitem");
  item.setAttribute("data-lm-suppress-shortcuts", "true");
  const name = document.createElement("span");
  name.textContent = label;
  const hint = document.createElement("kbd");
  hint.textContent = key;
  item.append(name, hint);
  return item;
}
