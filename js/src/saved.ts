// The last picture of a view, kept in the notebook so that it reads well where nothing runs.

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";

// A picture is kept when the view has rested: storing marks the notebook as changed.
const REST_MS = 1_500;
// What a page shows this soon is what it was opened with, at most at another size.
const SETTLING_MS = 3_000;

// What a blob says as base64, without the "data:" in front.
export function base64(blob: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => failed(reader.error ?? new Error("The picture could not be read."));
    reader.readAsDataURL(blob);
  });
}

// The picture in a bundle, or "". nbformat allows lines.
export function pictureIn(model: IRenderMime.IMimeModel): string {
  const found = model.data["image/png"];
  const text = Array.isArray(found) ? found.join("") : found;
  return typeof text === "string" ? text.replace(/\s/g, "") : "";
}

// Width and height as PNG's first chunk has them: two big-endian numbers, 16 bytes from the start.
export function pngSize(encoded: string): { width: number; height: number } | null {
  const head = atob(encoded.slice(0, 32));
  if (head.length < 24 || !head.startsWith("\x89PNG")) return null;
  const bytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function metadataFor(model: IRenderMime.IMimeModel, picture: string): IRenderMime.IMimeModel["metadata"] {
  const size = pngSize(picture);
  if (!size) return model.metadata;
  // Without it a picture from a HiDPI screen would be shown at twice its size.
  const shown = {
    width: Math.round(size.width / devicePixelRatio),
    height: Math.round(size.height / devicePixelRatio),
  };
  return { ...model.metadata, "image/png": shown };
}

export class SavedPicture {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private model: IRenderMime.IMimeModel | null = null;
  private readonly began = performance.now();

  follow(model: IRenderMime.IMimeModel): void {
    this.model = model;
  }

  // A still was painted, after this page's hand was at work or not; keeps it unless another follows soon.
  offer(png: () => Promise<Blob>, touched: boolean): void {
    clearTimeout(this.timer);
    if (!this.wants(touched)) return;
    this.timer = setTimeout(() => {
      this.keep(png).catch((error: unknown) => console.warn("pvlink: the picture was not kept:", error));
    }, REST_MS);
  }

  // A notebook open in two tabs is changed by the one in front, and by neither for being opened: the other would be
  // told that the file has changed under it.
  private wants(touched: boolean): boolean {
    if (this.model && !pictureIn(this.model)) return true;
    return document.hasFocus() && (touched || performance.now() - this.began > SETTLING_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.model = null;
  }

  private async keep(png: () => Promise<Blob>): Promise<void> {
    const picture = await base64(await png());
    const { model } = this;
    // Setting the data renders the output again: only for a picture that is new.
    if (!model || pictureIn(model) === picture) return;
    // A dashboard of Voila's has no notebook to keep it in.
    if (typeof model.setData !== "function") return;
    model.setData({ data: { ...model.data, "image/png": picture }, metadata: metadataFor(model, picture) });
  }
}
