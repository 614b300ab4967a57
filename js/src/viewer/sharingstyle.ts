// The looks of the button and the panel of sharing.

export const SHARING_STYLE = `
.pvlink-tool-people { position: relative; }
.pvlink-count {
  position: absolute; right: 0; bottom: 0; min-width: 13px; padding: 0 3px; border-radius: 7px; font-size: 9px;
  line-height: 13px; font-weight: 600; text-align: center; color: var(--pvlink-paper); background: var(--pvlink-accent);
}
/* Somebody else watches: that is to be seen without a hand on the view. The other tools stay within the Tab key's reach. */
.pvlink-toolbar[data-watched="true"] { opacity: 1; }
.pvlink:not(:hover, :focus-within) .pvlink-toolbar[data-watched="true"] .pvlink-tool:not(.pvlink-tool-people) {
  position: absolute; opacity: 0; pointer-events: none;
}
.pvlink-sharing {
  position: absolute; top: 46px; right: 8px; width: 330px; max-width: calc(100% - 16px); max-height: calc(100% - 54px);
  overflow: auto; padding: 10px 12px; border-radius: 6px; border: 1px solid var(--pvlink-edge);
  background: var(--pvlink-paper); box-shadow: 0 4px 14px rgb(0 0 0 / 22%); outline: none; overscroll-behavior: contain;
}
.pvlink-sharing:focus-visible { border-color: var(--pvlink-accent); }
.pvlink .pvlink-sharing h2 { margin: 0 0 4px; padding: 0; border: 0; font: inherit; font-weight: 600; font-size: 13px; color: inherit; }
.pvlink .pvlink-sharing ul { list-style: none; margin: 0; padding: 0; }
.pvlink .pvlink-sharing li { margin: 0; padding: 2px 0; }
.pvlink-person b { margin-right: 6px; overflow-wrap: anywhere; }
.pvlink-soft { opacity: 0.72; }
.pvlink .pvlink-sharing .pvlink-share { margin-top: 8px; padding: 8px 0 0; border-top: 1px solid var(--pvlink-edge); }
.pvlink-row { display: flex; align-items: center; gap: 6px; min-height: 26px; }
.pvlink-row > .pvlink-soft { flex: 1; }
.pvlink-name { flex: none; width: 58px; opacity: 0.72; }
.pvlink .pvlink-sharing code {
  font: 11px/1.5 var(--jp-code-font-family, ui-monospace, monospace); color: inherit; background: none; border: 0; padding: 0;
}
.pvlink .pvlink-sharing .pvlink-value {
  flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; user-select: all; -webkit-user-select: all;
  padding: 2px 6px; border-radius: 4px; background: var(--pvlink-hover);
}
.pvlink .pvlink-sharing .pvlink-password { white-space: normal; overflow-wrap: anywhere; }
.pvlink-sharing button { flex: none; padding: 2px 8px; border: 1px solid var(--pvlink-edge); }
.pvlink-sharing .pvlink-stop { color: var(--jp-error-color1, var(--pvlink-fallback-alarm)); }
.pvlink-certificate { margin-top: 2px; }
.pvlink-certificate summary { cursor: pointer; opacity: 0.72; border-radius: 4px; }
.pvlink-certificate summary:focus-visible { outline: 2px solid var(--pvlink-accent); }
.pvlink-certificate code { display: block; overflow-wrap: anywhere; user-select: all; -webkit-user-select: all; }
.pvlink-word:not(:empty) { margin-top: 8px; }
`;
