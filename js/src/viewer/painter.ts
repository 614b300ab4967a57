// Frames to pixels, newest wins. Decoding and painting overlap: while one picture waits for the repaint the next one
// is decoded. There is one place before each, so a page that is too slow loses frames and never grows; only a video's
// are all decoded, and then painted or not.

import type { Drawn, Frame, Undecodable } from "../protocol";
import { Beat } from "./clock";
import { isVideo, type PictureCodec } from "./codecs";
import { decode as decodeInBrowser, type Arrived, type Decode, type Picture } from "./decoder";
import { Screen } from "./screen";
import { Video } from "./video";

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
  // A frame of a video could not be decoded; it is answered by this.
  undecodable: (undecodable: Undecodable, error: unknown) => void;
  // A frame that needs no other is wanted.
  refresh: () => void;
  failed: (error: unknown) => void;
  decode?: Decode;
  now?: () => number;
  schedule?: (work: () => void) => () => void;
}

export class Painter {
  private order = 0;
  private waiting: (Arrived & { codec: PictureCodec }) | null = null;
  private decoding = false;
  private ready: Decoded | null = null;
  // The newest that was decoded: what came before it and is decoded later is overtaken, of whatever codec.
  private newest = 0;
  // On its way to the screen, which takes one at a time.
  private showing = false;
  // Overtaken frames are answered with the one that overtook them: answering sooner would only bring more of them.
  private overtaken: Arrived[] = [];
  // How many there were since the last paint.
  private passed = 0;
  // Frames of a link that is gone are not answered on the next one.
  private epoch = 0;
  private readonly beat: Beat;
  private readonly screen: Screen;
  private readonly video: Video;

  constructor(private readonly options: PainterOptions) {
    this.screen = new Screen(options.canvas);
    this.beat = new Beat(() => this.paint(), options.schedule);
    this.video = new Video({
      decoded: (arrived, picture) => this.replace(arrived, picture),
      skipped: ({ frame }) => this.options.drawn({ frame: frame.id }),
      refresh: () => this.options.refresh(),
      undecodable: ({ frame: { id, codec } }, error) => this.options.undecodable({ frame: id, codec }, error),
    });
  }

  get shown(): Frame | null {
    return this.screen.shown;
  }

  show(frame: Frame, receivedAt: number): void {
    this.order += 1;
    const { codec } = frame;
    const arrived = { frame, receivedAt, order: this.order };
    if (isVideo(codec)) return this.video.take(arrived);
    this.passBy();
    this.waiting = { ...arrived, codec };
    void this.work();
  }

  // The link was cut; what is on the screen stays.
  forget(): void {
    this.epoch += 1;
    this.beat.stop();
    this.video.forget();
    this.waiting = null;
    this.overtaken = [];
    this.ready?.picture.close();
    this.ready = null;
    this.screen.settle();
  }

  // From now on what is seen can be read from the canvas.
  settle(): void {
    this.screen.settle();
  }

  close(): void {
    this.forget();
    this.screen.close();
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

  private take(): Painter["waiting"] {
    const next = this.waiting;
    this.waiting = null;
    return next;
  }

  private async decodeOne({ codec, ...arrived }: Arrived & { codec: PictureCodec }): Promise<void> {
    const { epoch } = this;
    const { frame } = arrived;
    try {
      const decode = this.options.decode ?? decodeInBrowser;
      const picture = await decode(codec, frame.data, this.screen.moves(frame));
      if (epoch !== this.epoch) return picture.close();
      this.replace(arrived, picture);
    } catch (error) {
      if (epoch !== this.epoch) return;
      // The streamer must not wait for a picture that never comes.
      this.options.drawn({ frame: frame.id });
      this.answerStranded();
      this.options.failed(error);
    }
  }

  private replace(arrived: Arrived, picture: Picture): void {
    const decoded = { ...arrived, picture, decodedAt: this.now };
    if (arrived.order < this.newest) return this.overtake(decoded);
    this.newest = arrived.order;
    if (this.waiting && this.waiting.order < this.newest) this.passBy();
    if (this.ready) this.overtake(this.ready);
    this.ready = decoded;
    this.next();
  }

  // The picture that waits to be decoded need not be any more.
  private passBy(): void {
    const passed = this.take();
    if (passed) this.count(passed);
  }

  private overtake(decoded: Decoded): void {
    decoded.picture.close();
    this.count(decoded);
    this.answerStranded();
  }

  private count(arrived: Arrived): void {
    this.overtaken.push(arrived);
    this.passed += 1;
  }

  private next(): void {
    const { ready } = this;
    if (!ready || this.showing) return;
    if (ready.picture.frame && this.screen.films(ready.frame)) void this.project(ready, ready.picture.frame);
    else this.beat.ask();
  }

  // A film needs no beat: the compositor has its own.
  private async project(ready: Decoded, picture: VideoFrame): Promise<void> {
    const { epoch } = this;
    this.beat.stop();
    this.ready = null;
    this.showing = true;
    const seen = await this.screen.project(ready.frame, picture);
    this.showing = false;
    if (epoch === this.epoch && seen) this.answer(ready);
    else if (epoch === this.epoch) {
      this.options.drawn({ frame: ready.frame.id });
      this.answerStranded();
    }
    this.next();
  }

  private paint(): void {
    const { ready } = this;
    if (!ready) return;
    this.ready = null;
    this.screen.draw(ready.frame, ready.picture);
    this.answer(ready);
  }

  private answer({ frame, receivedAt, order, decodedAt }: Decoded): void {
    const at = this.now;
    const times = { decodeMs: Math.max(0, decodedAt - receivedAt), paintMs: Math.max(0, at - decodedAt) };
    this.answerOvertaken(order);
    const overtaken = this.passed;
    this.passed = 0;
    const inputMs = this.options.painted({ frame, ...times, at, overtaken });
    this.options.drawn({ frame: frame.id, decode_ms: times.decodeMs, paint_ms: times.paintMs, input_ms: inputMs });
  }

  // Those that nothing is on its way for that could take their answers along.
  private answerStranded(): void {
    if (!this.ready && !this.showing) this.answerOvertaken(Infinity);
  }

  // One answer for each picture: a frame and its still have the same number and were sent on a credit each.
  private answerOvertaken(before: number): void {
    const passed = this.overtaken.filter(({ order }) => order < before);
    this.overtaken = this.overtaken.filter(({ order }) => order > before);
    for (const { frame } of passed) this.options.drawn({ frame: frame.id });
  }
}
