// Where one is: the parts of the path as buttons, and a field to type another in.

import { iconButton } from "./icons";

export interface Paths {
  part(number: number): void;
  path(path: string): void;
}

export class PathBar {
  readonly element = document.createElement("div");
  private readonly crumbs = document.createElement("div");
  private readonly field = document.createElement("input");
  private readonly edit = iconButton("edit", "Type a path");
  private path = "";

  constructor(private readonly go: Paths) {
    this.element.className = "pvlink-files-path";
    this.crumbs.className = "pvlink-files-crumbs";
    this.crumbs.setAttribute("role", "group");
    this.crumbs.setAttribute("aria-label", "Path");
    this.field.type = "text";
    this.field.spellcheck = false;
    this.field.hidden = true;
    this.field.setAttribute("aria-label", "Path");
    this.field.maxLength = 4096;
    this.element.append(this.crumbs, this.field, this.edit);
    this.edit.addEventListener("click", () => this.type());
    // Beside the parts, as in other file dialogs.
    this.crumbs.addEventListener("click", ({ target }) => target === this.crumbs && this.type());
    this.field.addEventListener("blur", () => this.show());
    this.field.addEventListener("keydown", (event) => this.pressed(event));
  }

  update(path: string, parts: string[]): void {
    this.path = path;
    this.crumbs.replaceChildren(...parts.map((part, number) => this.crumb(part, number, parts.length)));
    this.crumbs.scrollLeft = this.crumbs.scrollWidth;
    this.show();
  }

  type(): void {
    this.field.value = this.path;
    this.crumbs.hidden = this.edit.hidden = true;
    this.field.hidden = false;
    this.field.focus();
    this.field.select();
  }

  private show(): void {
    this.crumbs.hidden = this.edit.hidden = false;
    this.field.hidden = true;
  }

  private pressed(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape") {
      this.show();
      this.edit.focus();
    } else if (event.key === "Enter" && this.field.value) {
      const typed = this.field.value;
      event.preventDefault();
      this.show();
      this.go.path(typed);
    }
  }

  private crumb(part: string, number: number, all: number): HTMLElement {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "pvlink-files-crumb";
    made.textContent = part;
    made.title = part;
    if (number === all - 1) made.setAttribute("aria-current", "location");
    made.addEventListener("click", () => this.go.part(number));
    return made;
  }
}
