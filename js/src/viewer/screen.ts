// Where pictures are seen: the canvas, which takes the hand's input and holds the picture at rest, and a film over it
// while the view moves, where the browser has such a thing.

import type { Frame } from "../protocol";
import type { Picture } from "./decoder";
import { Film } from "./film";

export class Screen {
  // The picture that is seen, for whoever wants to keep it without a loss.
  shown: Frame | null = null;
  private readonly context: CanvasRenderingContext2D | null;
  // Made with the first picture that moves; null where there is none.
  private film: Film | null | undefined;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d", { alpha: false });
  }

  // Whether a frame is one for a film. A still is for the canvas, and so is whatever changes the picture's shape, by
  // which the canvas knows where the hand is.
  moves({ codec, still, width, height }: Frame): boolean {
    if (still || codec === "png" || !this.shown || document.visibilityState === "hidden") return false;
    const { canvas } = this;
    // Smaller pictures are rounded to whole pixels, or to pairs of them.
    const alike = Math.abs(canvas.width * height - canvas.height * width) <= 2 * Math.max(canvas.width, canvas.height);
    return alike && this.reel() !== null;
  }

  // Whether it can be projected, too.
  films(frame: Frame): boolean {
    return this.moves(frame) && this.film?.proven === true;
  }

  draw(frame: Frame, picture: Picture): void {
    this.resize(frame);
    this.context?.drawImage(picture.source, 0, 0);
    if (this.film?.proven) this.film.hide();
    else if (picture.frame && this.moves(frame)) this.audition(picture.frame);
    picture.close();
    this.shown = frame;
  }

  // Ends when the picture is seen; false if it never will be.
  async project(frame: Frame, picture: VideoFrame): Promise<boolean> {
    const seen = (await this.film?.show(picture)) ?? false;
    if (seen) this.shown = frame;
    else this.close();
    return seen;
  }

  // From now on the canvas has what is seen.
  settle(): void {
    const { film, shown } = this;
    if (!film?.visible || !shown) return;
    this.resize(shown);
    this.context?.drawImage(film.element, 0, 0, shown.width, shown.height);
    film.hide();
  }

  close(): void {
    this.film?.close();
    this.film = null;
  }

  private audition(picture: VideoFrame): void {
    if (this.film?.audition(picture.clone()) === false) this.close();
  }

  private reel(): Film | null {
    if (this.film !== undefined) return this.film;
    this.film = Film.make();
    if (this.film) this.canvas.after(this.film.element);
    return this.film;
  }

  // Setting the size clears the canvas, so only when it changed; the picture follows before anyone can see it.
  private resize({ width, height }: Frame): void {
    const { canvas } = this;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }
}
