// A decoder that makes pictures when the test says so, loses its mind when told, and knows the rules.

import { FakeVideoFrame } from "./film";

export class FakeChunk {
  readonly type: "key" | "delta";
  readonly timestamp: number;

  constructor({ type, timestamp }: EncodedVideoChunkInit) {
    this.type = type;
    this.timestamp = timestamp;
  }
}

export class FakeVideoDecoder {
  static readonly all: FakeVideoDecoder[] = [];
  static supported: (config: VideoDecoderConfig) => Promise<boolean> = () => Promise.resolve(true);
  static refuses: (config: VideoDecoderConfig) => boolean = () => false;
  state = "unconfigured";
  readonly configs: VideoDecoderConfig[] = [];
  readonly taken: string[] = [];
  private readonly queue: number[] = [];
  private wantsKey = true;

  constructor(private readonly init: VideoDecoderInit) {
    FakeVideoDecoder.all.push(this);
  }

  static get last(): FakeVideoDecoder {
    const last = FakeVideoDecoder.all.at(-1);
    if (!last) throw new Error("Nothing is decoded.");
    return last;
  }

  static async isConfigSupported(config: VideoDecoderConfig): Promise<VideoDecoderSupport> {
    return { supported: await FakeVideoDecoder.supported(config), config };
  }

  configure(config: VideoDecoderConfig): void {
    if (FakeVideoDecoder.refuses(config)) throw new TypeError(`no ${config.codec}`);
    this.configs.push(config);
    this.state = "configured";
    this.wantsKey = true;
  }

  decode({ type, timestamp }: FakeChunk): void {
    if (this.state !== "configured") throw new DOMException("not configured", "InvalidStateError");
    if (this.wantsKey && type !== "key") throw new DOMException("a key frame is required", "DataError");
    this.wantsKey = false;
    this.taken.push(type);
    this.queue.push(timestamp);
  }

  // The picture of one of those that are inside; without those before it, which it swallows.
  output(place = 0): void {
    const timestamp = this.queue[Math.max(0, place - (this.taken.length - this.queue.length))];
    if (timestamp === undefined) throw new Error("There is nothing inside.");
    this.queue.splice(0, this.queue.indexOf(timestamp) + 1);
    this.init.output(new FakeVideoFrame(timestamp) as unknown as VideoFrame);
  }

  fail(error: unknown): void {
    this.state = "closed";
    this.init.error(error as DOMException);
  }

  close(): void {
    if (this.state === "closed") throw new DOMException("closed", "InvalidStateError");
    this.state = "closed";
  }
}
