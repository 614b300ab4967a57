// One websocket from its first byte to its last: hello, join, heartbeat. The only file that knows wslink.
// A link that ended stays ended; lifeline.ts makes the next one.

import { newInstance, type Chunk, type Session } from "wslink/src/WebsocketConnection/session";
import { PROTOCOL_VERSION, type Frame, type Join, type Joined, type Methods, type ViewState } from "../protocol";

// Idle proxies close a socket after 60 s, some after 30.
const PING_EVERY_MS = 15_000;
const PATIENCE_MS = 10_000;
// Socket open, hello answered, view joined: a server that takes longer is not there.
const OPENING_MS = 10_000;

// cut: the network; ended: there is no such session; lost: the streamer is gone;
// refused: it does not want us; mismatch: it speaks another protocol.
export type EndKind = "cut" | "ended" | "lost" | "refused" | "mismatch";

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
  // Said once, whatever ended the link.
  end(end: End): void;
}

// What the relay means by its codes (docs/wire.md).
const CLOSE_CODES: Record<number, EndKind> = { 4404: "ended", 4502: "lost" };

export type OpenSocket = (url: string) => WebSocket;

// wslink reads a Blob, and each read of a real one is a trip to another process that may come back out of order.
// An ArrayBuffer in a Blob's clothes is there at once.
const chunk = (buffer: ArrayBuffer): Chunk => ({
  slice: (start, end) => ({ arrayBuffer: () => Promise.resolve(buffer.slice(start, end)) }),
});

// wslink rejects with `{code, message, data: {exception}}`, everybody else with an Error.
function sentence(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, data } = error as { message?: unknown; data?: { exception?: unknown } | null };
  const said = data?.exception ?? message;
  return typeof said === "string" ? said : "no reason given";
}

export class Link {
  private readonly socket: WebSocket;
  private readonly session: Session;
  private readonly listening = new AbortController();
  private readonly opening: ReturnType<typeof setTimeout>;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private joined = false;
  private over = false;

  constructor(
    url: string,
    private readonly join: () => Join,
    private readonly events: LinkEvents,
    openSocket: OpenSocket = (to) => new WebSocket(to),
  ) {
    this.socket = openSocket(url);
    this.socket.binaryType = "arraybuffer";
    // Whoever gets as far as the streamer has been let in by Jupyter: there is no second secret.
    this.session = newInstance({ ws: this.socket, secret: null });
    this.opening = setTimeout(() => this.finish("cut", "The server does not answer."), OPENING_MS);
    this.listen();
  }

  // Sends a request whose answer nobody needs. On a link that is not open it is dropped.
  send<M extends keyof Methods>(method: M, request: Methods[M]["request"]): void {
    if (!this.joined || this.over) return;
    this.call(method, request).catch((error: unknown) => {
      if (!this.over) console.warn(`pvlink: ${method} failed: ${sentence(error)}`);
    });
  }

  // Ends the link unless the other side says something within `patience`.
  check(patience = PATIENCE_MS): void {
    if (!this.joined || this.over || this.deadline !== undefined) return;
    this.deadline = setTimeout(() => this.finish("cut", "The connection went silent."), patience);
    this.send("pvlink.ping", { time: Date.now() / 1000 });
  }

  close(): void {
    this.release();
  }

  private listen(): void {
    const { signal } = this.listening;
    const open = (): void => void this.enter().catch((error: unknown) => this.finish("refused", sentence(error)));
    this.socket.addEventListener("open", open, { signal });
    this.socket.addEventListener("message", (event) => this.receive(event), { signal });
    const close = (event: CloseEvent): void => this.finish(CLOSE_CODES[event.code] ?? "cut", event.reason);
    this.socket.addEventListener("close", close, { signal });
  }

  private receive(event: MessageEvent<ArrayBuffer>): void {
    // Anything heard is a sign of life: on a slow line the pong stands behind a frame.
    clearTimeout(this.deadline);
    this.deadline = undefined;
    this.session.onmessage({ data: chunk(event.data) }).catch((error: unknown) => {
      this.finish("cut", `The streamer sent something unreadable: ${sentence(error)}`);
    });
  }

  private async enter(): Promise<void> {
    await this.session.onconnect(null);
    if (this.over) return;
    this.session.subscribe("pvlink.frame", ([frame]) => this.publish(() => this.frame(frame as Frame)));
    this.session.subscribe("pvlink.state", ([state]) => this.publish(() => this.events.view(state as ViewState)));
    const answer = await this.call("pvlink.join", this.join());
    if (this.over) return;
    clearTimeout(this.opening);
    if (answer.protocol !== PROTOCOL_VERSION) return this.finish("mismatch", mismatch(answer));
    this.joined = true;
    this.heartbeat = setInterval(() => this.check(), PING_EVERY_MS);
    this.events.joined(answer);
  }

  // wslink may still have a message in its hands when the link is over.
  private publish(work: () => void): void {
    if (!this.over) work();
  }

  private frame(frame: Frame): void {
    this.events.frame(frame, performance.now());
  }

  private call<M extends keyof Methods>(method: M, request: Methods[M]["request"]): Promise<Methods[M]["answer"]> {
    return this.session.call(method, [request]) as Promise<Methods[M]["answer"]>;
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
    clearInterval(this.heartbeat);
    this.socket.close();
  }
}

function mismatch({ protocol, version }: Joined): string {
  const cure =
    protocol > PROTOCOL_VERSION
      ? "Reload the page; if that does not help, update pvlink where Jupyter runs."
      : "Update pvlink in the kernel's environment and restart the kernel.";
  return `pvlink ${version} in the kernel speaks protocol ${protocol}, this page protocol ${PROTOCOL_VERSION}. ${cure}`;
}
