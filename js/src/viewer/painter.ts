// Frames to pixels, newest wins. Decoding and painting overlap: while one picture waits for the repaint the next one
// is decoded. There is one place before each, so a page that is too slow loses frames and never grows.

import type { Drawn, Frame } from "../protocol";
import { Beat } from "./clock";
import { decode as decodeInBrowser, type Decode, type Picture } from "./decoder";

interface Arrived {
  frame: Frame;
  receivedAt: number;
}

interface Decoded extends Arrived {
  picture: Picture;
  decodedAt: number;
}

export interface Painted {
  frame: Frame;
  decodeMs: number;
  paintMs: number;
  at: number;
  // Frames that a newer one overtook on its way here.
  overtaken: number;
}

export interface PainterOptions {
  canvas: HTMLCanvasElement;
  // Called after each paint; answers how old the input is that the frame answers.
  painted: (painted: Painted) => number;
  drawn: (drawn: Drawn) => void;
  failed: (error: unknown) => void;
  decode?: Decode;
  now?: () => number;
  schedule?: (work: () => void) => () => void;
}

export class Painter {
  private waiting: Arrived | null = null;
  private decoding = false;
  private ready: Decoded | null = null;
  // Overtaken frames are answered with the one that overtook them: answering sooner would only bring more of them.
  private overtaken: number[] = [];
  // Frames of a link that is gone are not answered on the next one.
  private epoch = 0;
  private readonly beat: Beat;
  private readonly context: CanvasRenderingContext2D | null;
  // The picture on the canvas, for whoever wants to keep it without a loss.
  shown: Frame | null = null;

  constructor(private readonly options: PainterOptions) {
    this.context = options.canvas.getContext("2d", { alpha: false });
    this.beat = new Beat(() => this.paint(), options.schedule);
  }

  show(frame: Frame, receivedAt: number): void {
    if (this.waiting) this.overtaken.push(this.waiting.frame.id);
    this.waiting = { frame, receivedAt };
    void this.work();
  }

  // The link was cut; what is on the canvas stays.
  forget(): void {
    this.epoch += 1;
    this.beat.stop();
    this.waiting = null;
    this.overtaken = [];
    this.ready?.picture.close();
    this.ready = null;
  }

  private get now(): number {
    return (this.options.now ?? performance.now.bind(performance))();
  }

  private async work(): Promise<void> {
    if (this.decoding) return;
    this.decoding = true;
    try {
      for (let next = this.take(); next; next = this.take()) await this.decodeOne(next);
    } finally {
      this.decoding = false;
    }
  }

  private take(): Arrived | null {
    const next = this.waiting;
    this.waiting = null;
    return next;
  }

  private async decodeOne(arrived: Arrived): Promise<void> {
    const { epoch } = this;
    const { frame } = arrived;
    try {
      const picture = await (this.options.decode ?? decodeInBrowser)(frame.codec, frame.data);
      if (epoch !== this.epoch) return picture.close();
      this.replace({ ...arrived, picture, decodedAt: this.now });
    } catch (error) {
      if (epoch !== this.epoch) return;
      // The streamer must not wait for a picture that never comes.
      this.options.drawn({ frame: frame.id });
      this.options.failed(error);
    }
  }

  private replace(decoded: Decoded): void {
    if (this.ready) {
      this.overtaken.push(this.ready.frame.id);
      this.ready.picture.close();
    }
    this.ready = decoded;
    this.beat.ask();
  }

  private paint(): void {
    const { ready } = this;
    if (!ready) return;
    this.ready = null;
    const { frame, picture, receivedAt, decodedAt } = ready;
    this.draw(frame, picture);
    const at = this.now;
    const times = { decodeMs: Math.max(0, decodedAt - receivedAt), paintMs: Math.max(0, at - decodedAt) };
    const overtaken = this.answerOvertaken();
    const inputMs = this.options.painted({ frame, ...times, at, overtaken });
    this.options.drawn({ frame: frame.id, decode_ms: times.decodeMs, paint_ms: times.paintMs, input_ms: inputMs });
  }

  private draw(frame: Frame, picture: Picture): void {
    const { canvas } = this.options;
    // Setting the size clears the canvas, so only when it changed; the picture follows before anyone can see it.
    if (canvas.width !== frame.width) canvas.width = frame.width;
    if (canvas.height !== frame.height) canvas.height = frame.height;
    this.context?.drawImage(picture.source, 0, 0);
    picture.close();
    this.shown = frame;
  }

  // One answer for each picture: a frame and its still have the same number and were sent on a credit each.
  private answerOvertaken(): number {
    const passed = this.overtaken;
    this.overtaken = [];
    for (const frame of passed) this.options.drawn({ frame });
    return passed.length;
  }
}
