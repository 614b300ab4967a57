// Frames of a video to pictures. Each needs the one before it, so every one is decoded, in order, also those that
// nobody will see. Where one is missing the decoder has lost its place, until a frame comes that needs no other.

import type { Frame } from "../protocol";
import { videoConfig } from "./codecs";
import { filmed, type Arrived, type Picture } from "./decoder";

export interface VideoEvents {
  decoded(arrived: Arrived, picture: Picture): void;
  // There will be no picture of this frame.
  skipped(arrived: Arrived): void;
  // The place is lost; said once for each time.
  refresh(): void;
  // The browser cannot decode this, although it said so.
  undecodable(arrived: Arrived, error: unknown): void;
}

// `refresh`: lost, and a frame that needs no other is asked for.
type Place = "lost" | "refresh" | "kept";

// The streamer's credits are fewer; whoever sends more than a second's worth must not fill the memory.
const LONGEST_QUEUE = 30;
// Decoders that reorder frames wait for the next, which comes only after this one was drawn. And some hang.
const STALL_MS = 4_000;
// Microseconds. Any will do that tell the frames apart and grow.
const TICK = 1_000;

// A page in the background may have its decoder taken away; that says nothing about the codec.
const wasReclaimed = (error: unknown): boolean => error instanceof DOMException && error.name === "QuotaExceededError";

export class Video {
  private decoder: VideoDecoder | null = null;
  private place: Place = "lost";
  // The key frame that the decoder was configured for.
  private key: Frame | null = null;
  // In the decoder, by their time stamps.
  private readonly inside = new Map<number, Arrived>();
  // What has failed here. Frames that were on their way when that was said may still come.
  private readonly failed = new Set<string>();
  private stall: ReturnType<typeof setTimeout> | undefined;
  private hasStalled = false;

  constructor(private readonly events: VideoEvents) {}

  take(arrived: Arrived): void {
    const { frame } = arrived;
    if (this.failed.has(frame.codec)) return this.events.skipped(arrived);
    if (this.inside.size >= LONGEST_QUEUE) this.lose();
    if (frame.key) this.begin(arrived);
    else if (this.place === "kept" && this.continues(frame)) this.decode(arrived);
    else this.miss(arrived);
  }

  // The link was cut: the next one begins with a key frame.
  forget(): void {
    this.leave();
  }

  private continues({ codec, config, width, height }: Frame): boolean {
    const { key } = this;
    if (!key || codec !== key.codec || width !== key.width || height !== key.height) return false;
    return config === "" || config === key.config;
  }

  private begin(arrived: Arrived): void {
    const { frame } = arrived;
    try {
      if (!this.decoder || !this.continues(frame)) this.configure(frame);
    } catch (error) {
      return this.refuse(arrived, error);
    }
    this.key = frame;
    this.place = "kept";
    this.decode(arrived);
  }

  private configure({ config, width, height }: Frame): void {
    this.decoder ??= this.build();
    this.decoder.configure(videoConfig(config, width, height));
  }

  private build(): VideoDecoder {
    // What an abandoned decoder says late is not this one's.
    const mine = (): boolean => this.decoder === decoder;
    const decoder: VideoDecoder = new VideoDecoder({
      output: (picture) => (mine() ? this.leaves(picture) : picture.close()),
      error: (error) => mine() && this.fail(error),
    });
    return decoder;
  }

  private decode(arrived: Arrived): void {
    const { frame, order } = arrived;
    const timestamp = order * TICK;
    this.inside.set(timestamp, arrived);
    this.watch();
    try {
      const data = frame.data as Uint8Array<ArrayBuffer>;
      this.decoder?.decode(new EncodedVideoChunk({ type: frame.key ? "key" : "delta", timestamp, data }));
    } catch (error) {
      this.fail(error);
    }
  }

  private leaves(picture: VideoFrame): void {
    const arrived = this.inside.get(picture.timestamp);
    if (!arrived) return picture.close();
    this.hasStalled = false;
    for (const [timestamp, older] of this.inside) {
      if (timestamp > picture.timestamp) break;
      this.inside.delete(timestamp);
      // A decoder that makes no picture of a frame does not say so.
      if (older !== arrived) this.events.skipped(older);
    }
    this.watch();
    this.events.decoded(arrived, filmed(picture));
  }

  private fail(error: unknown): void {
    const [oldest] = this.inside.values();
    if (!oldest || wasReclaimed(error)) this.lose();
    else this.refuse(oldest, error);
  }

  private refuse(arrived: Arrived, error: unknown): void {
    this.failed.add(arrived.frame.codec);
    const others = this.leave().filter((each) => each !== arrived);
    this.events.undecodable(arrived, error);
    for (const other of others) this.events.skipped(other);
  }

  private lose(): void {
    for (const each of this.leave()) this.miss(each);
  }

  private miss(arrived: Arrived): void {
    this.events.skipped(arrived);
    if (this.place === "refresh") return;
    this.place = "refresh";
    this.events.refresh();
  }

  // Answers what was in the decoder.
  private leave(): Arrived[] {
    const waiting = [...this.inside.values()];
    this.inside.clear();
    clearTimeout(this.stall);
    this.place = "lost";
    this.key = null;
    const { decoder } = this;
    this.decoder = null;
    if (decoder && decoder.state !== "closed") decoder.close();
    return waiting;
  }

  // Runs while something is in the decoder, from the last time that something came out.
  private watch(): void {
    clearTimeout(this.stall);
    if (this.inside.size > 0) this.stall = setTimeout(() => this.stalled(), STALL_MS);
  }

  // Once may be a computer that slept. Twice, with nothing in between, is a decoder that keeps what it gets.
  private stalled(): void {
    if (this.hasStalled) return this.fail(new Error(`nothing came out for ${STALL_MS / 1000} s`));
    this.hasStalled = true;
    this.lose();
  }
}

