// A line below the picture: what is lost on the way it comes by, and the cure. Whoever has read it puts it away.

export interface Note {
  // Says which note it is: put away once, it stays away on this page.
  name: string;
  text: string;
  // What to open for the cure; `opened` hears of it.
  link?: { label: string; href: string; title: string; opened: () => void };
}

const putAway = new Set<string>();

export class NoteLine {
  readonly element = document.createElement("div");
  private readonly text = document.createTextNode("");
  private readonly link = document.createElement("a");
  private note: Note | null = null;

  constructor(signal: AbortSignal) {
    this.element.className = "pvlink-note";
    this.element.setAttribute("role", "note");
    this.element.hidden = true;
    this.link.target = "_blank";
    this.link.rel = "noopener noreferrer";
    this.link.addEventListener("click", () => this.note?.link?.opened(), { signal });
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.title = "Put this line away";
    close.setAttribute("aria-label", close.title);
    close.setAttribute("data-lm-suppress-shortcuts", "true");
    close.addEventListener("click", () => this.dismiss(), { signal });
    const words = document.createElement("span");
    words.append(this.text, " ", this.link);
    this.element.append(words, close);
  }

  show(note: Note | null): void {
    this.note = note;
    this.element.hidden = note === null || putAway.has(note.name);
    if (!note) return;
    this.text.data = note.text;
    this.link.hidden = !note.link;
    if (!note.link) return;
    this.link.textContent = note.link.label;
    this.link.href = note.link.href;
    this.link.title = note.link.title;
  }

  private dismiss(): void {
    if (this.note) putAway.add(this.note.name);
    this.element.hidden = true;
  }
}

export const NOTE_STYLE = `
.pvlink-note {
  display: flex; align-items: baseline; gap: 6px; max-width: 100%; box-sizing: border-box; padding: 3px 2px 2px;
  color: var(--jp-ui-font-color2, GrayText); font: 12px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
.pvlink-note[hidden], .pvlink-note [hidden] { display: none; }
.pvlink-note a { color: var(--jp-brand-color1, #1a6fc4); }
.pvlink-note button {
  flex: none; margin: 0 0 0 auto; padding: 0 6px; border: 0; border-radius: 4px; background: none; color: inherit;
  font: inherit; font-size: 14px; line-height: 1.2; cursor: pointer;
}
.pvlink-note button:hover { background: var(--jp-layout-color2, rgb(128 128 128 / 18%)); }
.pvlink-note button:focus-visible { outline: 2px solid var(--jp-brand-color1, #1a6fc4); }
`;
