// How fast it goes, in numbers. Pure: time is passed in.

import type { Codec } from "../protocol";
import type { Painted } from "./painter";

// Over how long rates are counted, and over how many frames the medians.
const WINDOW_MS = 2_000;
const REMEMBERED = 240;

export interface Snapshot {
  frames: number;
  stills: number;
  // Frames that a newer one overtook in this browser.
  overtaken: number;
  fps: number;
  // Input to painted, milliseconds; null as long as no frame answered an input.
  latencyP50: number | null;
  latencyP95: number | null;
  bytesPerSecond: number;
  bytes: number;
  // Medians: of a frame's size, and milliseconds.
  frameBytes: number;
  decodeMs: number;
  decodeP95: number;
  paintMs: number;
  paintP95: number;
  encodeMs: number;
  renderMs: number;
  width: number;
  height: number;
  codec: Codec | "";
  // What this browser said it decodes, and did not.
  failed: readonly Codec[];
}

interface Sample {
  at: number;
  bytes: number;
}

export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}

// A bounded list of the newest numbers.
class Recent {
  readonly values: number[] = [];

  add(value: number): void {
    this.values.push(value);
    if (this.values.length > REMEMBERED) this.values.shift();
  }

  get median(): number {
    return quantile(this.values, 0.5) ?? 0;
  }

  get p95(): number {
    return quantile(this.values, 0.95) ?? 0;
  }
}

export class Statistics {
  private samples: Sample[] = [];
  private readonly latency = new Recent();
  private readonly decode = new Recent();
  private readonly paint = new Recent();
  private readonly encode = new Recent();
  private readonly render = new Recent();
  private readonly size = new Recent();
  private readonly totals = { frames: 0, stills: 0, overtaken: 0, bytes: 0, width: 0, height: 0, codec: "" as const };

  add({ frame, decodeMs, paintMs, at, overtaken }: Painted, inputMs: number): void {
    const { totals } = this;
    totals.frames += 1;
    totals.stills += frame.still ? 1 : 0;
    totals.overtaken += overtaken;
    totals.bytes += frame.data.byteLength;
    Object.assign(totals, { width: frame.width, height: frame.height, codec: frame.codec });
    this.samples.push({ at, bytes: frame.data.byteLength });
    this.forgetBefore(at - WINDOW_MS);
    this.decode.add(decodeMs);
    this.paint.add(paintMs);
    this.encode.add(frame.encode_ms);
    this.size.add(frame.data.byteLength);
    this.render.add(frame.render_ms + frame.readback_ms);
    if (inputMs > 0) this.latency.add(inputMs);
  }

  snapshot(now: number, failed: readonly Codec[] = []): Snapshot {
    this.forgetBefore(now - WINDOW_MS);
    return {
      ...this.totals,
      fps: this.fps(),
      latencyP50: quantile(this.latency.values, 0.5),
      latencyP95: quantile(this.latency.values, 0.95),
      bytesPerSecond: this.samples.reduce((sum, { bytes }) => sum + bytes, 0) / (WINDOW_MS / 1000),
      frameBytes: this.size.median,
      decodeMs: this.decode.median,
      decodeP95: this.decode.p95,
      paintMs: this.paint.median,
      paintP95: this.paint.p95,
      encodeMs: this.encode.median,
      renderMs: this.render.median,
      failed,
    };
  }

  // Intervals, not frames: two frames 50 ms apart are 20 a second, whenever the window began.
  private fps(): number {
    const first = this.samples[0];
    const last = this.samples[this.samples.length - 1];
    if (!first || !last || last.at <= first.at) return 0;
    return ((this.samples.length - 1) * 1000) / (last.at - first.at);
  }

  private forgetBefore(at: number): void {
    const kept = this.samples.findIndex((sample) => sample.at >= at);
    this.samples = kept < 0 ? [] : this.samples.slice(kept);
  }
}
