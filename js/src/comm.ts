// A websocket made of the widget's messages: to the kernel, which hands them on to the streamer (docs/wire.md).
//
// While a cell runs the kernel hears nothing. It is asked nothing either, then, but for what has gone already: each
// message waits in its queue, and all of them would come at once when the cell has ended.

import { CLOSE_FULL, CLOSE_GONE, type CommCall, type CommWord, type Door, type Grant } from "./protocol";
import type { Admission, Held, Socket } from "./viewer/admission";

// What anywidget gives of a widget's model.
export interface CommModel {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, heard: (content: unknown, buffers?: readonly DataView[]) => void): void;
  off(event: string, heard: (content: unknown, buffers?: readonly DataView[]) => void): void;
}

// The kernel says at once what it has taken; after this it is busy.
const OVERDUE_MS = 700;
// Messages under way; what comes meanwhile goes together in the next one. Each costs the kernel, and the page, more
// than all that is in it.
const WINDOW = 2;
// What may wait for that: who waits for answers never has so much.
const MOST_WAITING = 256;

export const dice = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (each) => each.toString(16).padStart(2, "0")).join("");

// What is not said is not meant.
type Call = Pick<CommCall, "pvlink" | "channel" | "seq"> & Partial<CommCall>;

export type Leave = { door: Door | null; grant: Grant } | Exclude<Admission, { kind: "granted" }>;

// A buffer of a message: all of what it lies in, or a part.
function bufferOf({ buffer, byteOffset, byteLength }: DataView): ArrayBuffer {
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}

function dataOf({ text, base64 }: CommWord, buffer?: DataView): string | ArrayBuffer | null {
  if (buffer) return bufferOf(buffer);
  return typeof base64 === "string" ? fromText(base64) : text;
}

function toText(bytes: Uint8Array): string {
  let text = "";
  // As many arguments as a function surely takes.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

const fromText = (text: string): ArrayBuffer => Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer;

function refusal({ code, message, final }: CommWord): Leave {
  if (code === CLOSE_GONE) return { kind: "away", message };
  if (code === CLOSE_FULL) return { kind: "busy", message, waitMs: 1_000 };
  return { kind: "ended", message, final };
}

export class CommSocket extends EventTarget implements Socket {
  binaryType: BinaryType = "arraybuffer";
  readyState = 0;
  private readonly channel = dice(16);
  private seq = 0;
  private seen = 0;
  // Since when the kernel owes a word.
  private owed: ReturnType<typeof setTimeout> | undefined;
  private overdue = false;
  private busy = false;
  private told: Held = "";
  private readonly waiting: Uint8Array<ArrayBuffer>[] = [];
  private answer: ((leave: Leave) => void) | null = null;
  private readonly heard = (content: unknown, buffers?: readonly DataView[]): void => this.hear(content, buffers ?? []);
  // The kernel restarted, or the page has lost it.
  private readonly cut = (): void => {
    this.end(1006, "");
    this.answer?.({ kind: "away", message: "" });
  };

  constructor(
    private readonly model: CommModel,
    private readonly hold: (held: Held) => void,
    // Whether bytes travel as text: kernel gateways cut the kernel's connection at a buffer.
    private readonly plain = false,
  ) {
    super();
    model.on("msg:custom", this.heard);
  }

  get held(): boolean {
    return this.told !== "";
  }

  // Asks for leave with a ticket thrown here: what the kernel says others can read, what it is told not.
  ask(direct: boolean, signal: AbortSignal): Promise<Leave> {
    const [ticket, key] = [dice(16), dice(32)];
    return new Promise((done) => {
      this.answer = (said) => {
        this.answer = null;
        done("grant" in said ? { ...said, grant: { ...said.grant, ticket, key } } : said);
      };
      signal.addEventListener("abort", () => this.close(), { once: true });
      this.call("ticket", { ticket, key, direct });
    });
  }

  open(): this {
    this.model.on("comm_live_update", this.cut);
    this.call("open", this.plain ? { plain: true } : {});
    return this;
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    // Text is the greeting, before all else.
    if (typeof data === "string") return this.call("data", { text: data });
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data as ArrayBuffer);
    this.waiting.push(bytes.slice());
    if (this.waiting.length > MOST_WAITING) queueMicrotask(this.cut);
    this.flush();
  }

  private flush(): void {
    if (this.waiting.length === 0 || this.seq - this.seen >= WINDOW || this.readyState !== 1) return;
    const all = this.waiting.splice(0);
    if (this.plain) this.call("data", { base64: all.map(toText) });
    else this.call("data", {}, all.map(({ buffer }) => buffer));
  }

  close(): void {
    if (this.readyState > 1) return;
    if (this.seq > 1) this.call("close");
    this.leave();
    this.answer?.({ kind: "away", message: "" });
  }

  private call(pvlink: CommCall["pvlink"], more: Partial<CommCall> = {}, buffers: ArrayBuffer[] = []): void {
    this.seq += 1;
    const call: Call = { pvlink, channel: this.channel, seq: this.seq, ...more };
    try {
      this.model.send(call, undefined, buffers);
    } catch {
      // The page has let go of the kernel. Whoever calls is not done yet: it hears of it after.
      if (pvlink !== "close") queueMicrotask(this.cut);
      return;
    }
    this.owed ??= setTimeout(() => this.mark(true), OVERDUE_MS);
  }

  private hear(content: unknown, buffers: readonly DataView[]): void {
    // Each front end of the kernel hears what it says to any of them.
    if (typeof content !== "object" || content === null || !("channel" in content)) return;
    if (content.channel !== this.channel) return;
    const word = content as CommWord;
    this.settle(word);
    const [buffer] = buffers;
    switch (word.pvlink) {
      case "granted":
        return this.answer?.({ door: word.door, grant: { ticket: "", key: "", view: word.view, role: word.role } });
      case "refused":
        return this.answer?.(refusal(word));
      case "open":
        this.readyState = 1;
        return void this.dispatchEvent(new Event("open"));
      case "data":
        return void this.dispatchEvent(new MessageEvent("message", { data: dataOf(word, buffer) }));
      case "closed":
        return this.end(word.code, word.message);
    }
  }

  // What a word tells of the kernel, whatever it says besides.
  private settle({ pvlink, seen }: CommWord): void {
    if (seen > this.seen) {
      this.seen = seen;
      clearTimeout(this.owed);
      this.owed = seen < this.seq ? setTimeout(() => this.mark(true), OVERDUE_MS) : undefined;
      this.overdue = false;
    }
    if (pvlink === "busy") this.busy = true;
    if (pvlink === "idle") this.busy = false;
    this.mark(this.overdue);
    this.flush();
  }

  private mark(overdue: boolean): void {
    this.overdue = overdue;
    const held = this.busy ? "busy" : overdue ? "silent" : "";
    if (held === this.told) return;
    this.told = held;
    this.hold(held);
  }

  private end(code: number, reason: string): void {
    if (this.readyState > 1) return;
    this.leave();
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  private leave(): void {
    this.readyState = 3;
    clearTimeout(this.owed);
    this.owed = undefined;
    this.model.off("msg:custom", this.heard);
    this.model.off("comm_live_update", this.cut);
    this.busy = false;
    this.mark(false);
  }
}
