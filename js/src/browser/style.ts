// The looks. JupyterLab's own colours where they are, the system's light or dark ones elsewhere.

export const STYLE = `
.pvlink-files {
  --pvf-fallback-paper: #ffffff; --pvf-fallback-ink: #1f2328; --pvf-fallback-edge: #d0d7de; --pvf-fallback-faint: #59636e;
  --pvf-fallback-hover: #eef1f4; --pvf-fallback-accent: #1a6fc4; --pvf-fallback-alarm: #cf222e; --pvf-fallback-folder: #9a6700;
  --pvf-paper: var(--jp-layout-color1, var(--pvf-fallback-paper));
  --pvf-ink: var(--jp-ui-font-color1, var(--pvf-fallback-ink));
  --pvf-faint: color-mix(in srgb, var(--pvf-ink) 72%, var(--pvf-paper));
  --pvf-edge: var(--jp-border-color2, var(--pvf-fallback-edge));
  --pvf-hover: var(--jp-layout-color2, var(--pvf-fallback-hover));
  --pvf-accent: var(--jp-brand-color1, var(--pvf-fallback-accent));
  --pvf-chosen: color-mix(in srgb, var(--pvf-accent) 20%, var(--pvf-paper));
  display: flex; flex-direction: column; box-sizing: border-box; width: 100%; height: 420px; min-height: 200px; min-width: 180px;
  max-width: 100%; overflow: hidden; resize: vertical; border: 1px solid var(--pvf-edge); border-radius: 4px;
  background: var(--pvf-paper); color: var(--pvf-ink); font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
  container-type: inline-size;
}
@media (prefers-color-scheme: dark) {
  .pvlink-files {
    --pvf-fallback-paper: #24282e; --pvf-fallback-ink: #e6e8eb; --pvf-fallback-edge: #444a52; --pvf-fallback-faint: #a0a8b2;
    --pvf-fallback-hover: #343a42; --pvf-fallback-accent: #58a6ff; --pvf-fallback-alarm: #ff8078; --pvf-fallback-folder: #d9a93f;
  }
}
.pvlink-files, .pvlink-files * { box-sizing: border-box; }
.pvlink-files [hidden] { display: none !important; }
.pvlink-files button { font: inherit; color: inherit; background: transparent; border: 0; border-radius: 4px; margin: 0; cursor: pointer; }
.pvlink-files button:hover:not(:disabled) { background: var(--pvf-hover); }
.pvlink-files :is(button, input, select, code):focus-visible { outline: 2px solid var(--pvf-accent); outline-offset: -1px; }
.pvlink-files :is(input, select) {
  font: inherit; color: inherit; background: var(--pvf-paper); border: 1px solid var(--pvf-edge); border-radius: 4px;
  height: 26px; min-width: 0; padding: 0 6px; margin: 0;
}
.pvlink-files ::placeholder { color: var(--pvf-faint); opacity: 1; }
.pvlink-files-icon { display: inline-grid; flex: none; place-items: center; width: 16px; height: 16px; }
.pvlink-files-icon-folder { color: color-mix(in srgb, var(--jp-warn-color1, #b8860b) 80%, var(--pvf-ink)); }
.pvlink-files-icon-series { color: var(--pvf-accent); }
.pvlink-files-tool { flex: none; display: grid; place-items: center; width: 26px; height: 26px; padding: 0; }
.pvlink-files .pvlink-files-tool[aria-pressed="true"] { color: var(--pvf-accent); background: var(--pvf-hover); }

.pvlink-files-bar { display: flex; flex: none; align-items: center; gap: 4px; padding: 6px; border-bottom: 1px solid var(--pvf-edge); }
.pvlink-files-bar > input { flex: 0 1 150px; width: 150px; }
.pvlink-files-path {
  display: flex; flex: 1 1 120px; align-items: center; min-width: 60px; height: 26px; border: 1px solid var(--pvf-edge); border-radius: 4px;
}
.pvlink-files-path > input, .pvlink-files-path > input:focus-visible { flex: 1; width: 100%; border: 0; height: 100%; }
.pvlink-files-path .pvlink-files-tool { height: 24px; }
.pvlink-files-crumbs { display: flex; flex: 1; min-width: 0; height: 100%; overflow-x: auto; scrollbar-width: none; cursor: text; }
.pvlink-files .pvlink-files-crumb { flex: none; max-width: 220px; padding: 0 5px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pvlink-files-crumb:nth-child(n + 2)::before { content: "›" / ""; margin-right: 6px; color: var(--pvf-faint); }
.pvlink-files-crumb[aria-current] { font-weight: 600; }

.pvlink-files-middle { display: flex; flex: 1; min-height: 0; }
.pvlink-files-places { flex: none; width: 150px; padding: 4px; overflow: auto; border-right: 1px solid var(--pvf-edge); }
.pvlink-files .pvlink-files-places button {
  display: flex; align-items: center; gap: 6px; width: 100%; padding: 3px 6px; text-align: left; overflow: hidden; white-space: nowrap;
}
.pvlink-files .pvlink-files-places button[aria-current] { background: var(--pvf-hover); font-weight: 600; }

.pvlink-files-grid { position: relative; flex: 1; min-width: 0; overflow: auto; outline: none; scroll-padding-top: 26px; }
.pvlink-files-grid:focus-visible { box-shadow: inset 0 0 0 2px var(--pvf-accent); }
.pvlink-files-head, .pvlink-files-row {
  display: grid; grid-template-columns: minmax(0, 1fr) 76px 130px minmax(110px, 26%); align-items: center; column-gap: 10px;
  height: 26px; padding: 0 8px;
}
.pvlink-files-head { position: sticky; top: 0; z-index: 1; background: var(--pvf-paper); border-bottom: 1px solid var(--pvf-edge); }
.pvlink-files .pvlink-files-head button { padding: 0 4px; margin-left: -4px; color: var(--pvf-faint); font-size: 12px; }
.pvlink-files-head .pvlink-files-size button { margin: 0 -4px 0 0; }
.pvlink-files-head [aria-sort="ascending"] button::after { content: " ▴" / ""; }
.pvlink-files-head [aria-sort="descending"] button::after { content: " ▾" / ""; }
.pvlink-files-body { position: relative; }
.pvlink-files-row { position: absolute; left: 0; right: 0; cursor: default; user-select: none; -webkit-user-select: none; }
.pvlink-files-row > div, .pvlink-files-head > div { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.pvlink-files-row .pvlink-files-name { display: flex; align-items: center; gap: 6px; }
.pvlink-files-name > span:last-child { overflow: hidden; text-overflow: ellipsis; }
.pvlink-files-row > :not(.pvlink-files-name) { color: var(--pvf-faint); font-variant-numeric: tabular-nums; }
.pvlink-files .pvlink-files-size { text-align: right; }
.pvlink-files-row:hover { background: var(--pvf-hover); }
.pvlink-files-row[aria-selected="true"] { background: var(--pvf-chosen); }
.pvlink-files-row[aria-selected="true"] > div { color: var(--pvf-ink); }
.pvlink-files-grid:focus-visible .pvlink-files-row[data-cursor] { box-shadow: inset 0 0 0 1px var(--pvf-accent); }
.pvlink-files-row[data-hidden="true"] .pvlink-files-name { color: var(--pvf-faint); }
.pvlink-files-empty { padding: 12px; text-align: center; color: var(--pvf-faint); }
.pvlink-files-empty:empty { display: none; }

.pvlink-files-foot { flex: none; border-top: 1px solid var(--pvf-edge); }
.pvlink-files-foot > * { padding: 6px 8px; }
.pvlink-files-error { color: var(--jp-error-color1, var(--pvf-fallback-alarm)); border-bottom: 1px solid var(--pvf-edge); overflow-wrap: anywhere; max-height: 84px; overflow: auto; }
.pvlink-files-result { border-bottom: 1px solid var(--pvf-edge); overflow-wrap: anywhere; }
.pvlink-files code { font: 12px/1.4 var(--jp-code-font-family, ui-monospace, monospace); background: none; color: inherit; padding: 0; }
.pvlink-files-code { display: flex; align-items: center; gap: 4px; margin-top: 4px; padding-left: 8px; border-radius: 4px; background: var(--pvf-hover); }
.pvlink-files-code code { flex: 1; min-width: 0; overflow-x: auto; white-space: pre; padding: 4px 0; scrollbar-width: thin; }
.pvlink-files-line { display: flex; align-items: center; gap: 8px; }
.pvlink-files-count { flex: 1 1 auto; min-width: 0; color: var(--pvf-faint); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pvlink-files-busy { flex: none; color: var(--pvf-faint); }
.pvlink-files-busy::before { content: ""; display: inline-block; width: 9px; height: 9px; margin-right: 6px; border-radius: 50%; border: 2px solid var(--pvf-accent); border-right-color: transparent; animation: pvlink-files-turn 0.8s linear infinite; }
@keyframes pvlink-files-turn { to { transform: rotate(1turn); } }
.pvlink-files-line select { flex: 0 1 280px; }
.pvlink-files select:disabled { opacity: 0.6; }
.pvlink-files .pvlink-files-open { flex: none; height: 26px; padding: 0 16px; color: #ffffff; background: var(--pvf-fallback-button, #1a6fc4); }
.pvlink-files .pvlink-files-open:hover:not(:disabled) { background: #155a9f; }
.pvlink-files .pvlink-files-open:disabled { color: var(--pvf-faint); background: var(--pvf-hover); cursor: default; }

@container (max-width: 700px) {
  .pvlink-files-places { width: 118px; }
  .pvlink-files-head, .pvlink-files-row { grid-template-columns: minmax(0, 1fr) 76px 130px; }
  .pvlink-files .pvlink-files-kind { display: none; }
}
@container (max-width: 520px) {
  .pvlink-files-places, .pvlink-files .pvlink-files-modified { display: none; }
  .pvlink-files-head, .pvlink-files-row { grid-template-columns: minmax(0, 1fr) 76px; }
  .pvlink-files-bar { flex-wrap: wrap; }
  .pvlink-files-path { flex-basis: 70%; }
  .pvlink-files-bar > input { flex: 1 1 100%; }
  .pvlink-files-line { flex-wrap: wrap; }
  .pvlink-files-count { flex-basis: 100%; }
  .pvlink-files-line select { flex: 1 1 100px; }
}
@media (prefers-reduced-motion: reduce) { .pvlink-files-busy::before { animation-duration: 4s; } }
`;
