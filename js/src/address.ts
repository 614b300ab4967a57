// Where, seen from this page, the Jupyter server has pvlink's routes.

export interface Address {
  // The websocket, the route that says whether the session lives, and the one that gives tickets.
  url: string;
  probe: string;
  ticket: string;
}

function configuredBase(page: Document): string | null {
  // JupyterLab, Notebook 7 and Voila all write their configuration into the page.
  const script = page.getElementById("jupyter-config-data")?.textContent;
  if (script) {
    try {
      const { baseUrl } = JSON.parse(script) as { baseUrl?: unknown };
      if (typeof baseUrl === "string" && baseUrl) return baseUrl;
    } catch {
      // Not a page of Jupyter's after all.
    }
  }
  return page.body.dataset.baseUrl ?? null;
}

const slashed = (path: string): string => (path.endsWith("/") ? path : `${path}/`);

// `relay`: the route of the Jupyter Server extension, below the server's base URL. None where the page is no Jupyter
// server's (VS Code): what would be asked there is somebody else's, or forbidden, and the browser says so loudly.
export function address(session: string, relay = "pvlink", page: Document = document): Address | null {
  const configured = configuredBase(page);
  if (configured === null) return null;
  const base = new URL(slashed(configured), page.location.href);
  const probe = new URL(`${slashed(relay)}${encodeURIComponent(session)}`, base);
  const url = new URL(`${probe.pathname}/ws`, probe);
  url.protocol = probe.protocol === "https:" ? "wss:" : "ws:";
  return { url: url.href, probe: probe.href, ticket: `${probe.href}/ticket` };
}
