// One of the owner's shares: its link, its password on demand, and the end of it.

import type { Role, ShareInfo } from "../protocol";
import { copy } from "./clipboard";

export interface ShareActions {
  password: (share: string) => Promise<string>;
  revoke: (share: string) => Promise<unknown>;
  // Something to be read out: done, or why not.
  say: (sentence: string) => void;
}

const ROLES: Record<Role, string> = { owner: "Owner", control: "Control", view: "View only" };
export const roleName = (role: Role): string => ROLES[role];

const DOTS = "••••••••••";

// The hour, and the day where it is not today.
export function clockTime(seconds: number, now = new Date()): string {
  const at = new Date(seconds * 1000);
  // Never broken between "7:55" and "PM".
  const hour = at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }).replace(/\s/g, "\u00a0");
  if (at.toDateString() === now.toDateString()) return hour;
  return `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${hour}`;
}

export function element(tag: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

export function button(text: string, label: string, work: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  // Enter and the space bar press the button; JupyterLab would take them for the cell.
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  made.addEventListener("click", work);
  return made;
}

export class ShareCard {
  readonly element = element("li", "pvlink-share");
  private readonly password = element("code", "pvlink-value pvlink-password", DOTS);
  private readonly shower: HTMLButtonElement;
  private shown = false;
  // A password that was asked for before the card was covered must not appear after.
  private covers = 0;

  constructor(
    private readonly info: ShareInfo,
    private readonly actions: ShareActions,
  ) {
    const { role, url, expires, fingerprint } = info;
    const head = element("div", "pvlink-row");
    const stop = button("Stop sharing", "Stop sharing this link", () => void this.stop());
    stop.classList.add("pvlink-stop");
    head.append(element("b", "", roleName(role)), element("span", "pvlink-soft", `until ${clockTime(expires)}`), stop);
    this.shower = button("Show", "Show password", () => void this.toggle());
    const link = element("code", "pvlink-value", url);
    link.title = url;
    this.element.append(
      head,
      row("Link", link, button("Copy", "Copy link", () => void this.copyLink())),
      row("Password", this.password, this.shower, button("Copy", "Copy password", () => void this.copyPassword())),
    );
    if (fingerprint) this.element.append(certificate(fingerprint));
  }

  // The password is in the page only as long as somebody reads it.
  cover(): void {
    this.covers += 1;
    this.shown = false;
    this.password.textContent = DOTS;
    this.tellShower();
  }

  private async toggle(): Promise<void> {
    if (this.shown) return this.cover();
    const { covers } = this;
    const password = await this.fetch();
    if (password === null || covers !== this.covers) return;
    this.shown = true;
    this.password.textContent = password;
    this.tellShower();
  }

  private tellShower(): void {
    this.shower.textContent = this.shown ? "Hide" : "Show";
    this.shower.setAttribute("aria-label", this.shown ? "Hide password" : "Show password");
  }

  private async copyLink(): Promise<void> {
    this.tell("Link", await copy(this.info.url, this.element));
  }

  private async copyPassword(): Promise<void> {
    const password = await this.fetch();
    if (password !== null) this.tell("Password", await copy(password, this.element));
  }

  private tell(what: string, copied: boolean): void {
    this.actions.say(copied ? `${what} copied.` : `The browser refused to copy: show the ${what.toLowerCase()} and copy it by hand.`);
  }

  private async fetch(): Promise<string | null> {
    try {
      return await this.actions.password(this.info.share);
    } catch {
      this.actions.say("The password could not be fetched. Try again.");
      return null;
    }
  }

  private async stop(): Promise<void> {
    try {
      await this.actions.revoke(this.info.share);
      this.actions.say("Sharing stopped.");
    } catch {
      this.actions.say("Sharing could not be stopped. Try again.");
    }
  }
}

function row(name: string, value: HTMLElement, ...buttons: HTMLButtonElement[]): HTMLElement {
  const line = element("div", "pvlink-row");
  line.append(element("span", "pvlink-name", name), value, ...buttons);
  return line;
}

function certificate(fingerprint: string): HTMLElement {
  const box = element("details", "pvlink-certificate");
  const title = element("summary", "", "Certificate fingerprint (SHA-256)");
  title.setAttribute("data-lm-suppress-shortcuts", "true");
  box.append(title, element("code", "", fingerprint));
  return box;
}
