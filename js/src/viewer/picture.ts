// The painted picture as a file.

import type { Frame } from "../protocol";

// A still that came as PNG is handed on byte for byte; anything else is read back from the canvas.
export async function pngOf(canvas: HTMLCanvasElement, shown: Frame | null): Promise<Blob> {
  if (shown?.codec === "png") return new Blob([shown.data as Uint8Array<ArrayBuffer>], { type: "image/png" });
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("The browser could not write the picture as PNG.");
  return blob;
}

export function fileName(view: string, at: Date): string {
  const stamp = at.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `pvlink-${view.replace(/[^\w-]+/g, "_")}-${stamp}.png`;
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has begun to read by then; a minute is for the slow ones.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
