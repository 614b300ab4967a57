// A WebSocket and the streamer behind it, nastier than the real ones: messages come in pieces, late, by turns, or never.

import { createHmac } from "node:crypto";
import { Decoder, encode } from "@msgpack/msgpack";
import { PROTOCOL_VERSION, type Grant, type Greet, type Greeted, type Joined, type ViewState } from "../../src/protocol";
import type { Admission } from "../../src/viewer/admission";

const HEADER = 12;

export interface Call {
  id: string;
  method: string;
  args: unknown[];
}

const LIVE: ViewState = { state: "live", message: "", progress: null };
export const JOINED: Joined = { protocol: PROTOCOL_VERSION, version: "0.1.0", client: "c1", role: "owner", state: LIVE };

export const GRANT: Grant = { ticket: "t1", key: "k-of-t1", view: "v1", role: "owner" };
export const GRANTED: Admission = { kind: "granted", grant: GRANT };

type Answer = (call: Call) => unknown;

// An answer that never comes.
export const SILENCE = Symbol("silence");

export class FakeSocket extends EventTarget {
  static readonly all: FakeSocket[] = [];
  binaryType = "blob";
  readyState = 0;
  bufferedAmount = 0;
  readonly calls: Call[] = [];
  readonly greets: Greet[] = [];
  // What the streamer knows of the ticket, and what it answers to a greeting; text is sent as it is.
  grant = GRANT;
  greeted: (honest: Greeted) => Greeted | string | ArrayBuffer | typeof SILENCE = (honest) => honest;
  closedByViewer = false;
  // Largest piece of a message, header not counted.
  piece = 1 << 20;
  answers: Record<string, Answer> = {
    "wslink.hello": ({ args: [hello] }) =>
      (hello as { secret: unknown }).secret === this.proof("viewer")
        ? { clientID: "c1", maxMsgSize: 4_194_304 }
        : new Error("Authentication failed"),
    "pvlink.join": () => JOINED,
    "pvlink.ping": (call) => call.args[0],
  };
  private count = 0;

  constructor(readonly url: string) {
    super();
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    const last = FakeSocket.all.at(-1);
    if (!last) throw new Error("Nobody has opened a socket.");
    return last;
  }

  // What the viewer sees of a socket.
  static readonly open = (url: string): WebSocket => new FakeSocket(url) as unknown as WebSocket;

  accept(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  // Opens, and lets handshake, hello and join pass.
  async join(): Promise<void> {
    this.accept();
    await settle();
  }

  drop(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  send(data: Uint8Array | string): void {
    if (this.readyState !== 1) throw new Error("InvalidStateError: the socket is not open");
    if (typeof data === "string") return this.greet(JSON.parse(data) as Greet);
    const call = new Decoder().decode(data.slice(HEADER)) as Call;
    this.calls.push(call);
    const answer = this.answers[call.method]?.(call);
    if (answer === SILENCE) return;
    if (answer instanceof Error) this.deliver({ id: call.id, error: { code: -32001, message: answer.message } });
    else this.deliver({ id: call.id, result: answer ?? null });
  }

  private greet(greet: Greet): void {
    this.greets.push(greet);
    const answer = this.greeted({
      protocol: PROTOCOL_VERSION,
      version: "0.1.0",
      nonce: "nonce-of-the-streamer",
      proof: this.proof("streamer"),
    });
    if (answer === SILENCE) return;
    this.raw(answer instanceof ArrayBuffer || typeof answer === "string" ? answer : JSON.stringify(answer));
  }

  // By another hand than the viewer's own.
  private proof(side: "streamer" | "viewer"): string {
    const said = [`pvlink ${side}`, this.grant.ticket, this.greets.at(-1)?.nonce, "nonce-of-the-streamer"].join("\n");
    return createHmac("sha256", this.grant.key).update(said).digest("hex");
  }

  close(): void {
    this.closedByViewer = true;
    this.readyState = 3;
  }

  publish(topic: string, message: unknown): void {
    this.deliver({ id: `publish:${topic}:${this.count++}`, result: message });
  }

  deliver(message: unknown): void {
    for (const part of this.pieces(message)) this.raw(part);
  }

  raw(data: ArrayBuffer | string): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  // A message in wslink's chunks: number, offset and total size, little endian.
  pieces(message: unknown): ArrayBuffer[] {
    const body = encode({ wslink: "1.0", ...(message as object) });
    const number = ++this.count;
    const found: ArrayBuffer[] = [];
    for (let offset = 0; offset < body.length; offset += this.piece) {
      const part = body.slice(offset, offset + this.piece);
      const whole = new Uint8Array(HEADER + part.length);
      const head = new DataView(whole.buffer);
      [number, offset, body.length].forEach((value, place) => head.setUint32(place * 4, value, true));
      whole.set(part, HEADER);
      found.push(whole.buffer);
    }
    return found;
  }

  sent(method: string): unknown[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.args[0]);
  }
}

// Lets promises run; wslink takes a few rounds for each message.
export async function settle(): Promise<void> {
  for (let round = 0; round < 40; round++) await Promise.resolve();
}
