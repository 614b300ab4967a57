// The browser's pictures: 16 by 16, drawn with the text's colour.

const strokes = (paths: string): string =>
  '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.3" ' +
  `stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths}</svg>`;

export const ICONS = {
  folder: strokes('<path d="M1.8 4.2h4.4l1.4 1.6h6.6v7.4H1.8z" fill="currentColor" fill-opacity="0.18"/>'),
  file: strokes('<path d="M3.6 1.8h5.6l3.2 3.2v9.2H3.6z"/><path d="M9.2 1.8V5h3.2"/>'),
  series: strokes('<path d="M5.6 4.6h4.6l2.6 2.6v7H5.6z"/><path d="M3.4 11.8V2h5.2"/>'),
  up: strokes('<path d="M8 13V3M3.8 7.2 8 3l4.2 4.2"/>'),
  reload: strokes('<path d="M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3h-3"/>'),
  edit: strokes('<path d="M2.5 13.5l.7-3L10.8 3l2.2 2.2-7.5 7.6z"/>'),
  hidden: strokes('<path d="M1.4 8S4 3.6 8 3.6 14.6 8 14.6 8 12 12.4 8 12.4 1.4 8 1.4 8z"/><circle cx="8" cy="8" r="2"/>'),
  copy: strokes('<rect x="5.5" y="5.5" width="8" height="8.7"/><path d="M10.5 5.5V2h-8v9h3"/>'),
} as const;

export type Icon = keyof typeof ICONS;

export function icon(name: Icon): HTMLElement {
  const made = document.createElement("span");
  made.className = `pvlink-files-icon pvlink-files-icon-${name}`;
  made.innerHTML = ICONS[name];
  return made;
}

export function iconButton(name: Icon, label: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "pvlink-files-tool";
  made.title = label;
  made.setAttribute("aria-label", label);
  made.append(icon(name));
  return made;
}
