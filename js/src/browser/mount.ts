// A file browser in an element. The only place where its parts meet.

import type { CommModel } from "../comm";
import { files } from "./chosen";
import { Footer } from "./footer";
import { Grid } from "./grid";
import { icon, iconButton } from "./icons";
import { Desk, Overtaken, type Page, type Sort, type View, type Where } from "./messages";
import { PathBar } from "./pathbar";
import { STYLE } from "./style";
import { counted } from "./words";

export interface Options {
  height: string;
  pattern: string;
  hidden: boolean;
}

// Whoever types is not answered after each letter.
const TYPING_MS = 250;

class Mounted {
  private readonly life = new AbortController();
  private readonly root = document.createElement("div");
  private readonly places = document.createElement("nav");
  private readonly filter = document.createElement("input");
  private readonly showHidden = iconButton("hidden", "Show hidden files");
  private readonly desk: Desk;
  private readonly grid: Grid;
  private readonly path: PathBar;
  private readonly footer: Footer;
  private readonly view: View;
  private page: Page | null = null;
  private typing: ReturnType<typeof setTimeout> | undefined;

  constructor(element: HTMLElement, model: CommModel, { height, pattern, hidden }: Options) {
    const { signal } = this.life;
    this.view = { sort: "name", reverse: false, pattern, hidden };
    this.desk = new Desk(model, (busy) => this.footer.busy(busy));
    this.path = new PathBar({
      part: (part) => this.go({ part }),
      path: (path) => this.go({ path }),
    });
    this.footer = new Footer({
      open: (reader) => this.open(reader),
      readers: () => this.readers(),
    });
    this.grid = new Grid(
      {
        page: (begin) => void this.more(begin),
        sort: (sort) => this.sort(sort),
        chosen: () => this.chosen(),
        enter: (entry) => (entry.kind === "folder" ? this.go({ line: entry.line }) : this.open(this.footer.reader)),
        up: () => this.up(),
        find: (find, begin) => this.look(find, begin),
      },
      signal,
    );
    this.build(height);
    element.append(this.root);
    this.go({});
  }

  dispose(): void {
    clearTimeout(this.typing);
    this.desk.dispose();
    this.life.abort();
    this.root.remove();
  }

  private build(height: string): void {
    const style = document.createElement("style");
    style.textContent = STYLE;
    this.root.className = "pvlink-files";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Files where ParaView reads them");
    // A notebook has commands on plain letters.
    this.root.setAttribute("data-lm-suppress-shortcuts", "true");
    if (height) this.root.style.height = height;
    const [up, reload] = [iconButton("up", "Up"), iconButton("reload", "Reload")];
    up.addEventListener("click", () => this.up());
    reload.addEventListener("click", () => this.go({ again: true }));
    this.showHidden.addEventListener("click", () => this.toggleHidden());
    this.showHidden.setAttribute("aria-pressed", String(this.view.hidden));
    this.filter.type = "search";
    this.filter.placeholder = "Filter";
    this.filter.value = this.view.pattern;
    this.filter.spellcheck = false;
    this.filter.title = "A part of the name, or with * and ? the whole";
    this.filter.setAttribute("aria-label", "Filter by name");
    this.filter.addEventListener("input", () => this.filtered());
    const bar = document.createElement("div");
    bar.className = "pvlink-files-bar";
    bar.append(up, this.path.element, reload, this.showHidden, this.filter);
    this.places.className = "pvlink-files-places";
    this.places.setAttribute("aria-label", "Places");
    const middle = document.createElement("div");
    middle.className = "pvlink-files-middle";
    middle.append(this.places, this.grid.element);
    this.root.append(style, bar, middle, this.footer.element);
  }

  // -- where to ---------------------------------------------------------------------------------

  private go(where: Where): void {
    const moved = where.again !== true && Object.keys(where).length > 0;
    const begins = this.page === null;
    const view = moved ? { ...this.view, pattern: "" } : this.view;
    void this.tried(async () => {
      const page = await this.desk.list(this.page?.number ?? 0, view, where);
      if (moved) this.filter.value = this.view.pattern = "";
      this.arrived(page, moved || begins);
    });
  }

  private arrived(page: Page, moved: boolean): void {
    this.page = page;
    this.path.update(page.path, page.parts);
    this.places.replaceChildren(...page.places.map(([name, path], at) => this.place(name, path, at)));
    this.grid.show(page, this.view, !moved);
    this.chosen();
  }

  private async more(begin: number): Promise<void> {
    const page = this.page;
    if (!page) return;
    const came = await this.tried(async () => {
      const more = await this.desk.list(page.number, this.view, { begin });
      // The engine had forgotten the listing, and has read the folder again.
      if (more.number !== page.number) this.arrived(more, true);
      else if (this.page === page) this.grid.add(more);
    }, false);
    if (!came) this.grid.missed(begin);
  }

  private async look(find: string, begin: number): Promise<boolean> {
    const page = this.page;
    let found = false;
    if (!page) return found;
    await this.tried(async () => {
      const answer = await this.desk.list(page.number, this.view, { find, begin });
      found = answer.at !== null && this.page === page;
      if (found) this.grid.add(answer);
      else this.footer.say(`Nothing here begins with “${find}”.`);
    });
    return found;
  }

  private up(): void {
    if (this.page && this.page.parts.length > 1) this.go({ part: this.page.parts.length - 2 });
  }

  private sort(sort: Sort): void {
    this.view.reverse = this.view.sort === sort && !this.view.reverse;
    this.view.sort = sort;
    this.go({});
  }

  private toggleHidden(): void {
    this.view.hidden = !this.view.hidden;
    this.showHidden.setAttribute("aria-pressed", String(this.view.hidden));
    this.go({});
  }

  private filtered(): void {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      this.view.pattern = this.filter.value;
      this.go({});
    }, TYPING_MS);
  }

  private place(name: string, path: string, at: number): HTMLElement {
    const made = document.createElement("button");
    made.type = "button";
    made.title = path;
    made.append(icon("folder"), name);
    if (path === this.page?.path) made.setAttribute("aria-current", "location");
    made.addEventListener("click", () => this.go({ place: at }));
    return made;
  }

  // -- what to open -----------------------------------------------------------------------------

  private chosen(): void {
    const all = this.grid.chosen.all;
    this.footer.count(counted(this.page?.total ?? 0, all.length), this.page?.host ?? "");
    this.footer.choose(files(all), all.length > 0 && files(all).length < all.length);
  }

  private readers(): void {
    const lines = files(this.grid.chosen.all).map(({ line }) => line);
    const number = this.page?.number ?? 0;
    // Nobody has clicked: what was said of the last click stays.
    void this.tried(async () => this.footer.offer(await this.desk.readers(number, lines)), false);
  }

  private open(reader: string): void {
    const lines = files(this.grid.chosen.all).map(({ line }) => line);
    const number = this.page?.number ?? 0;
    if (lines.length === 0) {
      const [folder] = this.grid.chosen.all;
      if (folder) this.go({ line: folder.line });
      return;
    }
    this.footer.opening(true);
    void this.tried(async () => this.footer.opened(await this.desk.open(number, lines, reader))).then(() =>
      this.footer.opening(false),
    );
  }

  // Whether it went well; why not, is said.
  private async tried(what: () => Promise<void>, clicked = true): Promise<boolean> {
    if (clicked) this.footer.say("");
    try {
      await what();
      return true;
    } catch (error) {
      if (!(error instanceof Overtaken)) this.footer.say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

export function mount(element: HTMLElement, model: CommModel, options: Options): () => void {
  const mounted = new Mounted(element, model, options);
  return () => mounted.dispose();
}
