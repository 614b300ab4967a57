// The notebook widget, as anywidget wants it: a model with traits, an element, and a clean-up to return.

import type { CommModel } from "../comm";
import { mount } from "./mount";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function render({ model, el }: { model: CommModel; el: HTMLElement }): () => void {
  return mount(el, model, {
    height: text(model.get("height")),
    pattern: text(model.get("pattern")),
    hidden: model.get("hidden") === true,
  });
}

export default { render };
