// What the hand did, on its way to the streamer: numbered, merged, at most one message a frame, never waiting for an answer.

import type { Input, InputEvent } from "../protocol";
import { Beat } from "./clock";
import { bounded, mayWait, merge, messages } from "./merge";

// Released while nobody listened; more buttons than this no hand has.
const MOST_RELEASES = 8;
// A frame that answers none of the newest 256 inputs is too late to be counted.
const REMEMBERED = 256;

export class Outbox {
  private queue: InputEvent[] = [];
  private seq = 0;
  private held = false;
  // When the newest event of each message happened, until a frame answers it.
  private readonly sent = new Map<number, number>();
  private readonly beat: Beat;

  constructor(
    private readonly send: (input: Input) => void,
    private readonly now: () => number = () => performance.now(),
    schedule?: (work: () => void) => () => void,
  ) {
    this.beat = new Beat(() => this.flush(), schedule);
  }

  push(event: InputEvent): void {
    if (this.held) return this.keep(event);
    merge(this.queue, event);
    if (mayWait(event)) this.beat.ask();
    else this.flush();
  }

  // Milliseconds since the input that a frame answers; 0 if it answers no input, or one that was answered before.
  answered(seq: number | undefined, at: number): number {
    const when = seq === undefined ? undefined : this.sent.get(seq);
    if (seq === undefined || when === undefined) return 0;
    for (const older of this.sent.keys()) if (older <= seq) this.sent.delete(older);
    return Math.max(0, at - when);
  }

  // While nobody takes anything nothing is kept but what was let go: else a button would stay down for ever.
  hold(held: boolean): void {
    this.held = held;
    if (held) this.beat.stop();
    else this.flush();
  }

  private keep(event: InputEvent): void {
    if (event.type === "up" && this.queue.length < MOST_RELEASES) this.queue.push(bounded(event));
  }

  // The link was cut: what was on its way is gone, and nobody will answer it.
  forget(): void {
    this.beat.stop();
    this.queue = [];
    this.sent.clear();
  }

  private flush(): void {
    this.beat.stop();
    const queue = this.queue;
    this.queue = [];
    for (const events of messages(queue)) {
      this.seq += 1;
      this.remember(this.seq);
      this.send({ seq: this.seq, events });
    }
  }

  private remember(seq: number): void {
    this.sent.set(seq, this.now());
    const oldest = this.sent.keys().next();
    if (this.sent.size > REMEMBERED && !oldest.done) this.sent.delete(oldest.value);
  }
}
