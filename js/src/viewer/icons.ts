// The tool bar's pictures: 16 by 16, drawn with the text's colour.

const strokes = (paths: string): string =>
  '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.4" ' +
  `stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths}</svg>`;

export const ICONS = {
  reset: strokes('<path d="M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3"/><circle cx="8" cy="8" r="2.4"/>'),
  views: strokes('<path d="M8 1.8 13.6 5v6L8 14.2 2.4 11V5z"/><path d="M2.4 5 8 8.2 13.6 5M8 8.2v6"/>'),
  screenshot: strokes('<path d="M1.8 4.8h2.6l1.2-1.9h4.8l1.2 1.9h2.6v8.3H1.8z"/><circle cx="8" cy="8.7" r="2.5"/>'),
  statistics: strokes('<path d="M2 14h12M3.5 11.5v-3M8 11.5V3M12.5 11.5v-6"/>'),
  fullscreen: strokes('<path d="M6 2.2H2.2V6M10 2.2h3.8V6M13.8 10v3.8H10M6 13.8H2.2V10"/>'),
  people: strokes(
    '<circle cx="6" cy="5.2" r="2.6"/><path d="M1.4 13.6c0-2.6 2-4.3 4.6-4.3s4.6 1.7 4.6 4.3"/>' +
      '<path d="M10.4 2.9a2.6 2.6 0 0 1 0 4.6M12.2 9.9c1.5.6 2.4 2 2.4 3.7"/>',
  ),
} as const;

export type Icon = keyof typeof ICONS;
