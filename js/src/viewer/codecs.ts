// What this browser decodes: asked once for the page, and less whatever has failed since.

import type { Codec } from "../protocol";

export type PictureCodec = Extract<Codec, "jpeg" | "png">;
export type VideoCodec = Exclude<Codec, PictureCodec>;

const PICTURES: readonly PictureCodec[] = ["jpeg", "png"];
// As the streamer's encoders have them (RFC 6381), of a size that is common: baseline or profile 0, 8 bits.
const VIDEOS: Record<VideoCodec, string> = { h264: "avc1.42C028", vp9: "vp09.00.40.08", av1: "av01.0.08M.08" };
const SIZE = { codedWidth: 1920, codedHeight: 1080 };
// A browser that must start a process to know may take longer; then this once pictures will do.
const PATIENCE_MS = 300;

// How people call them.
export const NAMES: Record<Codec, string> = { jpeg: "JPEG", png: "PNG", h264: "H.264", vp9: "VP9", av1: "AV1" };

export const isVideo = (codec: Codec): codec is VideoCodec => codec in VIDEOS;

// Each frame out as soon as it is in.
export const videoConfig = (codec: string, width: number, height: number): VideoDecoderConfig => ({
  codec,
  codedWidth: width,
  codedHeight: height,
  optimizeForLatency: true,
});

async function decodes(codec: VideoCodec): Promise<boolean> {
  try {
    const { codedWidth, codedHeight } = SIZE;
    const answer = await VideoDecoder.isConfigSupported(videoConfig(VIDEOS[codec], codedWidth, codedHeight));
    return answer.supported === true;
  } catch {
    return false;
  }
}

export class Codecs {
  private readonly known = new Set<Codec>(PICTURES);
  private readonly refused = new Set<Codec>();
  private asked: Promise<void> | null = null;

  // What may be offered now.
  get offered(): Codec[] {
    return [...this.known].filter((codec) => !this.refused.has(codec));
  }

  // What was offered once and then failed.
  get failed(): Codec[] {
    return [...this.refused];
  }

  // Ends when the browser has answered, or has taken too long to; asks it the first time only.
  learn(): Promise<void> {
    this.asked ??= this.ask();
    return this.asked;
  }

  refuse(codec: Codec): void {
    this.refused.add(codec);
  }

  private ask(): Promise<void> {
    // Pages without TLS have no WebCodecs, nor have older browsers.
    if (!("VideoDecoder" in globalThis)) return Promise.resolve();
    const asking = (Object.keys(VIDEOS) as VideoCodec[]).map(async (codec) => {
      if (await decodes(codec)) this.known.add(codec);
    });
    return new Promise((done) => {
      const timer = setTimeout(done, PATIENCE_MS);
      void Promise.all(asking).then(() => {
        clearTimeout(timer);
        done();
      });
    });
  }
}

// Of this page: the viewers on it share its browser.
export const codecs = new Codecs();
