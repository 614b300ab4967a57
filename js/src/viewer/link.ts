// One websocket from its first byte to its last: handshake, hello, join, heartbeat. The only file that knows wslink.
// A link that ended stays ended; lifeline.ts makes the next one.

import { newInstance, type Chunk, type Session } from "wslink/src/WebsocketConnection/session";
import {
  CLOSE_DENIED,
  CLOSE_FULL,
  CLOSE_GONE,
  CLOSE_NO_SESSION,
  CLOSE_REVOKED,
  PROTOCOL_VERSION,
  type Frame,
  type Grant,
  type Greeted,
  type Join,
  type Joined,
  type Methods,
  type People,
  type ViewState,
} from "../protocol";
import type { Socket } from "./admission";
import { greet, isStreamer, readGreeted, viewerProof } from "./handshake";

// A dead line is noticed after the two together, 13 s, since it was last heard. A live one that is slow sends a piece of
// a frame (128 KB) more often than that, down to 10 KB/s. Idle proxies, which close after 30 s, are kept awake as well.
// The other side counts on the same: that we say something every 5 s, whatever we hear.
const PING_AFTER_MS = 5_000;
const PATIENCE_MS = 8_000;
// Socket open, both sides proved, view joined: a server that takes longer is not there.
const OPENING_MS = 10_000;
// A timer that is later than this was held up by the browser: a page in the background, a computer that slept.
const HELD_UP_MS = 1_000;

// cut: the network; ended: there is no such session; lost: the streamer is gone; denied: it did not take the ticket;
// revoked: it does not want us any more; full: it has enough viewers; refused: it does not want us, or is not the
// one it should be; mismatch: it speaks another protocol.
export type EndKind = "cut" | "ended" | "lost" | "denied" | "revoked" | "full" | "refused" | "mismatch";

export interface End {
  kind: EndKind;
  message: string;
  // Whether a view had been joined.
  joined: boolean;
}

export interface LinkEvents {
  joined(answer: Joined): void;
  frame(frame: Frame, receivedAt: number): void;
  view(state: ViewState): void;
  people(people: People): void;
  // Said once, whatever ended the link.
  end(end: End): void;
}

// What the streamer and the relay mean by their codes (docs/wire.md).
const CLOSE_CODES: Record<number, EndKind> = {
  [CLOSE_DENIED]: "denied",
  [CLOSE_REVOKED]: "revoked",
  [CLOSE_NO_SESSION]: "ended",
  [CLOSE_FULL]: "full",
  [CLOSE_GONE]: "lost",
};

// A websocket's `readyState`.
const OPEN = 1;

const IMPOSTOR = "The process that answered could not prove that it is this session's.";

export type OpenSocket = (url: string) => Socket;

// wslink reads a Blob, and each read of a real one is a trip to another process that may come back out of order.
// An ArrayBuffer in a Blob's clothes is there at once.
const chunk = (buffer: ArrayBuffer): Chunk => ({
  slice: (start, end) => ({ arrayBuffer: () => Promise.resolve(buffer.slice(start, end)) }),
});

// wslink rejects with `{code, message, data: {exception}}`, everybody else with an Error.
export function sentence(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, data } = error as { message?: unknown; data?: { exception?: unknown } | null };
  const said = data?.exception ?? message;
  return typeof said === "string" ? said : "no reason given";
}

export class Link {
  private readonly socket: Socket;
  // None before the streamer has proved itself: nothing else it says is listened to.
  private session: Session | null = null;
  private readonly greeting;
  private readonly listening = new AbortController();
  private opening: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setTimeout> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private saidAt = 0;
  private joined = false;
  private over = false;

  constructor(
    url: string,
    private readonly grant: Grant,
    private readonly join: (view: string) => Join,
    private readonly events: LinkEvents,
    openSocket: OpenSocket = (to) => new WebSocket(to),
  ) {
    this.greeting = greet(grant);
    this.socket = openSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.hurry();
    this.listen();
  }

  private hurry(): void {
    this.opening = setTimeout(() => {
      if (this.socket.held) this.hurry();
      else this.finish("cut", "The server does not answer.");
    }, OPENING_MS);
  }

  // Sends a request whose answer nobody needs. On a link that is not open it is dropped.
  send<M extends keyof Methods>(method: M, request: Methods[M]["request"]): void {
    this.request(method, request)?.catch((error: unknown) => {
      if (!this.over) console.warn(`pvlink: ${method} failed: ${sentence(error)}`);
    });
  }

  // Sends a request and brings its answer; null on a link that is not open.
  request<M extends keyof Methods>(method: M, request: Methods[M]["request"]): Promise<Methods[M]["answer"]> | null {
    const { session } = this;
    // A socket that is closing has not said so yet.
    if (!session || !this.joined || this.over || this.socket.readyState !== OPEN) return null;
    this.saidAt = performance.now();
    return session.call(method, [request]) as Promise<Methods[M]["answer"]>;
  }

  // Ends the link unless the other side says something within `patience`.
  check(patience = PATIENCE_MS): void {
    if (!this.joined || this.over || this.deadline !== undefined) return;
    this.ping(patience, performance.now() + patience);
  }

  close(): void {
    this.release();
  }

  private ping(patience: number, due: number): void {
    this.deadline = setTimeout(() => {
      // Whoever slept so long may have the answer in a queue behind this very timer: once more, and this time for good.
      // And whoever is held has not been asked yet.
      if (performance.now() - due > HELD_UP_MS || this.socket.held) this.ping(patience, Infinity);
      else this.finish("cut", "The connection went silent.");
    }, patience);
    if (!this.socket.held) this.speak();
  }

  private speak(): void {
    this.send("pvlink.ping", { time: Date.now() / 1000 });
  }

  private beat(): void {
    const now = performance.now();
    if (now - this.heardAt >= PING_AFTER_MS) this.check();
    // A check that is under way already has said nothing.
    if (now - this.saidAt >= PING_AFTER_MS && !this.socket.held) this.speak();
    const next = PING_AFTER_MS - Math.max(now - this.heardAt, performance.now() - this.saidAt);
    this.heartbeat = setTimeout(() => this.beat(), next > 0 ? Math.ceil(next) : PING_AFTER_MS);
  }

  private listen(): void {
    const { signal } = this.listening;
    const open = (): void => this.socket.send(JSON.stringify(this.greeting));
    this.socket.addEventListener("open", open, { signal });
    this.socket.addEventListener("message", (event) => this.receive(event), { signal });
    const close = (event: CloseEvent): void => this.finish(CLOSE_CODES[event.code] ?? "cut", event.reason);
    this.socket.addEventListener("close", close, { signal });
  }

  private receive({ data }: MessageEvent<ArrayBuffer | string>): void {
    // Anything heard is a sign of life: on a slow line the pong stands behind a frame.
    this.heardAt = performance.now();
    clearTimeout(this.deadline);
    this.deadline = undefined;
    if (!this.session) return this.meet(data);
    const unreadable = (error: unknown): void =>
      this.finish("cut", `The streamer sent something unreadable: ${sentence(error)}`);
    if (typeof data === "string") unreadable(new Error("text"));
    else this.session.onmessage({ data: chunk(data) }).catch(unreadable);
  }

  private meet(data: ArrayBuffer | string): void {
    const answer = typeof data === "string" ? readGreeted(data) : null;
    if (!answer) return this.finish("refused", IMPOSTOR);
    if (answer.protocol !== PROTOCOL_VERSION) return this.finish("mismatch", mismatch(answer));
    if (!isStreamer(this.grant, this.greeting, answer)) return this.finish("refused", IMPOSTOR);
    const secret = viewerProof(this.grant, this.greeting, answer);
    const session = newInstance({ ws: this.socket as WebSocket, secret });
    this.session = session;
    this.enter(session).catch((error: unknown) => this.finish("refused", sentence(error)));
  }

  private async enter(session: Session): Promise<void> {
    try {
      await session.onconnect(null);
    } catch (error) {
      return this.finish("denied", sentence(error));
    }
    if (this.over) return;
    session.subscribe("pvlink.frame", ([frame]) => this.publish(() => this.frame(frame as Frame)));
    session.subscribe("pvlink.state", ([state]) => this.publish(() => this.events.view(state as ViewState)));
    session.subscribe("pvlink.people", ([people]) => this.publish(() => this.events.people(people as People)));
    const answer = (await session.call("pvlink.join", [this.join(this.grant.view)])) as Joined;
    if (this.over) return;
    clearTimeout(this.opening);
    this.joined = true;
    this.saidAt = performance.now();
    this.beat();
    this.events.joined(answer);
  }

  // wslink may still have a message in its hands when the link is over.
  private publish(work: () => void): void {
    if (!this.over) work();
  }

  private frame(frame: Frame): void {
    this.events.frame(frame, performance.now());
  }

  private finish(kind: EndKind, message: string): void {
    if (this.over) return;
    this.release();
    this.events.end({ kind, message, joined: this.joined });
  }

  // Does not wait for the close handshake: on a dead line it takes minutes.
  private release(): void {
    this.over = true;
    this.listening.abort();
    clearTimeout(this.opening);
    clearTimeout(this.deadline);
    clearTimeout(this.heartbeat);
    this.socket.close();
  }
}

function mismatch({ protocol, version }: Greeted): string {
  const cure =
    protocol > PROTOCOL_VERSION
      ? "Reload the page; if that does not help, update pvlink where Jupyter runs."
      : "Update pvlink in the kernel's environment and restart the kernel.";
  return `pvlink ${version} in the kernel speaks protocol ${protocol}, this page protocol ${PROTOCOL_VERSION}. ${cure}`;
}
