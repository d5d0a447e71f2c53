import type { Markup } from "../../html/markup.ts";

/** Bytes that a part of a page may still take. */
export interface Room {
  left: number;
}

/** Takes what a piece of markup needs, if there is so much room. */
export function fits(room: Room, { markup }: Markup): boolean {
  const bytes = Buffer.byteLength(markup);
  if (bytes > room.left) return false;
  room.left -= bytes;
  return true;
}

/** Draws items until one does not fit, or there are `most`. */
export function drawWhatFits<Item>(
  room: Room,
  items: readonly Item[],
  draw: (item: Item) => Markup,
  most = items.length,
): Markup[] {
  const drawn: Markup[] = [];
  for (const item of items.slice(0, most)) {
    const markup = draw(item);
    if (!fits(room, markup)) break;
    drawn.push(markup);
  }
  return drawn;
}

/** Gives a part of the room away, and takes back what was not used. */
export function share<Result>(room: Room, part: number, use: (own: Room) => Result): Result {
  const given = Math.max(0, Math.min(room.left, Math.floor(part)));
  const own = { left: given };
  const result = use(own);
  room.left -= given - own.left;
  return result;
}
