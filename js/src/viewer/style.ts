// The looks. JupyterLab's own colours where they are, the system's light or dark ones elsewhere.

import { NOTE_STYLE } from "./note";
import { SHARING_STYLE } from "./sharingstyle";

export const STYLE = `
.pvlink {
  --pvlink-fallback-paper: #ffffff; --pvlink-fallback-ink: #1f2328; --pvlink-fallback-edge: #d0d7de;
  --pvlink-fallback-hover: #eef1f4; --pvlink-fallback-accent: #1a6fc4; --pvlink-fallback-soft: #f4f5f7;
  --pvlink-fallback-alarm: #cf222e;
  --pvlink-paper: var(--jp-layout-color1, var(--pvlink-fallback-paper));
  --pvlink-ink: var(--jp-ui-font-color1, var(--pvlink-fallback-ink));
  --pvlink-edge: var(--jp-border-color2, var(--pvlink-fallback-edge));
  --pvlink-hover: var(--jp-layout-color2, var(--pvlink-fallback-hover));
  --pvlink-accent: var(--jp-brand-color1, var(--pvlink-fallback-accent));
  --pvlink-soft: var(--jp-layout-color2, var(--pvlink-fallback-soft));
  position: relative; box-sizing: border-box; width: 100%; height: 480px; min-width: 120px; min-height: 90px;
  max-width: 100%; overflow: hidden; resize: vertical; border-radius: 4px; background: var(--pvlink-soft);
  color: var(--pvlink-ink); font: 12px/1.4 var(--jp-ui-font-family, system-ui, sans-serif); contain: layout paint;
}
@media (prefers-color-scheme: dark) {
  .pvlink {
    --pvlink-fallback-paper: #24282e; --pvlink-fallback-ink: #e6e8eb; --pvlink-fallback-edge: #444a52;
    --pvlink-fallback-hover: #343a42; --pvlink-fallback-accent: #58a6ff; --pvlink-fallback-soft: #1b1e22;
    --pvlink-fallback-alarm: #ff8078;
  }
}
.pvlink *, .pvlink *::before { box-sizing: border-box; }
.pvlink [hidden] { display: none !important; }
.pvlink-picture, .pvlink-film, .pvlink-still {
  position: absolute; inset: 0; display: block; width: 100%; height: 100%; max-width: none; margin: 0;
  object-fit: contain; transition: opacity 0.2s, filter 0.2s;
}
.pvlink-picture { touch-action: none; cursor: grab; outline: none; user-select: none; -webkit-user-select: none; }
.pvlink-picture:active { cursor: grabbing; }
.pvlink-film, .pvlink-still { pointer-events: none; }
.pvlink[data-role="view"] .pvlink-picture { cursor: default; touch-action: auto; }
.pvlink[data-painted="true"] .pvlink-still, .pvlink[data-painted="false"] .pvlink-picture { opacity: 0; }
.pvlink-ring { position: absolute; inset: 0; border: 2px solid transparent; border-radius: inherit; pointer-events: none; }
.pvlink-picture:focus-visible ~ .pvlink-ring { border-color: var(--pvlink-accent); }
.pvlink[data-dim="true"] :is(.pvlink-picture, .pvlink-film, .pvlink-still) { filter: brightness(0.85) saturate(0.5); }
.pvlink-empty {
  position: absolute; inset: 0; display: grid; place-items: center; pointer-events: none; opacity: 0.22;
}
.pvlink-empty svg { width: 56px; height: 56px; stroke-width: 0.7; }

.pvlink-toolbar {
  position: absolute; top: 8px; right: 8px; display: flex; gap: 2px; padding: 2px; border-radius: 6px;
  border: 1px solid var(--pvlink-edge); background: var(--pvlink-paper); box-shadow: 0 1px 4px rgb(0 0 0 / 18%);
  opacity: 0; transition: opacity 0.15s;
}
.pvlink:hover .pvlink-toolbar, .pvlink:focus-within .pvlink-toolbar { opacity: 1; }
@media (hover: none) { .pvlink-toolbar { opacity: 0.85; } }
.pvlink button {
  font: inherit; color: inherit; background: transparent; border: 0; border-radius: 4px; cursor: pointer; margin: 0;
}
.pvlink button:hover { background: var(--pvlink-hover); }
.pvlink button:focus-visible { outline: 2px solid var(--pvlink-accent); outline-offset: -1px; }
.pvlink-tool { display: grid; place-items: center; width: 28px; height: 28px; padding: 0; }
.pvlink .pvlink-tool[aria-pressed="true"] { color: var(--pvlink-accent); background: var(--pvlink-hover); }
.pvlink-mark {
  position: absolute; right: 8px; bottom: 8px; padding: 2px 8px; border-radius: 6px; font-size: 11px; pointer-events: none;
  border: 1px solid var(--pvlink-edge); background: var(--pvlink-paper); opacity: 0.85;
}
.pvlink-menu {
  position: absolute; top: calc(100% + 4px); right: 0; min-width: 140px; padding: 4px; border-radius: 6px;
  border: 1px solid var(--pvlink-edge); background: var(--pvlink-paper); box-shadow: 0 4px 14px rgb(0 0 0 / 22%);
}
.pvlink-menu button { display: flex; justify-content: space-between; gap: 16px; width: 100%; padding: 4px 8px; }
.pvlink kbd { font: inherit; font-size: 11px; opacity: 0.65; background: none; border: 0; padding: 0; color: inherit; box-shadow: none; }

.pvlink-status {
  position: absolute; left: 8px; bottom: 8px; max-width: calc(100% - 16px); display: flex; align-items: center;
  gap: 8px; padding: 4px 10px; border-radius: 6px; border: 1px solid var(--pvlink-edge);
  background: var(--pvlink-paper); box-shadow: 0 1px 4px rgb(0 0 0 / 18%);
}
.pvlink-status > :not([role]) { flex: none; }
.pvlink-status > span:nth-of-type(3) { opacity: 0.7; }
.pvlink-status button { padding: 1px 8px; border: 1px solid var(--pvlink-edge); }
.pvlink-status progress { width: 90px; height: 6px; accent-color: var(--pvlink-accent); }
.pvlink-dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: #d29922; }
.pvlink-status[data-state="live"]:not([data-notice="true"]) .pvlink-dot { background: #2da44e; }
.pvlink-status:is([data-state="lost"], [data-state="gone"]) .pvlink-dot { background: #cf222e; }
.pvlink-status[data-state="ended"] .pvlink-dot { background: #8b949e; }
.pvlink-status:is([data-state="connecting"], [data-state="reconnecting"], [data-state="busy"]) {
  animation: pvlink-come 0.15s 0.4s both;
}
.pvlink-status[data-state="live"]:not([data-notice="true"]) { animation: pvlink-go 0.4s 1.2s both; pointer-events: none; }
@keyframes pvlink-come { from { opacity: 0; } }
@keyframes pvlink-go { to { opacity: 0; visibility: hidden; } }

.pvlink-stats {
  position: absolute; left: 8px; top: 8px; width: auto; margin: 0; padding: 6px 10px; border-collapse: separate;
  border-spacing: 0; border-radius: 6px; border: 1px solid var(--pvlink-edge); background: var(--pvlink-paper);
  box-shadow: 0 1px 4px rgb(0 0 0 / 18%); color: inherit; font-size: 11px; line-height: 1.5; opacity: 0.94;
  font-variant-numeric: tabular-nums; pointer-events: none; table-layout: auto;
}
.pvlink .pvlink-stats :is(tr, th, td) { border: 0; background: none; padding: 0; font-size: inherit; line-height: inherit; max-width: none; }
.pvlink .pvlink-stats th { text-align: left; font-weight: normal; opacity: 0.75; padding-right: 16px; }
.pvlink .pvlink-stats td { text-align: right; }
.pvlink:fullscreen { width: 100vw !important; height: 100vh !important; resize: none; border-radius: 0; }
${NOTE_STYLE}
${SHARING_STYLE}
@media (prefers-reduced-motion: reduce) {
  .pvlink *, .pvlink { transition: none !important; animation-duration: 0.01s !important; }
}
`;
