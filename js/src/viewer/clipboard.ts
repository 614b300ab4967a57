// Text to the clipboard, also on a page without TLS, where browsers have no navigator.clipboard.

export async function copy(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text, near);
  }
}

// The old way: what is selected in a field that nobody sees. The field is gone before anybody could read it.
function copyBySelecting(text: string, near: HTMLElement): boolean {
  const before = (near.getRootNode() as Document | ShadowRoot).activeElement;
  const field = document.createElement("textarea");
  field.style.cssText = "position: fixed; left: 0; top: 0; width: 1px; height: 1px; opacity: 0";
  field.value = text;
  near.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.value = "";
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}
