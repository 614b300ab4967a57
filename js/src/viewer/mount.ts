// A viewer in an element. The only place where its parts meet.

import {
  PROTOCOL_VERSION,
  type Action,
  type Join,
  type Joined,
  type People,
  type Size,
  type Undecodable,
  type ViewState,
} from "../protocol";
import type { Held, Tickets } from "./admission";
import { codecs, NAMES } from "./codecs";
import type { Decode } from "./decoder";
import { HandInput } from "./input";
import type { Command } from "./keyboard";
import { Lifeline, type LineState } from "./lifeline";
import type { OpenSocket } from "./link";
import { NoteLine } from "./note";
import { Outbox } from "./outbox";
import { Painter, type Painted } from "./painter";
import { Panel } from "./panel";
import { download, fileName, pngOf } from "./picture";
import { Sharing } from "./sharing";
import { watchSize } from "./size";
import { buildStage, showPainted, showRole, type Stage, type StageOptions } from "./stage";
import { Statistics, type Snapshot } from "./stats";
import { describe, StatusLine } from "./status";
import { Toolbar } from "./toolbar";
import { watchVisibility } from "./visibility";

export interface MountOptions extends StageOptions {
  // Where the streamer listens (ws: or wss:), and who gives leave to go there, for which view; asked before each try.
  url: string;
  ticket: Tickets;
  // A still was painted, after a hand was at work in this viewer or not: a host may keep the picture.
  onStill?: (png: () => Promise<Blob>, touched: boolean) => void;
  openSocket?: OpenSocket;
  decode?: Decode;
}

export interface Viewer {
  dispose(): void;
  stats(): Snapshot;
}

// What the event "pvlink:painted" carries.
export interface PaintedDetail {
  frame: number;
  still: boolean;
  codec: string;
  width: number;
  height: number;
  bytes: number;
  // When the engine began to draw it (Unix time, seconds, by the engine's clock).
  time: number;
  inputMs: number;
}

class Mounted implements Viewer {
  private readonly life = new AbortController();
  private readonly stage: Stage;
  private readonly status: StatusLine;
  private readonly note: NoteLine;
  private readonly toolbar: Toolbar;
  private readonly panel: Panel;
  private readonly statistics = new Statistics();
  private readonly line: Lifeline;
  private readonly outbox: Outbox;
  private readonly painter: Painter;
  private readonly hand: HandInput;
  private readonly sharing: Sharing;
  private size: Size | null = null;
  private visible = true;
  private client = "";
  private name = "";
  private mayMove = true;
  private lineState: LineState = { kind: "connecting" };
  private held: Held = "";
  private view: ViewState | null = null;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: MountOptions,
  ) {
    const { signal } = this.life;
    void codecs.learn();
    this.stage = buildStage(options);
    this.line = this.makeLine();
    this.outbox = new Outbox((input) => this.line.send("pvlink.input", input));
    this.painter = this.makePainter();
    const action = (wanted: Action): void => this.outbox.push({ type: "action", action: wanted });
    const command = (wanted: Command): void => this.obey(wanted);
    this.panel = new Panel(() => this.stats());
    this.status = new StatusLine(() => this.line.connect(), signal);
    this.note = new NoteLine(signal);
    this.toolbar = new Toolbar({ action, command }, signal);
    const { canvas, root } = this.stage;
    this.hand = new HandInput({ canvas, push: (event) => this.outbox.push(event), command, signal });
    this.sharing = this.makeSharing();
    root.append(this.panel.element, this.status.element, this.toolbar.element, this.sharing.element);
    const full = (): void => this.toolbar.press("fullscreen", this.isFull);
    root.addEventListener("fullscreenchange", full, { signal });
    host.dataset.pvlinkStill = "false";
    this.tell();
    host.append(root, this.note.element);
    watchVisibility(root, (visible) => this.see(visible), signal);
    watchSize(root, (size) => this.resize(size), signal);
  }

  stats(): Snapshot {
    return this.statistics.snapshot(performance.now(), codecs.failed);
  }

  dispose(): void {
    if (this.life.signal.aborted) return;
    this.life.abort();
    this.line.dispose();
    this.outbox.forget();
    this.painter.close();
    this.panel.stop();
    this.sharing.forget();
    this.stage.root.remove();
    this.note.element.remove();
    for (const name of ["pvlinkState", "pvlinkFrame", "pvlinkStill"]) delete this.host.dataset[name];
  }

  private makeLine(): Lifeline {
    const { url, openSocket } = this.options;
    // Asked at the same time: whoever joins knows by then what to offer.
    const ticket: Tickets = async (...how) => (await Promise.all([this.options.ticket(...how), codecs.learn()]))[0];
    const join = (view: string): Join => this.join(view);
    return new Lifeline(
      { url, ticket, join, ...(openSocket && { openSocket }) },
      {
        state: (state) => this.enter(state),
        joined: (answer) => this.joined(answer),
        people: (people) => this.meet(people),
        frame: (frame, receivedAt) => this.painter.show(frame, receivedAt),
        view: (state) => this.look(state),
        held: (held) => this.hold(held),
        note: (note) => this.note.show(note),
      },
    );
  }

  private makeSharing(): Sharing {
    const password = async (share: string): Promise<string> =>
      (await this.line.request("pvlink.password", { share })).password;
    const revoke = (share: string): Promise<unknown> => this.line.request("pvlink.revoke", { share });
    return new Sharing(this.toolbar.people, { password, revoke }, () => this.client, this.life.signal);
  }

  private makePainter(): Painter {
    const { decode } = this.options;
    return new Painter({
      canvas: this.stage.canvas,
      painted: (painted) => this.painted(painted),
      drawn: (drawn) => this.line.send("pvlink.drawn", drawn),
      undecodable: (undecodable, error) => this.giveUp(undecodable, error),
      refresh: () => this.line.send("pvlink.refresh", {}),
      failed: (error) => console.warn("pvlink: a frame could not be decoded:", error),
      ...(decode && { decode }),
    });
  }

  private join(view: string): Join {
    this.name = view;
    const { width, height } = this.size ?? { width: 1, height: 1 };
    return {
      protocol: PROTOCOL_VERSION,
      view,
      width,
      height,
      codecs: codecs.offered,
      visible: this.visible,
    };
  }

  private giveUp(undecodable: Undecodable, error: unknown): void {
    const { codec } = undecodable;
    codecs.refuse(codec);
    this.line.send("pvlink.undecodable", undecodable);
    console.warn(`pvlink: this browser could not decode ${NAMES[codec]}, other pictures follow:`, error);
    this.panel.touch();
  }

  private resize(size: Size): void {
    const first = this.size === null;
    this.size = size;
    // Nothing is asked for before it is known how big.
    if (first) this.line.connect();
    else if (this.mayMove) this.line.send("pvlink.size", size);
  }

  private see(visible: boolean): void {
    this.visible = visible;
    this.line.setVisible(visible);
    this.line.send("pvlink.visible", { visible });
  }

  private enter(state: LineState): void {
    this.lineState = state;
    if (state.kind !== "open") {
      this.view = null;
      this.outbox.forget();
      this.painter.forget();
      this.hand.forget();
      this.sharing.forget();
      this.toolbar.showPeople(0, false);
    }
    this.tell();
  }

  private hold(held: Held): void {
    this.held = held;
    this.outbox.hold(held !== "");
    this.tell();
  }

  private joined({ client, role, state }: Joined): void {
    this.client = client;
    // What a looker sends changes nothing (the streamer sees to it): it is not even asked for here.
    this.mayMove = role !== "view";
    showRole(this.stage, role);
    this.hand.allow(this.mayMove);
    this.toolbar.allow(this.mayMove);
    this.look(state);
  }

  private meet(people: People): void {
    const { count, worth } = this.sharing.tell(people);
    this.toolbar.showPeople(count, worth);
  }

  private look(state: ViewState): void {
    this.view = state;
    this.tell();
  }

  private tell(): void {
    const said = describe({ line: this.lineState, view: this.view, held: this.held });
    this.host.dataset.pvlinkState = said.word;
    this.stage.root.dataset.dim = String(!["live", "busy", "connecting"].includes(said.word));
    this.status.show(said);
  }

  // Answers how old the input is that the frame answers.
  private painted(painted: Painted): number {
    const { frame, at } = painted;
    const inputMs = this.outbox.answered(frame.inputs[this.client], at);
    this.statistics.add(painted, inputMs);
    showPainted(this.stage);
    this.host.dataset.pvlinkFrame = String(frame.id);
    this.host.dataset.pvlinkStill = String(frame.still);
    this.panel.touch();
    const { id, still, codec, width, height, time } = frame;
    const bytes = frame.data.byteLength;
    const detail: PaintedDetail = { frame: id, still, codec, width, height, bytes, time, inputMs };
    this.host.dispatchEvent(new CustomEvent("pvlink:painted", { bubbles: true, composed: true, detail }));
    if (frame.still) this.options.onStill?.(() => this.png(), this.client in frame.inputs);
    return inputMs;
  }

  private png(): Promise<Blob> {
    this.painter.settle();
    return pngOf(this.stage.canvas, this.painter.shown);
  }

  private obey(command: Command): void {
    const commands: Record<Command, () => void> = {
      fullscreen: () => this.toggleFull(),
      statistics: () => {
        this.panel.toggle();
        this.toolbar.press("statistics", this.panel.open);
      },
      screenshot: () => void this.save(),
      leave: () => this.leave(),
    };
    commands[command]();
  }

  private async save(): Promise<void> {
    try {
      download(await this.png(), fileName(this.name, new Date()));
    } catch (error) {
      console.warn("pvlink: the screenshot could not be saved:", error);
    }
  }

  private get isFull(): boolean {
    return (this.stage.root.getRootNode() as Document | ShadowRoot).fullscreenElement === this.stage.root;
  }

  private toggleFull(): void {
    const turn = this.isFull ? document.exitFullscreen() : this.stage.root.requestFullscreen();
    turn.catch((error: unknown) => console.warn("pvlink: the browser refused full screen:", error));
  }

  // Gives the focus back to whatever holds the viewer: in a notebook the cell, so that its keys work again.
  private leave(): void {
    if (this.isFull) return this.toggleFull();
    this.stage.canvas.blur();
    this.host.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
  }
}

// Puts a live view into `el`. `dispose` takes everything back and may be called twice.
export function mount(el: HTMLElement, options: MountOptions): Viewer {
  return new Mounted(el, options);
}
