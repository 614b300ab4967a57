// Bytes to a picture that can be drawn, off the main thread.

import type { Codec } from "../protocol";

export interface Picture {
  readonly source: CanvasImageSource;
  close(): void;
}

export type Decode = (codec: Codec, data: Uint8Array) => Promise<Picture>;

const MIME: Record<Codec, string> = { jpeg: "image/jpeg", png: "image/png" };

// What the browser would do to a photograph (colour profiles, premultiplied alpha) would change what ParaView drew.
const AS_IT_IS: ImageBitmapOptions = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

export const decode: Decode = async (codec, data) => {
  // The bytes lie in a buffer of our own (wslink copies each message), never in shared memory.
  const blob = new Blob([data as Uint8Array<ArrayBuffer>], { type: MIME[codec] });
  const bitmap = await createImageBitmap(blob, AS_IT_IS);
  return { source: bitmap, close: () => bitmap.close() };
};
