// The page of a shared link: asks for the password, then shows the view. The password stays in this page's memory, where
// reconnecting needs it: never in the address, in storage or in the form after it was right.

import { AWAY, readAdmission, type Admission, type Tickets } from "./viewer/admission";
import type { MountOptions, Viewer } from "./viewer/mount";
import { request, type Fetch } from "./viewer/request";

const NOBODY = "There is no answer. The session may have ended, or the network is away. Try again.";

export interface GuestOptions {
  // The page's own address: <base>/s/<share>.
  href: string;
  mount: (el: HTMLElement, options: MountOptions) => Viewer;
  fetch?: Fetch;
}

export interface Place {
  url: string;
  ticket: string;
}

// The websocket and the ticket route that belong to the page of a share; null for any other page.
export function placeOf(href: string): Place | null {
  const page = new URL(href);
  const found = /^(.*)\/s\/([^/]+)\/?$/.exec(page.pathname);
  if (!found) return null;
  const url = new URL(`${found[1] ?? ""}/ws`, page.origin);
  url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  return { url: url.href, ticket: new URL(`${found[1] ?? ""}/s/${found[2] ?? ""}/ticket`, page.origin).href };
}

export function shareTickets(route: string, password: string, get?: Fetch): Tickets {
  const init: RequestInit = {
    method: "POST",
    // Whatever else listens on this machine has set its cookies for this page, too: they are not ours to send.
    credentials: "omit",
    redirect: "error",
    // The page itself sends no referrer; here it must not hide its origin, which the streamer looks at.
    referrerPolicy: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ password }),
  };
  return async (signal) => (await request(route, init, readAdmission, signal, get)) ?? AWAY;
}

export class Guest {
  private readonly life = new AbortController();
  private countdown: ReturnType<typeof setInterval> | undefined;
  private viewer: Viewer | null = null;
  private readonly form: HTMLFormElement;
  private readonly field: HTMLInputElement;
  private readonly button: HTMLButtonElement;
  private readonly word: HTMLElement;

  constructor(
    private readonly page: ParentNode,
    private readonly options: GuestOptions,
  ) {
    this.form = this.find<HTMLFormElement>("#door");
    this.field = this.find<HTMLInputElement>("#password");
    this.button = this.find<HTMLButtonElement>("#open");
    this.word = this.find("#word");
    const submit = (event: Event): void => {
      event.preventDefault();
      if (!this.button.disabled) void this.knock();
    };
    this.form.addEventListener("submit", submit, { signal: this.life.signal });
    if (!placeOf(options.href)) this.close("This is not the address of a shared view.");
    else this.field.focus();
  }

  dispose(): void {
    this.life.abort();
    clearInterval(this.countdown);
    this.viewer?.dispose();
  }

  private find<T extends HTMLElement = HTMLElement>(selector: string): T {
    const found = this.page.querySelector<T>(selector);
    if (!found) throw new Error(`The page has no ${selector}.`);
    return found;
  }

  private async knock(): Promise<void> {
    const place = placeOf(this.options.href);
    if (!place || !this.field.value) return;
    this.button.disabled = true;
    this.word.textContent = "";
    const tickets = shareTickets(place.ticket, this.field.value, this.options.fetch);
    const answer = await tickets(this.life.signal);
    if (this.life.signal.aborted) return;
    this.button.disabled = false;
    if (answer.kind === "granted") this.enter(place, answer, tickets);
    else this.turnAway(answer);
  }

  private turnAway(answer: Exclude<Admission, { kind: "granted" }>): void {
    if (answer.kind === "ended") return this.close(answer.message || "This link has ended.");
    if (answer.kind === "busy") return this.wait(answer.message, answer.waitMs);
    this.say(answer.message || NOBODY);
    this.field.select();
    this.field.focus();
  }

  private wait(message: string, waitMs: number): void {
    let left = Math.ceil(waitMs / 1000);
    const tell = (): void => this.say(left > 0 ? `${message} Try again in ${left} s.` : "");
    this.button.disabled = true;
    tell();
    clearInterval(this.countdown);
    this.countdown = setInterval(() => {
      left -= 1;
      tell();
      if (left > 0) return;
      clearInterval(this.countdown);
      this.button.disabled = false;
    }, 1000);
  }

  private say(sentence: string): void {
    this.word.textContent = sentence;
  }

  // Nothing to be had here any more.
  private close(sentence: string): void {
    this.say(sentence);
    this.field.value = "";
    for (const each of [this.field, this.button]) each.disabled = true;
  }

  private enter(place: Place, first: Admission, tickets: Tickets): void {
    this.form.remove();
    this.field.value = "";
    const view = this.find("#view");
    view.hidden = false;
    // The ticket that opened the door is good for the first websocket; each further one takes its own.
    let held: Admission | null = first;
    const ticket: Tickets = (signal) => {
      const now = held;
      held = null;
      return now ? Promise.resolve(now) : tickets(signal);
    };
    this.viewer = this.options.mount(view, { url: place.url, ticket, width: "100%", height: "100%" });
  }
}
