// Keeps a link: makes one, and after it ends the next, as patiently as the end deserves.

import type { Frame, Join, Joined, Methods, ViewState } from "../protocol";
import { Backoff, ENDED_MS } from "./backoff";
import { Link, type End, type OpenSocket } from "./link";
import { ask, type ProbeAnswer } from "./probe";

export type LineState =
  | { kind: "connecting" }
  | { kind: "open" }
  // The network is away; `wait` until the next try.
  | { kind: "waiting"; wait: number; message: string }
  // The streamer is gone, or does not want us.
  | { kind: "lost"; wait: number; message: string }
  | { kind: "ended"; wait: number; message: string };

export interface LineEvents {
  state(state: LineState): void;
  joined(answer: Joined): void;
  frame(frame: Frame, receivedAt: number): void;
  view(state: ViewState): void;
}

export interface LineOptions {
  url: string;
  probe: string;
  join: () => Join;
  openSocket?: OpenSocket;
  fetch?: typeof fetch;
  now?: () => number;
}

// A link that lasted this long earned a quick first retry; one that is cut at once did not.
const STEADY_MS = 5_000;
// After a sleep or a change of network the socket may be dead without knowing it.
const WAKE_PATIENCE_MS = 5_000;

export class Lifeline {
  private link: Link | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();
  private readonly life = new AbortController();
  private state: LineState = { kind: "connecting" };
  private visible = true;
  private joinedAt = 0;
  // The last words of a session that ended, until another view is joined.
  private farewell = "";
  // A wait that ran out while nobody looked.
  private overdue = false;

  constructor(
    private readonly options: LineOptions,
    private readonly events: LineEvents,
  ) {
    const { signal } = this.life;
    addEventListener("online", () => this.wake(), { signal });
    addEventListener("pageshow", () => this.wake(), { signal });
    const seen = (): void => {
      if (document.visibilityState === "visible") this.wake();
    };
    document.addEventListener("visibilitychange", seen, { signal });
  }

  // The first try, or an impatient user.
  connect(): void {
    if (this.life.signal.aborted || this.link) return;
    clearTimeout(this.timer);
    if (this.state.kind === "ended") void this.askFirst();
    else this.dial();
  }

  send<M extends keyof Methods>(method: M, request: Methods[M]["request"]): void {
    this.link?.send(method, request);
  }

  // A viewer that nobody sees keeps its link, but does not fight for a new one.
  setVisible(visible: boolean): void {
    this.visible = visible;
    if (visible && this.overdue) this.connect();
  }

  dispose(): void {
    this.life.abort();
    clearTimeout(this.timer);
    this.link?.close();
    this.link = null;
  }

  private get now(): number {
    return (this.options.now ?? performance.now.bind(performance))();
  }

  private wake(): void {
    if (this.link) this.link.check(WAKE_PATIENCE_MS);
    else if (this.timer !== undefined || this.overdue) this.connect();
  }

  private enter(state: LineState): void {
    this.state = state;
    this.events.state(state);
  }

  private dial(): void {
    this.timer = undefined;
    this.overdue = false;
    if (this.link) return;
    try {
      this.link = new Link(this.options.url, this.options.join, this.linkEvents(), this.options.openSocket);
    } catch (error) {
      this.later({ kind: "lost", wait: ENDED_MS, message: `This page may not connect: ${String(error)}` });
    }
  }

  private linkEvents(): ConstructorParameters<typeof Link>[2] {
    return {
      joined: (answer) => {
        this.joinedAt = this.now;
        this.farewell = "";
        this.enter({ kind: "open" });
        this.events.joined(answer);
      },
      frame: (frame, receivedAt) => this.events.frame(frame, receivedAt),
      view: (state) => {
        if (state.state === "ended") this.farewell = state.message;
        this.events.view(state);
      },
      end: (end) => void this.ended(end),
    };
  }

  private async ended(end: End): Promise<void> {
    this.link = null;
    if (end.joined && this.now - this.joinedAt >= STEADY_MS) this.backoff.reset();
    if (end.kind === "cut" && !end.joined) {
      // A browser does not tell why a websocket was refused; a plain request may.
      this.judge(await ask(this.options.probe, this.life.signal, this.options.fetch));
    } else this.later(this.verdict(end));
  }

  private verdict({ kind, message }: End): LineState {
    // Who has said goodbye is not lost.
    if (this.farewell) return { kind: "ended", wait: ENDED_MS, message: this.farewell };
    if (kind === "ended") return { kind: "ended", wait: ENDED_MS, message };
    if (kind === "cut") return { kind: "waiting", wait: this.backoff.wait(), message };
    if (kind === "lost") return { kind: "lost", wait: this.backoff.wait(), message };
    return { kind: "lost", wait: ENDED_MS, message };
  }

  private judge(answer: ProbeAnswer): void {
    if (this.life.signal.aborted || this.link) return;
    if (answer.kind === "ended") this.later({ kind: "ended", wait: ENDED_MS, message: "" });
    else if (answer.kind === "refused") this.later({ kind: "lost", wait: ENDED_MS, message: answer.message });
    else this.later({ kind: "waiting", wait: this.backoff.wait(), message: "" });
  }

  private async askFirst(): Promise<void> {
    this.overdue = false;
    this.timer = undefined;
    const answer = await ask(this.options.probe, this.life.signal, this.options.fetch);
    if (this.life.signal.aborted || this.link) return;
    if (answer.kind === "alive") this.dial();
    else if (answer.kind === "away") this.later(this.state);
    else this.judge(answer);
  }

  private later(state: LineState): void {
    if (this.life.signal.aborted) return;
    this.enter(state);
    clearTimeout(this.timer);
    const wait = "wait" in state ? state.wait : 0;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.visible && document.visibilityState === "visible") this.connect();
      else this.overdue = true;
    }, wait);
  }
}
