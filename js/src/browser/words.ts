// Sizes, times and kinds in words. Pure.

import type { Entry } from "./messages";

const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];

export function size(bytes: number | null): string {
  if (bytes === null) return "";
  let [value, unit] = [bytes, 0];
  while (Math.round(value) >= 1000 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${UNITS[unit]}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

export function when(seconds: number | null): string {
  if (seconds === null) return "";
  const date = new Date(seconds * 1000);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const many = (count: number): string => count.toLocaleString("en-US");

export function kind({ kind, description, count }: Entry): string {
  if (kind === "folder") return "Folder";
  if (kind === "series") return `${many(count)} × ${description || "file"}`;
  return description || "File";
}

// All that is to be said of a line, for whoever points at it.
export function about(entry: Entry): string {
  const { name, first, last, count, reader } = entry;
  const lines = [name];
  if (entry.kind === "series") lines.push(`${many(count)} files, ${first} to ${last}`);
  if (reader) lines.push(reader);
  return lines.join("\n");
}

export function counted(total: number, chosen: number): string {
  const all = total === 1 ? "1 entry" : `${many(total)} entries`;
  return chosen > 1 ? `${many(chosen)} of ${all} chosen` : all;
}
