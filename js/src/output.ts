// A view in a cell's output: the saved picture at once, the live view in its place if its session lives.

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { address } from "./address";
import { CommSocket, type CommModel } from "./comm";
import { modelOf } from "./models";
import { SavedPicture, pictureIn } from "./saved";
import { xsrfHeader } from "./ticket";
import { mount, type Viewer } from "./viewer/mount";
import { ask, type ProbeAnswer } from "./viewer/probe";
import { Ways } from "./ways";

export const MIME_TYPE = "application/vnd.pvlink.view+json";

export interface Payload {
  session: string;
  view: string;
  width?: string | number;
  height?: string | number;
}

const NO_SERVER = "This page is no Jupyter server's.";
const WAITING =
  "Saved picture. The kernel does not answer: it is busy, or has ended. The view is live as soon as it does; " +
  "if it has ended, run the cell.";

const size = (value: unknown): string | number | undefined =>
  typeof value === "string" || typeof value === "number" ? value : undefined;

// What the kernel wrote; null for what is not ours to read.
export function payload(data: unknown): Payload | null {
  if (typeof data !== "object" || data === null) return null;
  const { session, view, width, height } = data as Record<string, unknown>;
  if (typeof session !== "string" || typeof view !== "string" || !session) return null;
  const wide = size(width);
  const high = size(height);
  return { session, view, ...(wide !== undefined && { width: wide }), ...(high !== undefined && { height: high }) };
}

export class ViewOutput {
  private key = "";
  private viewer: Viewer | null = null;
  private probing: AbortController | null = null;
  private readonly saved = new SavedPicture();

  constructor(
    private readonly node: HTMLElement,
    private readonly get: typeof fetch = (...request) => fetch(...request),
  ) {}

  show(model: IRenderMime.IMimeModel): void {
    const wanted = payload(model.data[MIME_TYPE]);
    const key = JSON.stringify(wanted);
    this.saved.follow(model);
    // The same view again: only the picture changed, and the one on the screen is newer.
    if (wanted && key === this.key) return;
    this.clear();
    this.saved.follow(model);
    this.key = key;
    this.showPicture(model);
    if (wanted) void this.goLive(wanted, model);
    else this.say("This output was written by a version of pvlink that this page does not know.");
  }

  dispose(): void {
    this.clear();
    this.key = "";
  }

  private clear(): void {
    this.probing?.abort();
    this.probing = null;
    this.saved.stop();
    this.viewer?.dispose();
    this.viewer = null;
    this.node.replaceChildren();
  }

  private async goLive(wanted: Payload, model: IRenderMime.IMimeModel): Promise<void> {
    const probing = new AbortController();
    this.probing = probing;
    const { signal } = probing;
    const place = address(wanted.session);
    const answer: ProbeAnswer = place
      ? await ask(place.probe, xsrfHeader(), signal, this.get)
      : { kind: "refused", message: NO_SERVER, why: "none" };
    if (signal.aborted) return;
    const plain = sentence(answer);
    if (!plain) return this.mount(wanted, model, this.ways(wanted, null));
    this.say(plain);
    if (answer.kind === "refused" && answer.why === "other") return;
    const widget = await modelOf(wanted.session, wanted.view, signal);
    await this.askKernel(wanted, model, widget, signal);
  }

  // The picture stays until the kernel has answered: it may be at work, or another one that knows nothing of the view.
  private async askKernel(
    wanted: Payload,
    model: IRenderMime.IMimeModel,
    widget: CommModel,
    signal: AbortSignal,
  ): Promise<void> {
    const socket = new CommSocket(widget, (held) => {
      if (held && !signal.aborted) this.say(WAITING);
    });
    const leave = await socket.ask(false, signal);
    socket.close();
    if (signal.aborted) return;
    if ("grant" in leave) this.mount(wanted, model, this.ways(wanted, widget));
    else if ("message" in leave && leave.message) this.say(`Saved picture. ${leave.message}`);
  }

  private ways({ session, view }: Payload, model: CommModel | null): Ways {
    return new Ways({ session, view, model, get: this.get });
  }

  private mount(wanted: Payload, model: IRenderMime.IMimeModel, ways: Ways): void {
    this.node.replaceChildren();
    const picture = pictureIn(model);
    const { session: _, view: __, ...size } = wanted;
    this.viewer = mount(this.node, {
      url: ways.url,
      ticket: ways.tickets,
      ...size,
      ...(picture && { picture: `data:image/png;base64,${picture}` }),
      onStill: (png, touched) => this.saved.offer(png, touched),
    });
  }

  private showPicture(model: IRenderMime.IMimeModel): void {
    const encoded = pictureIn(model);
    if (!encoded) return;
    const picture = document.createElement("img");
    picture.src = `data:image/png;base64,${encoded}`;
    picture.alt = "Last picture of a ParaView view";
    picture.style.maxWidth = "100%";
    const shown = model.metadata["image/png"];
    if (typeof shown === "object" && shown !== null && "width" in shown) {
      if (typeof shown.width === "number") picture.width = shown.width;
    }
    this.node.append(picture);
  }

  private say(text: string): void {
    const line = this.node.querySelector<HTMLElement>(".pvlink-saved") ?? document.createElement("div");
    line.className = "pvlink-saved";
    line.setAttribute("role", "note");
    line.textContent = text;
    line.style.cssText = "font: 12px var(--jp-ui-font-family, system-ui); color: var(--jp-ui-font-color2, GrayText)";
    this.node.append(line);
  }
}

// What to say below the saved picture; nothing when the view can be live. A server that does not answer just now
// may do so in a second: the viewer waits for that by itself.
function sentence(answer: ProbeAnswer): string {
  if (answer.kind === "ended") return "Saved picture. Run the cell for the live view.";
  if (answer.kind === "refused") return `Saved picture. ${answer.message}`;
  return "";
}
