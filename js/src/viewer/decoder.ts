// Bytes to a picture that can be drawn, off the main thread. Pictures here; videos, whose frames need each other, in
// video.ts.

import type { Frame } from "../protocol";
import type { PictureCodec } from "./codecs";

export interface Picture {
  readonly source: CanvasImageSource;
  // The same, where it is one.
  readonly frame?: VideoFrame;
  close(): void;
}

// A frame in this browser; `order` grows with each that comes.
export interface Arrived {
  frame: Frame;
  receivedAt: number;
  order: number;
}

// `film`: it is to be shown as a frame of a video (film.ts).
export type Decode = (codec: PictureCodec, data: Uint8Array, film: boolean) => Promise<Picture>;

const MIME: Record<PictureCodec, string> = { jpeg: "image/jpeg", png: "image/png" };

// A still shows what ParaView drew, to the bit: whatever the browser would do to a photograph (colour profiles,
// premultiplied alpha) is turned off. A JPEG has none of that, and asking costs it 14 ms instead of 10 at 1080p.
const OPTIONS: Record<PictureCodec, ImageBitmapOptions | undefined> = {
  jpeg: undefined,
  png: { colorSpaceConversion: "none", premultiplyAlpha: "none" },
};

export const filmed = (frame: VideoFrame): Picture => ({ source: frame, frame, close: () => frame.close() });

export const decode: Decode = async (codec, data, film) => {
  // The bytes lie in a buffer of our own (wslink copies each message), never in shared memory.
  const bytes = data as Uint8Array<ArrayBuffer>;
  if (film && "ImageDecoder" in globalThis) return filmed(await asVideoFrame(bytes, MIME[codec]));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: MIME[codec] }), OPTIONS[codec]);
  return { source: bitmap, close: () => bitmap.close() };
};

// Half the time of a bitmap, for it stays in the JPEG's own colours. A video is shown in those; a canvas would convert
// them on the main thread, 11 ms and more at 1080p.
async function asVideoFrame(data: Uint8Array<ArrayBuffer>, type: string): Promise<VideoFrame> {
  const decoder = new ImageDecoder({ data, type });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}
