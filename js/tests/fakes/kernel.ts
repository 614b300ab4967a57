// A widget's model and the kernel behind it, as the kernel's end is written: it hears nothing while a cell runs, says
// what it says to everybody, and what goes to the streamer is a FakeSocket's.

import type { CommModel } from "../../src/comm";
import type { CommCall, CommNews, CommWord, Door } from "../../src/protocol";

type Heard = (content: unknown, buffers?: readonly DataView[]) => void;

export class FakeKernel implements CommModel {
  readonly calls: CommCall[] = [];
  readonly buffers: ArrayBuffer[][] = [];
  readonly listeners: [string, Heard][] = [];
  door: Door | null = null;
  // What it answers to who asks for leave, instead of "granted".
  refusal: Partial<CommWord> | null = null;
  busy = false;
  gone = false;
  private readonly queue: CommCall[] = [];

  get(name: string): unknown {
    return { session: "s1", view: "v1" }[name];
  }

  on(event: string, heard: Heard): void {
    this.listeners.push([event, heard]);
  }

  off(event: string, heard: Heard): void {
    const at = this.listeners.findIndex(([one, other]) => one === event && other === heard);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  send(content: unknown, _callbacks: unknown, buffers: ArrayBuffer[] = []): void {
    if (this.gone) throw new Error("Cannot send");
    const call = structuredClone(content) as CommCall;
    this.calls.push(call);
    this.buffers.push(structuredClone(buffers));
    if (this.busy) this.queue.push(call);
    else this.take(call);
  }

  // A cell begins, or has ended.
  work(busy: boolean): void {
    this.busy = busy;
    for (const channel of new Set(this.calls.map((call) => call.channel))) this.say(channel, busy ? "busy" : "idle");
    if (!busy) for (const call of this.queue.splice(0)) this.take(call);
  }

  say(channel: string, pvlink: CommNews, more: Partial<CommWord> = {}, buffers: DataView[] = []): void {
    const seen = Math.max(0, ...this.calls.filter((call) => !this.queue.includes(call)).map(({ seq }) => seq));
    this.fire("msg:custom", { pvlink, channel, seen, ...more }, buffers);
  }

  fire(event: string, content?: unknown, buffers?: DataView[]): void {
    for (const [name, heard] of [...this.listeners]) if (name === event) heard(content, buffers);
  }

  get channel(): string {
    return this.calls.at(-1)?.channel ?? "";
  }

  private take({ pvlink, channel, direct }: CommCall): void {
    if (pvlink === "ticket" && this.refusal) return this.say(channel, "refused", this.refusal);
    if (pvlink === "ticket") {
      return this.say(channel, "granted", { view: "v1", role: "owner", door: direct ? this.door : null });
    }
    this.say(channel, pvlink === "open" ? "open" : "seen");
  }
}
