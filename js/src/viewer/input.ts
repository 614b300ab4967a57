// Listens to the hand. What events mean is decided in mouse.ts, touch.ts, wheel.ts and keyboard.ts.

import type { InputEvent } from "../protocol";
import { isOurs, meaning, type Command } from "./keyboard";
import { Mouse } from "./mouse";
import { fraction, modifiers, pictureBox, type Point } from "./position";
import { Touch } from "./touch";
import { turned } from "./wheel";

export interface InputOptions {
  canvas: HTMLCanvasElement;
  push: (event: InputEvent) => void;
  command: (command: Command) => void;
  signal: AbortSignal;
}

// JupyterLab looks for its commands at the document, before any listener of ours: this attribute on the element
// that has the focus is how it is told to keep off.
const KEEP_OFF = "data-lm-suppress-shortcuts";

export class HandInput {
  private readonly mouse = new Mouse();
  private readonly touch = new Touch();
  // False: the hand only looks. The page scrolls under it, and the keys that change the view do nothing.
  private mayMove = true;

  constructor(private readonly options: InputOptions) {
    const { canvas, signal } = options;
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel", "lostpointercapture"] as const) {
      canvas.addEventListener(type, (event) => this.pointer(event), { signal });
    }
    canvas.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event), { signal });
    canvas.addEventListener("contextmenu", (event) => this.noMenu(event), { signal });
    // The middle button's automatic scrolling begins at mousedown, and a drag must not begin to select text.
    canvas.addEventListener("mousedown", (event) => this.mayMove && event.preventDefault(), { signal });
    // The window hears keys before the document does.
    addEventListener("keydown", (event) => this.claim(event), { signal, capture: true });
  }

  allow(mayMove: boolean): void {
    this.mayMove = mayMove;
    if (!mayMove) this.forget();
  }

  // The link was cut: whoever held a button there does not any more.
  forget(): void {
    this.mouse.forget();
    this.touch.forget();
  }

  private place(event: MouseEvent): Point {
    return fraction(pictureBox(this.options.canvas), event.clientX, event.clientY);
  }

  private pointer(event: PointerEvent): void {
    if (!this.mayMove) return;
    const events = event.pointerType === "touch" ? this.finger(event) : this.button(event);
    for (const each of events) this.options.push(each);
    if (event.type === "pointerdown" && events.length > 0) this.grab(event);
  }

  private grab(event: PointerEvent): void {
    const { canvas } = this.options;
    canvas.focus({ preventScroll: true });
    try {
      canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer may be gone already (a quick tap); then there is nothing to capture.
    }
  }

  private button(event: PointerEvent): InputEvent[] {
    const { type, buttons, timeStamp } = event;
    // What was pressed elsewhere and dragged in here is none of ours.
    if (type !== "pointerdown" && !this.mouse.held) return [];
    const place = this.place(event);
    const held = modifiers(event);
    const gone = type === "pointercancel" || type === "lostpointercapture";
    const page = { x: event.clientX, y: event.clientY };
    const events = this.mouse.change(gone ? 0 : buttons, place, page, timeStamp, held);
    return type === "pointermove" ? [{ type: "move", ...place, ...held }, ...events] : events;
  }

  private finger(event: PointerEvent): InputEvent[] {
    const place = this.place(event);
    const held = modifiers(event);
    const { width, height } = this.options.canvas;
    const aspect = height > 0 ? width / height : 1;
    if (event.type === "pointerdown") return this.touch.down(event.pointerId, place, aspect, held);
    if (event.type === "pointermove") return this.touch.move(event.pointerId, place, aspect, held);
    return this.touch.up(event.pointerId, place, held);
  }

  // The right button zooms. Neither the browser's menu may open there nor JupyterLab's, which listens at the document.
  private noMenu(event: Event): void {
    if (!this.mayMove) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private wheel(event: WheelEvent): void {
    if (!this.mayMove) return;
    event.preventDefault();
    event.stopPropagation();
    const turn = turned(event);
    if (!turn) return;
    // A track pad's pinch comes with a control key that nobody holds.
    const held = turn.type === "pinch" ? {} : modifiers(event);
    this.options.push({ ...turn, ...this.place(event), ...held });
  }

  private claim(event: KeyboardEvent): void {
    const { canvas } = this.options;
    // Inside a shadow root the window is told of its host only.
    if (event.composedPath()[0] !== canvas) return;
    if (isOurs(event)) canvas.setAttribute(KEEP_OFF, "true");
    else canvas.removeAttribute(KEEP_OFF);
  }

  private key(event: KeyboardEvent): void {
    if (!isOurs(event)) return;
    event.stopPropagation();
    const found = meaning(event);
    if (!found) return;
    event.preventDefault();
    if ("command" in found) this.options.command(found.command);
    else if (this.mayMove) this.options.push({ type: "action", action: found.action });
  }
}
