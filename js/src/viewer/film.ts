// Pictures as the frames of a <video>, over the canvas, while the view moves. The compositor takes them as they come out
// of the decoder; a canvas would convert them on the main thread. Measured in Chromium on two cores without a GPU, for
// 25 frames a second at 1080p: H.264 takes 14 ms of processor time a frame instead of 22, and is seen after 8 ms instead
// of 19; JPEG takes 15 instead of 20, and 19 ms instead of 25.
// The only file that knows MediaStreamTrackGenerator, which is Chromium's alone.

// Not in TypeScript's DOM: it is not a standard.
type TrackGenerator = MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> };
type TrackGeneratorMaker = new (init: { kind: "video" }) => TrackGenerator;

// The streamer waits for "drawn": an element that is scrolled away may never be told that it was painted.
const LONGEST_FRAME_MS = 200;

const maker = (): TrackGeneratorMaker | undefined =>
  (globalThis as { MediaStreamTrackGenerator?: TrackGeneratorMaker }).MediaStreamTrackGenerator;

// So many frames in vain, and this browser shows none.
const LONGEST_TRIAL = 20;

export class Film {
  readonly element = document.createElement("video");
  // Whether a frame has ever come through; before that nothing may depend on it.
  proven = false;
  private readonly track: TrackGenerator;
  private readonly frames: WritableStreamDefaultWriter<VideoFrame>;
  private trials = 0;
  // Ends the wait of the frame that is on its way, if there is one.
  private presented: (() => void) | null = null;

  // Null where the browser has none.
  static make(): Film | null {
    const Generator = maker();
    return Generator && "requestVideoFrameCallback" in HTMLVideoElement.prototype ? new Film(Generator) : null;
  }

  private constructor(Generator: TrackGeneratorMaker) {
    this.track = new Generator({ kind: "video" });
    this.frames = this.track.writable.getWriter();
    const { element } = this;
    element.className = "pvlink-film";
    element.muted = true;
    element.playsInline = true;
    element.disablePictureInPicture = true;
    element.setAttribute("aria-hidden", "true");
    element.srcObject = new MediaStream([this.track]);
    this.hide();
    this.listen();
  }

  get visible(): boolean {
    return this.element.style.visibility === "visible";
  }

  // Unseen, to find out. Answers whether there is still hope.
  audition(frame: VideoFrame): boolean {
    this.trials += 1;
    this.write(frame).catch(() => (this.trials = LONGEST_TRIAL));
    return this.trials < LONGEST_TRIAL;
  }

  // Ends when the frame is on the screen, and closes it. False: it never will be.
  async show(frame: VideoFrame): Promise<boolean> {
    const shown = new Promise<void>((done) => {
      const timer = setTimeout(() => this.presented?.(), LONGEST_FRAME_MS);
      this.presented = () => {
        clearTimeout(timer);
        this.presented = null;
        done();
      };
    });
    try {
      await this.write(frame);
    } catch {
      this.hide();
      return false;
    }
    await shown;
    return true;
  }

  // What is on the canvas counts from now on. A video that plays would keep the user's screen from going dark.
  hide(): void {
    this.presented?.();
    this.element.style.visibility = "hidden";
    this.element.pause();
  }

  close(): void {
    this.hide();
    this.track.stop();
    this.element.srcObject = null;
    this.element.remove();
  }

  // Always before the frame is on its way: the compositor does not say afterwards what it has shown.
  private listen(): void {
    this.element.requestVideoFrameCallback(() => {
      this.proven = true;
      // A frame that comes after its time has been overtaken by the canvas.
      if (this.presented) this.element.style.visibility = "visible";
      this.presented?.();
      this.listen();
    });
  }

  private async write(frame: VideoFrame): Promise<void> {
    // Refused, or called off by a still: then nothing is presented, and that is noticed anyway.
    if (this.element.paused) this.element.play().catch(() => undefined);
    try {
      // From here on the frame is the stream's.
      await this.frames.write(frame);
    } catch (error) {
      frame.close();
      throw error;
    }
  }
}
