// The ways to a view, the best first: through the Jupyter server; straight to the streamer, if it has a door for that;
// through the kernel's messages, which always lead there, at the kernel's leisure.

import { address, type Address } from "./address";
import { CommSocket, type CommModel } from "./comm";
import type { Door } from "./protocol";
import { doorNote, inVsCode, noteOf, type Reason } from "./reasons";
import { jupyterTickets } from "./ticket";
import type { Admission, Line, Socket, Tickets } from "./viewer/admission";
import type { Fetch } from "./viewer/request";

export interface Destination {
  session: string;
  view: string;
  relay?: string;
  // The widget that speaks to the kernel.
  model: CommModel | null;
  get?: Fetch;
}

// A machine that a firewall hides does not even refuse.
const DOOR_MS = 4_000;
// A door that was open once may be worth another knock.
const KNOCKS = 3;
// A Jupyter server that does not answer may be back before its kernel is heard.
const KERNEL_MS = 3_000;
const NOWHERE = "This page is no Jupyter server's, and has no widget that speaks to the kernel.";

export class Ways {
  // The websocket of the relay; where there is none, each ticket comes with its own.
  readonly url: string;
  private readonly place: Address | null;
  private readonly relay: Tickets | null;
  private served = false;
  private door: Door | null = null;
  private worked = false;
  private knocks = 0;

  constructor(private readonly to: Destination) {
    this.place = address(to.session, to.relay);
    this.url = this.place?.url ?? "";
    this.relay = this.place && jupyterTickets(this.place, to.view, to.get);
  }

  readonly tickets: Tickets = async (signal, line) => {
    const answer: Admission = (await this.relay?.(signal)) ?? { kind: "refused", message: NOWHERE };
    this.served ||= answer.kind === "granted";
    const reason = this.reason(answer);
    if (!this.to.model || !reason) return answer;
    const { model } = this.to;
    const through = (until: AbortSignal): Promise<Admission> => this.throughKernel(model, reason, until, line);
    return answer.kind === "away" ? soon(through, signal, answer) : through(signal);
  };

  // Why the Jupyter server is no way; nothing if it is one, or will be.
  private reason(answer: Admission): Reason | null {
    if (!this.relay) return inVsCode() ? "vscode" : "none";
    if (this.served) return null;
    if (answer.kind === "ended") return answer.final ? null : "elsewhere";
    if (answer.kind === "refused") return answer.why === "other" ? null : (answer.why ?? "none");
    return answer.kind === "away" && !answer.message ? "none" : null;
  }

  private async throughKernel(model: CommModel, reason: Reason, signal: AbortSignal, line?: Line): Promise<Admission> {
    const socket = new CommSocket(model, (held) => line?.hold(held), reason === "elsewhere" || reason === "none");
    const leave = await socket.ask(this.knocks < (this.worked ? KNOCKS : 1), signal);
    if (!("grant" in leave)) {
      socket.close();
      return leave;
    }
    const { grant, door } = leave;
    if (door) {
      socket.close();
      this.door = door;
      return { kind: "granted", grant, open: () => this.knock(door) };
    }
    const blocked = this.door !== null && reason !== "vscode";
    const note = blocked && this.door ? doorNote(this.door, () => this.again(line)) : noteOf(reason);
    return { kind: "granted", grant, open: () => socket.open(), note };
  }

  private knock({ url }: Door): Socket {
    this.knocks += 1;
    const socket = new WebSocket(url);
    const slow = setTimeout(() => socket.close(), DOOR_MS);
    socket.addEventListener("close", () => clearTimeout(slow));
    socket.addEventListener("open", () => {
      clearTimeout(slow);
      this.worked = true;
      this.knocks = 0;
    });
    return socket;
  }

  // The certificate is being looked at: whoever comes back from there has accepted it, perhaps.
  private again(line?: Line): void {
    addEventListener(
      "focus",
      () => {
        this.knocks = 0;
        line?.renew();
      },
      { once: true },
    );
  }
}

function soon(ask: Tickets, signal: AbortSignal, otherwise: Admission): Promise<Admission> {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  return new Promise((done) => {
    const late = setTimeout(() => {
      done(otherwise);
      stop.abort();
    }, KERNEL_MS);
    void ask(stop.signal).then((answer) => {
      clearTimeout(late);
      done(answer);
    });
  });
}
