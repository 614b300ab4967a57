import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { address } from "../src/address";
import { announce } from "../src/models";
import { MIME_TYPE, payload, ViewOutput } from "../src/output";
import { base64, pictureIn, pngSize, SavedPicture } from "../src/saved";
import widget from "../src/widget";
import { FakeKernel } from "./fakes/kernel";
import { FakeIntersectionObserver, FakeResizeObserver } from "./fakes/observers";
import { settle } from "./fakes/socket";

// A PNG of one pixel.
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

// A model as JupyterLab has it: setting the data renders the output again.
class FakeModel implements IRenderMime.IMimeModel {
  readonly trusted = true;
  metadata: IRenderMime.IMimeModel["metadata"] = { kept: true };
  sets = 0;
  rendered: () => void = () => undefined;

  constructor(public data: IRenderMime.IMimeModel["data"]) {}

  setData({ data, metadata }: IRenderMime.IMimeModel.ISetDataOptions): void {
    this.sets += 1;
    this.data = data ?? this.data;
    this.metadata = metadata ?? this.metadata;
    this.rendered();
  }
}

const VIEW = { session: "s1", view: "v1", width: "", height: "400px", protocol: 1 };
const bundle = (view: unknown = VIEW): FakeModel => new FakeModel({ [MIME_TYPE]: view as never, "image/png": PIXEL });
const blobOf = (encoded: string): Blob => new Blob([Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0))]);

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  vi.stubGlobal("IntersectionObserver", FakeIntersectionObserver);
});

beforeEach(() => {
  // As nbclassic says where the server is.
  document.body.dataset.baseUrl = "/";
});

afterEach(() => {
  delete document.body.dataset.baseUrl;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the address of a session", () => {
  const page = (html: string, href: string): Document => {
    const made = new DOMParser().parseFromString(html, "text/html");
    return { getElementById: (id: string) => made.getElementById(id), body: made.body, location: { href } } as Document;
  };
  const config = (base: string): string => `<script id="jupyter-config-data">{"baseUrl": "${base}"}</script>`;

  it("is below the base URL that JupyterLab, Notebook 7 and Voila write into the page", () => {
    const hub = page(config("/user/me/"), "https://hub.example/user/me/lab/tree/a.ipynb");
    expect(address("s1", "pvlink", hub)).toEqual({
      url: "wss://hub.example/user/me/pvlink/s1/ws",
      probe: "https://hub.example/user/me/pvlink/s1",
      ticket: "https://hub.example/user/me/pvlink/s1/ticket",
    });
  });

  it("is not secure where the page is not", () => {
    expect(address("s1", "pvlink", page(config("/"), "http://localhost:8888/lab"))?.url).toBe(
      "ws://localhost:8888/pvlink/s1/ws",
    );
  });

  it("follows the base URL of older pages", () => {
    const old = page("<body data-base-url='/node/c1/8888/'>", "https://ood.example/node/c1/8888/notebooks/a.ipynb");
    expect(address("s1", "pvlink", old)?.probe).toBe("https://ood.example/node/c1/8888/pvlink/s1");
  });

  it("is none where nothing is said, or nothing readable: the page is no Jupyter server's", () => {
    const broken = page('<script id="jupyter-config-data">{</script>', "http://h/x/y");
    expect(address("s1", "pvlink", broken)).toBeNull();
    expect(address("s1", "pvlink", page("", "vscode-webview://1/index.html"))).toBeNull();
  });

  it("takes another route, and cannot be led astray by a session's name", () => {
    const plain = page(config("/"), "http://h/");
    expect(address("../../x?y", "proxy/pvlink/", plain)?.probe).toBe("http://h/proxy/pvlink/..%2F..%2Fx%3Fy");
  });
});

describe("the payload of an output", () => {
  it("names the session and the view, and how big", () => {
    expect(payload(VIEW)).toEqual({ session: "s1", view: "v1", width: "", height: "400px" });
  });

  it.each([null, "text", {}, { session: "", view: "v" }, { session: 1, view: "v" }, { session: "s" }])(
    "is not ours when it is %j",
    (data) => {
      expect(payload(data)).toBeNull();
    },
  );
});

describe("an output", () => {
  let node: HTMLElement;
  let asked: string[];
  let output: ViewOutput;
  let reply: () => Promise<Response>;

  const says = (alive: boolean): Promise<Response> => Promise.resolve(new Response(JSON.stringify({ alive })));
  const isLive = (): boolean => node.querySelector(".pvlink") !== null;
  const flush = async (): Promise<void> => {
    await new Promise((done) => setTimeout(done, 5));
    await settle();
  };

  beforeEach(() => {
    node = document.createElement("div");
    document.body.append(node);
    asked = [];
    reply = () => says(true);
    output = new ViewOutput(node, (url) => {
      asked.push(String(url));
      return reply();
    });
  });

  afterEach(() => {
    output.dispose();
    node.remove();
  });

  it("shows the saved picture at once", () => {
    output.show(bundle());
    expect(node.querySelector("img")?.src).toBe(`data:image/png;base64,${PIXEL}`);
    expect(isLive()).toBe(false);
  });

  it("asks as a page of the server's own, as JupyterHub wants it", async () => {
    vi.spyOn(document, "cookie", "get").mockReturnValue("_xsrf=mine");
    const get = vi.fn((_url: string | URL | Request, _init?: RequestInit) => says(false));
    output = new ViewOutput(node, get);
    output.show(bundle());
    await flush();
    expect(get.mock.calls[0]?.[1]?.headers).toEqual({ "X-XSRFToken": "mine" });
    vi.restoreAllMocks();
  });

  it("comes alive when its session lives, with the picture standing in", async () => {
    output.show(bundle());
    await flush();
    expect(isLive()).toBe(true);
    expect(node.querySelector<HTMLImageElement>(".pvlink-still")?.src).toContain(PIXEL);
    expect(node.querySelector<HTMLElement>(".pvlink")?.style.height).toBe("400px");
  });

  it("stays a picture when its session ended, and says what to do", async () => {
    reply = () => says(false);
    output.show(bundle());
    await flush();
    expect(isLive()).toBe(false);
    expect(node.querySelector("img")).not.toBeNull();
    expect(node.textContent).toBe("Saved picture. Run the cell for the live view.");
  });

  it("stays a picture where Jupyter has no pvlink, and says so", async () => {
    reply = () => Promise.resolve(new Response("", { status: 404 }));
    output.show(bundle());
    await flush();
    expect(isLive()).toBe(false);
    expect(node.textContent).toContain("has no pvlink");
  });

  it("stays a picture where the voila command serves it, and says where to go", async () => {
    const refused = new Response("", { status: 403 });
    Object.defineProperty(refused, "redirected", { value: true });
    reply = () => Promise.resolve(refused);
    output.show(bundle());
    await flush();
    expect(isLive()).toBe(false);
    expect(node.textContent).toContain("voila/render");
  });

  it.each([
    [404, "http://h/hub/user/me/pvlink/s1"],
    [424, "http://h/user/me/pvlink/s1"],
  ])("says when the hub has stopped the server (%i)", async (status, url) => {
    const stopped = new Response("", { status });
    Object.defineProperty(stopped, "url", { value: url });
    reply = () => Promise.resolve(stopped);
    output.show(bundle());
    await flush();
    expect(node.textContent).toContain("JupyterHub has stopped this Jupyter server");
  });

  it("waits for a server that does not answer just now", async () => {
    reply = () => Promise.reject(new TypeError("Failed to fetch"));
    output.show(bundle());
    await flush();
    expect(isLive()).toBe(true);
  });

  it("stays mounted when only its picture changed", async () => {
    const model = bundle();
    output.show(model);
    await flush();
    const viewer = node.querySelector(".pvlink");
    model.data = { ...model.data, "image/png": "AAAA" };
    output.show(model);
    await flush();
    expect(node.querySelector(".pvlink")).toBe(viewer);
    expect(asked).toHaveLength(1);
  });

  it("begins anew for another view", async () => {
    output.show(bundle());
    await flush();
    const viewer = node.querySelector(".pvlink");
    output.show(bundle({ ...VIEW, view: "v2" }));
    await flush();
    expect(node.querySelectorAll(".pvlink")).toHaveLength(1);
    expect(node.querySelector(".pvlink")).not.toBe(viewer);
  });

  it("says so when it cannot read what it got, and connects to nothing", async () => {
    output.show(bundle({ version: 9 }));
    await flush();
    expect(node.textContent).toContain("does not know");
    expect(asked).toEqual([]);
  });

  it("does not come alive after it was disposed", async () => {
    output.show(bundle());
    output.dispose();
    await flush();
    expect(node.innerHTML).toBe("");
  });
});

describe("an output whose session the server does not find", () => {
  let node: HTMLElement;
  let output: ViewOutput;
  let kernel: FakeKernel;
  let forget: () => void = () => undefined;

  const viewers = (): number => node.querySelectorAll(".pvlink").length;
  const settled = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(5);
    await settle();
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    node = document.createElement("div");
    document.body.append(node);
    kernel = new FakeKernel();
    output = new ViewOutput(node, () => Promise.resolve(new Response(JSON.stringify({ alive: false }))));
  });

  afterEach(() => {
    output.dispose();
    forget();
    node.remove();
  });

  it("is live through the widget of its view, whichever comes first", async () => {
    output.show(bundle());
    await settled();
    expect(viewers()).toBe(0);
    forget = announce(kernel);
    await settled();
    expect(viewers()).toBe(1);
    expect(node.querySelector(".pvlink-saved")).toBeNull();
  });

  it("keeps its picture until the kernel answers, and says so", async () => {
    kernel.busy = true;
    forget = announce(kernel);
    output.show(bundle());
    await settled();
    await vi.advanceTimersByTimeAsync(700);
    expect(viewers()).toBe(0);
    expect(node.querySelector("img")).not.toBeNull();
    expect(node.textContent).toContain("it is busy, or has ended");
    kernel.work(false);
    await settled();
    expect(viewers()).toBe(1);
  });

  it("stays a picture where the kernel knows of the end, too", async () => {
    kernel.refusal = { code: 4404, message: "This session was stopped.", final: true };
    forget = announce(kernel);
    output.show(bundle());
    await settled();
    expect(viewers()).toBe(0);
    expect(node.textContent).toBe("Saved picture. This session was stopped.");
  });

  it("asks nobody any more once it is gone", async () => {
    output.show(bundle());
    await settled();
    output.dispose();
    forget = announce(kernel);
    await settled();
    expect(kernel.calls).toEqual([]);
  });
});

describe("the picture kept in the notebook", () => {
  it("is kept when the view has rested, without a 'data:' in front, with the size it was shown at", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const model = new FakeModel({ [MIME_TYPE]: VIEW as never });
    const saved = new SavedPicture();
    saved.follow(model);
    saved.offer(() => Promise.resolve(blobOf(PIXEL)), true);
    vi.advanceTimersByTime(1_000);
    saved.offer(() => Promise.resolve(blobOf(PIXEL)), true);
    vi.advanceTimersByTime(1_499);
    expect(model.sets).toBe(0);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await vi.waitFor(() => expect(model.sets).toBe(1));
    expect(model.data).toEqual({ [MIME_TYPE]: VIEW, "image/png": PIXEL });
    expect(model.metadata).toEqual({ kept: true, "image/png": { width: 1, height: 1 } });
  });

  it("is set once, although setting it renders the output again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const model = new FakeModel({ [MIME_TYPE]: VIEW as never });
    const saved = new SavedPicture();
    const offer = (): void => {
      saved.follow(model);
      saved.offer(() => Promise.resolve(blobOf(PIXEL)), true);
    };
    model.rendered = offer;
    offer();
    vi.advanceTimersByTime(1_500);
    await vi.waitFor(() => expect(model.sets).toBe(1));
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await new Promise((done) => setTimeout(done, 20));
    expect(model.sets).toBe(1);
  });

  it("is not replaced by a page that was only opened, nor by one in the background", () => {
    vi.useFakeTimers();
    const focus = vi.spyOn(document, "hasFocus");
    const asked = vi.fn(() => Promise.resolve(blobOf(PIXEL)));
    const saved = new SavedPicture();
    saved.follow(new FakeModel({ [MIME_TYPE]: VIEW as never, "image/png": "b2xk" }));
    const offered = (front: boolean, touched: boolean, later: number): boolean => {
      focus.mockReturnValue(front);
      vi.advanceTimersByTime(later);
      asked.mockClear();
      saved.offer(asked, touched);
      vi.advanceTimersByTime(1_500);
      return asked.mock.calls.length > 0;
    };
    expect(offered(true, false, 0)).toBe(false);
    expect(offered(true, true, 0)).toBe(true);
    expect(offered(false, true, 5_000)).toBe(false);
    expect(offered(true, false, 0)).toBe(true);
    focus.mockRestore();
  });

  it("is left alone once the output is gone", () => {
    vi.useFakeTimers();
    const saved = new SavedPicture();
    saved.follow(bundle());
    saved.offer(() => Promise.reject(new Error("too late")), true);
    saved.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is found however the notebook's format broke it into lines", () => {
    expect(pictureIn(new FakeModel({ "image/png": ["AA\n", "BB\n"] }))).toBe("AABB");
    expect(pictureIn(new FakeModel({}))).toBe("");
  });

  it("tells its size, if it is a PNG", () => {
    expect(pngSize(PIXEL)).toEqual({ width: 1, height: 1 });
    expect(pngSize(btoa("GIF89a, and more than twenty-four bytes"))).toBeNull();
  });

  it("is written as plain base64", async () => {
    expect(await base64(blobOf("AQID"))).toBe("AQID");
  });
});

describe("the notebook widget", () => {
  const traits: Record<string, string> = { session: "s1", view: "v1", width: "", height: "320px" };
  const nothing = (): undefined => undefined;
  const model = { get: (name: string) => traits[name], send: nothing, on: nothing, off: nothing };

  it("mounts a viewer, and takes it back", () => {
    const el = document.createElement("div");
    const dispose = widget.render({ model, el });
    expect(el.querySelector<HTMLElement>(".pvlink")?.style.height).toBe("320px");
    expect(el.dataset.pvlinkState).toBe("connecting");
    dispose();
    dispose();
    expect(el.innerHTML).toBe("");
  });
});
