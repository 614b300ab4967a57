// The notebook widget, as anywidget wants it: a model with traits, an element, and a clean-up to return.

import { address } from "./address";
import { jupyterTickets } from "./ticket";
import { mount, type MountOptions } from "./viewer/mount";

interface Model {
  get(name: "session" | "view" | "relay"): string | undefined;
  get(name: "width" | "height"): string | number | null | undefined;
}

interface RenderContext {
  model: Model;
  el: HTMLElement;
}

function options(model: Model): MountOptions {
  const width = model.get("width") ?? undefined;
  const height = model.get("height") ?? undefined;
  const place = address(model.get("session") ?? "", model.get("relay") || "pvlink");
  return {
    url: place.url,
    ticket: jupyterTickets(place, model.get("view") ?? ""),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
  };
}

function render({ model, el }: RenderContext): () => void {
  const viewer = mount(el, options(model));
  return () => viewer.dispose();
}

export default { render };
