// The elements of a viewer, and nothing of their behaviour.

import type { Role } from "../protocol";
import { ICONS } from "./icons";
import { KEY_HELP, LOOKER_HELP } from "./keyboard";
import { STYLE } from "./style";

export interface StageOptions {
  width?: string | number;
  height?: string | number;
  // A data URL to show until the first frame.
  picture?: string;
}

export interface Stage {
  root: HTMLDivElement;
  canvas: HTMLCanvasElement;
  // The picture that stands in until the first frame.
  still: HTMLImageElement;
  // Says that this viewer may only look.
  mark: HTMLElement;
}

const css = (size: string | number): string => (typeof size === "number" ? `${size}px` : size);

export function buildStage({ width, height, picture }: StageOptions): Stage {
  const root = document.createElement("div");
  root.className = "pvlink";
  root.dataset.painted = "false";
  if (width !== undefined && width !== "") root.style.width = css(width);
  if (height !== undefined && height !== "") root.style.height = css(height);
  // Each viewer brings its own sheet: it goes with it, and it works inside a host's shadow root.
  const style = document.createElement("style");
  style.textContent = STYLE;
  const empty = document.createElement("div");
  empty.className = "pvlink-empty";
  empty.innerHTML = ICONS.views;
  const still = standIn(picture);
  empty.hidden = !still.hidden;
  const canvas = buildCanvas();
  const ring = document.createElement("div");
  ring.className = "pvlink-ring";
  const mark = document.createElement("div");
  mark.className = "pvlink-mark";
  mark.textContent = "View only";
  mark.hidden = true;
  root.append(style, empty, still, canvas, ring, mark);
  return { root, canvas, still, mark };
}

function standIn(picture: string | undefined): HTMLImageElement {
  const still = document.createElement("img");
  still.className = "pvlink-still";
  still.alt = "Last picture of this view";
  still.hidden = !picture;
  if (picture) still.src = picture;
  return still;
}

function buildCanvas(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = "pvlink-picture";
  canvas.tabIndex = 0;
  // "application": arrows and letters are for the picture, not for the screen reader.
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "interactive 3D view");
  canvas.setAttribute("aria-label", `ParaView view. ${KEY_HELP}`);
  return canvas;
}

export function showRole({ root, canvas, mark }: Stage, role: Role): void {
  root.dataset.role = role;
  mark.hidden = role !== "view";
  canvas.setAttribute("aria-label", `ParaView view${role === "view" ? `, view only. ${LOOKER_HELP}` : `. ${KEY_HELP}`}`);
}

// The first frame is there: the stand-in has done its work.
export function showPainted({ root, still }: Stage): void {
  if (root.dataset.painted === "true") return;
  root.dataset.painted = "true";
  still.removeAttribute("src");
  still.hidden = true;
  root.querySelector<HTMLElement>(".pvlink-empty")?.setAttribute("hidden", "");
}
