// Who watches, and by which links: the owner's panel, under its button in the tool bar.

import type { People, Person } from "../protocol";
import { clockTime, element, roleName, ShareCard, type ShareActions } from "./sharecard";

const NOBODY: People = { viewers: [], shares: [] };
const WAYS: Record<Person["way"], string> = {
  jupyter: "through Jupyter",
  link: "by a link",
  comm: "through the kernel",
  direct: "directly",
};

export class Sharing {
  readonly element = element("div", "pvlink-sharing");
  private readonly title = element("h2", "");
  private readonly viewers = element("ul", "pvlink-people");
  private readonly shares = element("ul", "pvlink-shares");
  private readonly word = element("div", "pvlink-word");
  private readonly cards = new Map<string, ShareCard>();
  private people = NOBODY;

  constructor(
    private readonly opener: HTMLButtonElement,
    private readonly actions: Omit<ShareActions, "say">,
    // This viewer's own name.
    private readonly me: () => string,
    signal: AbortSignal,
  ) {
    const { element: panel } = this;
    panel.hidden = true;
    panel.tabIndex = -1;
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", "Sharing");
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    this.word.setAttribute("role", "status");
    this.viewers.setAttribute("aria-label", "Who watches");
    this.shares.setAttribute("aria-label", "Shared links");
    panel.append(this.title, this.viewers, this.shares, this.word);
    opener.setAttribute("aria-haspopup", "dialog");
    opener.setAttribute("aria-expanded", "false");
    opener.addEventListener("click", () => this.show(panel.hidden), { signal });
    panel.addEventListener("keydown", (event) => this.key(event), { signal });
    this.closeElsewhere(signal);
  }

  // How many watch, and whether that is worth a button.
  tell(people: People): { count: number; worth: boolean } {
    this.people = people;
    const worth = people.shares.length > 0 || people.viewers.length > 1;
    if (!worth) this.show(false, false);
    if (!this.element.hidden) this.fill();
    return { count: people.viewers.length, worth };
  }

  // The link was cut, or this viewer is no owner any more: nobody knows who watches.
  forget(): void {
    this.show(false, false);
    this.people = NOBODY;
  }

  private closeElsewhere(signal: AbortSignal): void {
    const elsewhere = (event: Event): void => {
      const path = event.composedPath();
      if (!this.element.hidden && !path.includes(this.element) && !path.includes(this.opener)) this.show(false, false);
    };
    addEventListener("pointerdown", elsewhere, { signal, capture: true });
    addEventListener("focusin", elsewhere, { signal, capture: true });
  }

  private show(open: boolean, refocus = true): void {
    if (open === !this.element.hidden) return;
    this.element.hidden = !open;
    this.opener.setAttribute("aria-expanded", String(open));
    if (open) {
      this.fill();
      this.element.focus({ preventScroll: true });
      return;
    }
    // Whatever was shown in it is gone from the page, not only from sight.
    for (const card of this.cards.values()) card.cover();
    this.cards.clear();
    this.shares.replaceChildren();
    this.viewers.replaceChildren();
    this.word.textContent = "";
    if (refocus) this.opener.focus();
  }

  private fill(): void {
    const { viewers, shares } = this.people;
    this.title.textContent = viewers.length === 1 ? "1 viewer" : `${viewers.length} viewers`;
    this.viewers.replaceChildren(...viewers.map((each) => this.person(each)));
    for (const [share, card] of this.cards) {
      if (shares.some((each) => each.share === share)) continue;
      if (card.element.contains(this.focused)) this.element.focus({ preventScroll: true });
      card.cover();
      card.element.remove();
      this.cards.delete(share);
    }
    for (const info of shares) {
      if (this.cards.has(info.share)) continue;
      const say = (sentence: string): void => void (this.word.textContent = sentence);
      const card = new ShareCard(info, { ...this.actions, say });
      this.cards.set(info.share, card);
      this.shares.append(card.element);
    }
    this.shares.hidden = shares.length === 0;
  }

  private get focused(): Element | null {
    return (this.element.getRootNode() as Document | ShadowRoot).activeElement;
  }

  private person({ client, who, role, way, since }: Person): HTMLElement {
    const line = element("li", "pvlink-person");
    const name = element("b", "", client === this.me() ? `${who || "You"} (you)` : who || "Somebody");
    const facts = `${roleName(role).toLowerCase()}, ${WAYS[way]}, since ${clockTime(since)}`;
    line.append(name, element("span", "pvlink-soft", facts));
    return line;
  }

  private key(event: KeyboardEvent): void {
    // Nothing that is typed in here is for the notebook's cells.
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.show(false);
  }
}
