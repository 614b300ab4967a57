// The statistics as an overlay. It runs while frames come and for one window after the last, then stands still.

import { NAMES } from "./codecs";
import type { Snapshot } from "./stats";

const REFRESH_MS = 250;

const milliseconds = (value: number | null): string => (value === null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`);

export function amount(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function rows(stats: Snapshot): [label: string, value: string][] {
  return [
    ["Frames", `${stats.fps.toFixed(stats.fps < 10 ? 1 : 0)} /s`],
    ["Latency, median", milliseconds(stats.latencyP50)],
    ["Latency, 95 %", milliseconds(stats.latencyP95)],
    ["Bandwidth", `${amount(stats.bytesPerSecond)}/s`],
    ["Frame", stats.frames ? amount(stats.frameBytes) : "–"],
    ["Render", milliseconds(stats.renderMs)],
    ["Encode", milliseconds(stats.encodeMs)],
    ["Decode, median", milliseconds(stats.decodeMs)],
    ["Decode, 95 %", milliseconds(stats.decodeP95)],
    ["Paint, median", milliseconds(stats.paintMs)],
    ["Paint, 95 %", milliseconds(stats.paintP95)],
    ["Picture", stats.codec ? `${stats.width} × ${stats.height} ${NAMES[stats.codec]}` : "–"],
    // Head and cell together are a sentence.
    ...stats.failed.map((codec): [string, string] => [NAMES[codec], "could not be decoded here; pictures instead"]),
  ];
}

export class Panel {
  readonly element = document.createElement("table");
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly read: () => Snapshot) {
    this.element.className = "pvlink-stats";
    this.element.hidden = true;
    this.element.setAttribute("aria-label", "Statistics of this view");
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    this.element.hidden = this.open;
    if (this.open) this.refresh();
    else this.stop();
  }

  // A frame was painted: the numbers are stale.
  touch(): void {
    if (this.open && this.timer === undefined) this.timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private refresh(): void {
    this.stop();
    const stats = this.read();
    this.element.replaceChildren(...rows(stats).map(([label, value]) => row(label, value)));
    if (stats.bytesPerSecond > 0) this.touch();
  }
}

function row(label: string, value: string): HTMLTableRowElement {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = label;
  const cell = document.createElement("td");
  cell.textContent = value;
  line.append(head, cell);
  return line;
}
