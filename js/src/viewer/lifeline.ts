// Keeps a link: fetches a ticket, makes a link of it, and after it ended the next, as patiently as the end deserves.

import type { Frame, Join, Joined, Methods, People, ViewState } from "../protocol";
import { AWAY, type Admission, type Held, type Tickets } from "./admission";
import { Backoff, ENDED_MS } from "./backoff";
import { Link, type End, type OpenSocket } from "./link";
import type { Note } from "./note";

// `wait` until the next try; Infinity: not before the user asks.
export type LineState =
  | { kind: "connecting" }
  | { kind: "open" }
  // The network is away.
  | { kind: "waiting"; wait: number; message: string }
  // The streamer is gone, or does not want us.
  | { kind: "lost"; wait: number; message: string }
  | { kind: "ended"; wait: number; message: string };

export interface LineEvents {
  state(state: LineState): void;
  joined(answer: Joined): void;
  frame(frame: Frame, receivedAt: number): void;
  view(state: ViewState): void;
  people(people: People): void;
  // Nothing is taken just now; the picture stays.
  held?(held: Held): void;
  // What is lost on this way.
  note?(note: Note | null): void;
}

export interface LineOptions {
  url: string;
  ticket: Tickets;
  join: (view: string) => Join;
  openSocket?: OpenSocket;
  now?: () => number;
}

// After a sleep or a change of network the socket may be dead without knowing it.
const WAKE_PATIENCE_MS = 5_000;

// Somebody who restarts a streamer looks at the cell meanwhile.
const GONE_MS = 2_000;
const OR_AGAIN = "If the kernel has ended, too, run the cells again.";

export class Lifeline {
  private link: Link | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();
  private readonly life = new AbortController();
  private state: LineState = { kind: "connecting" };
  private visible = true;
  private joinedAt = 0;
  // A ticket was asked for, and has not come yet.
  private asking = false;
  // The last ticket was not taken.
  private denied = false;
  // The last words of a session that ended, until another view is joined.
  private farewell = "";
  // What was said when the streamer went away without a goodbye, until a view is joined again.
  private gone = "";
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
    if (this.life.signal.aborted || this.link || this.asking) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.overdue = false;
    void this.ask();
  }

  send<M extends keyof Methods>(method: M, request: Methods[M]["request"]): void {
    this.link?.send(method, request);
  }

  // Leaves the way it is on, and looks for the best one again.
  private renew(): void {
    if (this.life.signal.aborted) return;
    this.link?.close();
    this.link = null;
    this.enter({ kind: "connecting" });
    this.connect();
  }

  // For the few requests whose answer somebody waits for.
  request<M extends keyof Methods>(method: M, request: Methods[M]["request"]): Promise<Methods[M]["answer"]> {
    return this.link?.request(method, request) ?? Promise.reject(new Error("There is no connection."));
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

  private async ask(): Promise<void> {
    this.asking = true;
    const hold = (held: Held): void => {
      if (!this.life.signal.aborted) this.events.held?.(held);
    };
    hold("");
    const line = { hold, renew: () => this.renew() };
    const answer = await this.options.ticket(this.life.signal, line).catch((error: unknown) => {
      if (!this.life.signal.aborted) console.warn("pvlink: no ticket:", error);
      return AWAY;
    });
    this.asking = false;
    if (this.life.signal.aborted) return;
    if (answer.kind === "granted") this.dial(answer);
    else this.later(this.judge(answer));
  }

  private judge(answer: Exclude<Admission, { kind: "granted" }>): LineState {
    const { message } = answer;
    switch (answer.kind) {
      case "ended":
        if (this.gone && !answer.final) return this.missing();
        return { kind: "ended", wait: answer.final ? Infinity : ENDED_MS, message: this.farewell || message };
      case "refused":
        return { kind: "lost", wait: ENDED_MS, message };
      case "busy":
        return { kind: "lost", wait: answer.waitMs, message };
      case "away":
        // What has ended is no less so because nobody answers any more.
        if (this.state.kind === "ended") return this.state;
        return { kind: "waiting", wait: this.backoff.wait(), message };
    }
  }

  // A session whose streamer was killed looks ended until its kernel has started another, which it does at a word.
  private missing(): LineState {
    return { kind: "lost", wait: Math.min(GONE_MS, this.backoff.wait()), message: `${this.gone} ${OR_AGAIN}` };
  }

  private dial({ grant, open, note }: Admission & { kind: "granted" }): void {
    const { url, join, openSocket } = this.options;
    try {
      this.link = new Link(url, grant, join, this.linkEvents(), open ?? openSocket);
      this.events.note?.(note ?? null);
    } catch (error) {
      this.later({ kind: "lost", wait: ENDED_MS, message: `This page may not connect: ${String(error)}` });
    }
  }

  private linkEvents(): ConstructorParameters<typeof Link>[3] {
    return {
      joined: (answer) => {
        this.joinedAt = this.now;
        this.farewell = "";
        this.gone = "";
        this.denied = false;
        this.enter({ kind: "open" });
        this.events.joined(answer);
      },
      frame: (frame, receivedAt) => this.events.frame(frame, receivedAt),
      people: (people) => this.events.people(people),
      view: (state) => {
        if (state.state === "ended") this.farewell = state.message;
        this.events.view(state);
      },
      end: (end) => this.ended(end),
    };
  }

  private ended(end: End): void {
    this.link = null;
    if (end.joined) this.backoff.joined(this.now - this.joinedAt);
    const again = end.kind === "denied" && !this.denied;
    this.denied = end.kind === "denied";
    // A ticket that came too late, or a streamer that began anew in between: another one will do.
    if (again) this.connect();
    else this.later(this.verdict(end));
  }

  private verdict({ kind, message, joined }: End): LineState {
    if (kind === "revoked") return { kind: "ended", wait: Infinity, message: message || "You were shut out." };
    // Who has said goodbye is not lost.
    if (this.farewell) return { kind: "ended", wait: ENDED_MS, message: this.farewell };
    if (kind === "ended") return { kind: "ended", wait: ENDED_MS, message };
    if (kind === "cut") return { kind: "waiting", wait: this.backoff.wait(), message };
    if (kind === "lost") {
      if (joined) this.gone = message;
      return { kind: "lost", wait: this.backoff.wait(), message };
    }
    if (kind === "denied") {
      return { kind: "lost", wait: this.backoff.wait(), message: message || "The session did not let this page in." };
    }
    return { kind: "lost", wait: ENDED_MS, message };
  }

  private later(state: LineState): void {
    if (this.life.signal.aborted) return;
    this.enter(state);
    clearTimeout(this.timer);
    this.timer = undefined;
    const wait = "wait" in state ? state.wait : 0;
    if (!Number.isFinite(wait)) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.visible && document.visibilityState === "visible") this.connect();
      else this.overdue = true;
    }, wait);
  }
}
