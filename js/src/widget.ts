// The notebook widget, as anywidget wants it: a model with traits, an element, and a clean-up to return.

import type { CommModel } from "./comm";
import { announce } from "./models";
import { mount } from "./viewer/mount";
import { Ways } from "./ways";

interface RenderContext {
  model: CommModel;
  el: HTMLElement;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function initialize({ model }: { model: CommModel }): () => void {
  return announce(model);
}

function render({ model, el }: RenderContext): () => void {
  const [session, view] = [text(model.get("session")), text(model.get("view"))];
  const ways = new Ways({ session, view, relay: text(model.get("relay")) || "pvlink", model });
  const [width, height] = [text(model.get("width")), text(model.get("height"))];
  const viewer = mount(el, { url: ways.url, ticket: ways.tickets, width, height });
  return () => viewer.dispose();
}

export default { initialize, render };
