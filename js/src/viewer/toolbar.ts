// The small tool bar: one stop for the Tab key, arrows inside it.

import type { Action } from "../protocol";
import { ICONS, type Icon } from "./icons";
import type { Command } from "./keyboard";
import { Menu } from "./menu";

export interface ToolbarActions {
  action: (action: Action) => void;
  command: (command: Command) => void;
}

interface Tool {
  icon: Icon;
  label: string;
  key: string;
}

const TOOLS: readonly Tool[] = [
  { icon: "reset", label: "Reset camera", key: "R" },
  { icon: "views", label: "Standard views", key: "" },
  { icon: "screenshot", label: "Save screenshot", key: "" },
  { icon: "statistics", label: "Statistics", key: "S" },
  { icon: "fullscreen", label: "Full screen", key: "F" },
  // Last, so that it stays where it is when the others hide.
  { icon: "people", label: "Sharing", key: "" },
];
// What moves the camera, and not for those who only look.
const MOVERS: readonly Icon[] = ["reset", "views"];

export class Toolbar {
  readonly element = document.createElement("div");
  private readonly buttons = new Map<Icon, HTMLButtonElement>();
  private readonly count = document.createElement("span");

  constructor(actions: ToolbarActions, signal: AbortSignal) {
    this.element.className = "pvlink-toolbar";
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "View tools");
    for (const tool of TOOLS) this.buttons.set(tool.icon, button(tool));
    const all = [...this.buttons.values()];
    this.element.append(...all);
    this.count.className = "pvlink-count";
    this.people.append(this.count);
    this.people.hidden = true;
    this.stop();
    const menu = new Menu(this.get("views"), actions.action, signal);
    this.element.append(menu.element);
    this.on("reset", () => actions.action("reset"), signal);
    for (const command of ["screenshot", "statistics", "fullscreen"] as const) {
      this.on(command, () => actions.command(command), signal);
    }
    this.element.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  // Shows whether statistics or full screen are on.
  press(icon: "statistics" | "fullscreen", on: boolean): void {
    this.get(icon).setAttribute("aria-pressed", String(on));
  }

  // The button that opens the panel of sharing.
  get people(): HTMLButtonElement {
    return this.get("people");
  }

  // Hidden as long as nobody but the owner could watch; there to be seen, also without a hand on the view, when somebody does.
  showPeople(count: number, worth: boolean): void {
    this.people.hidden = !worth;
    this.count.textContent = String(count);
    const label = `Sharing: ${count} ${count === 1 ? "viewer" : "viewers"}`;
    this.people.setAttribute("aria-label", label);
    this.people.title = label;
    this.element.dataset.watched = String(worth && count > 1);
    this.stop();
  }

  allow(mayMove: boolean): void {
    for (const icon of MOVERS) this.get(icon).hidden = !mayMove;
    this.stop();
  }

  // One of the buttons that are there is the stop of the Tab key.
  private stop(wanted?: HTMLButtonElement): void {
    const there = [...this.buttons.values()].filter((each) => !each.hidden);
    const one = wanted ?? there.find((each) => each.tabIndex === 0) ?? there[0];
    for (const each of this.buttons.values()) each.tabIndex = each === one ? 0 : -1;
  }

  private get(icon: Icon): HTMLButtonElement {
    const found = this.buttons.get(icon);
    if (!found) throw new Error(`The tool bar has no ${icon} button.`);
    return found;
  }

  private on(icon: Icon, work: () => void, signal: AbortSignal): void {
    this.get(icon).addEventListener("click", work, { signal });
  }

  private key(event: KeyboardEvent): void {
    const all = [...this.buttons.values()].filter((each) => !each.hidden);
    const at = all.indexOf(event.target as HTMLButtonElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || step === undefined) return;
    const next = all.at((at + step) % all.length);
    this.stop(next);
    next?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

function button({ icon, label, key }: Tool): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `pvlink-tool pvlink-tool-${icon}`;
  made.innerHTML = ICONS[icon];
  made.setAttribute("aria-label", label);
  if (key) made.setAttribute("aria-keyshortcuts", key);
  made.title = key ? `${label} (${key})` : label;
  // Enter and the space bar press the button; JupyterLab would take them for the cell.
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  return made;
}
