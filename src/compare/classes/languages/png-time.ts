import { isPng, type PngChunk, readPng, writePng } from "../../formats/png.ts";
import { epochOfStamp } from "../../formats/text-dates.ts";
import type { ContentClass } from "../class.ts";

const dateKeywords = new Set(["date:create", "date:modify", "date:timestamp", "Creation Time"]);
/** The start of 1970, as tIME has it. */
const epoch = Buffer.from([0x07, 0xb2, 1, 1, 0, 0, 0]);

/** When a PNG picture was made, by its tIME chunk and its texts of known keywords. */
export const pngTime: ContentClass = {
  name: "png-time",
  version: 1,
  meaning: "a PNG picture notes another time at which it was made or changed",
  normalises:
    "tIME, and tEXt and uncompressed iTXt of the keywords date:create, date:modify, date:timestamp and Creation Time " +
    "whose whole value is a date, are set to the start of 1970 in the same form; every CRC is checked",
  safety: "the picture and all other chunks are kept, with their order; no program draws the times",
  applies: ({ bytes }) => isPng(bytes),
  normalise({ bytes }) {
    const chunks = readPng(bytes);
    return chunks && writePng(chunks.map(withoutTime));
  },
};

function withoutTime(chunk: PngChunk): PngChunk {
  const { type, data } = chunk;
  if (type === "tIME") return isTime(data) ? { type, data: epoch } : chunk;
  const from = type === "tEXt" || type === "iTXt" ? data.indexOf(0) : -1;
  if (from === -1 || !dateKeywords.has(data.toString("latin1", 0, from))) return chunk;
  const start = type === "tEXt" ? from + 1 : internationalText(data, from + 1);
  const value = start === undefined ? undefined : epochOfStamp(data.toString("latin1", start));
  if (start === undefined || value === undefined) return chunk;
  return { type, data: Buffer.concat([data.subarray(0, start), Buffer.from(value, "latin1")]) };
}

/** Where the text of an iTXt chunk begins, when it is neither compressed nor said to be in a language. */
function internationalText(data: Buffer, at: number): number | undefined {
  return data.length >= at + 4 && data.readUInt32BE(at) === 0 ? at + 4 : undefined;
}

function isTime(data: Buffer): boolean {
  const [high = 0, low = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = data;
  const date = new Date(Date.UTC(high * 256 + low, month - 1, day));
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return data.length === 7 && high * 256 + low >= 1970 && isDay && hour < 24 && minute < 60 && second <= 60;
}
