// JupyterLab's and Notebook 7's way to show a view in an output.

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { MIME_TYPE, ViewOutput } from "./output";

class RenderedView extends Widget implements IRenderMime.IRenderer {
  private readonly output = new ViewOutput(this.node);

  constructor() {
    super();
    this.addClass("pvlink-output");
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.output.show(model);
    return Promise.resolve();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.output.dispose();
    super.dispose();
  }
}

const extension: IRenderMime.IExtension = {
  id: "pvlink:view",
  description: "Shows ParaView views alive in cell outputs.",
  rendererFactory: {
    // A notebook that is not trusted connects to nothing: it shows the picture beside this type.
    safe: false,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new RenderedView(),
  },
  // Before the widget manager's view, which stands at -10: a picture in the output outlives the kernel.
  rank: -20,
  dataType: "json",
};

export default extension;
