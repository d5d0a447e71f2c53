import { type MarshalObject, readMarshalledCode, refFlag } from "../../formats/pyc-marshal.ts";
import { readPycHeader } from "../../formats/pyc.ts";
import type { ContentClass } from "../class.ts";

const cached = /(?:^|\/)__pycache__\/([^/]+)\.cpython-3\d{1,2}(?:\.opt-[12])?\.pyc$/;
const legacy = /(?:^|\/)([^/]+)\.pyc$/;
const slash = 0x2f;

/** The folder that Python source was compiled in, as `co_filename` keeps it. */
export const pycPath: ContentClass = {
  name: "pyc-path",
  version: 1,
  meaning: "Python bytecode was compiled in another folder",
  normalises:
    "the folder is taken from co_filename of every code object in a .pyc, when all of them name the same file, " +
    "its name is the .pyc's own, and no constant shares the string",
  safety:
    "importing sets co_filename to where the source is; the string is shown in tracebacks only. The file's name, " +
    "the code and all constants are kept",
  applies: ({ path, bytes }) => sourceName(path) !== undefined && readPycHeader(bytes) !== undefined,
  normalise({ path, bytes }) {
    const name = sourceName(path);
    const header = readPycHeader(bytes);
    const objects = header && readMarshalledCode(bytes, header.length, header.minor);
    if (name === undefined || !objects || !isAlike(bytes, objects, Buffer.from(name))) return undefined;
    return withName(bytes, objects, Buffer.from(name));
  },
};

function sourceName(path: string): string | undefined {
  const stem = path.includes("__pycache__/") ? cached.exec(path)?.[1] : legacy.exec(path)?.[1];
  return stem === undefined ? undefined : `${stem}.py`;
}

/** Whether all code objects name one file of that name, and the string is nothing else besides. */
function isAlike(bytes: Buffer, objects: readonly MarshalObject[], name: Buffer): boolean {
  const [text, ...others] = objects.filter(isFilename).map((object) => textOf(bytes, object));
  if (!text || !others.every((other) => other.equals(text))) return false;
  if (!objects.every(({ target, role }) => !target || (target.role === "filename") === (role === "filename")))
    return false;
  const before = text.length - name.length;
  return (
    before >= 0 &&
    text.subarray(before).equals(name) &&
    (before === 0 || text[before - 1] === slash) &&
    !text.includes(0)
  );
}

function isFilename({ role, target }: MarshalObject): boolean {
  return role === "filename" && !target;
}

function textOf(bytes: Buffer, { type, start, end }: MarshalObject): Buffer {
  return bytes.subarray(start + ("zZ".includes(type) ? 2 : 5), end);
}

function withName(bytes: Buffer, objects: readonly MarshalObject[], name: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end } of objects.filter(isFilename)) {
    pieces.push(bytes.subarray(at, start), marshalledName(bytes[start] ?? 0, name));
    at = end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}

/** The shortest form of the string; whether it is flagged and interned stays as it was. */
function marshalledName(type: number, name: Buffer): Buffer {
  const flag = type & refFlag;
  const isInterned = "AZt".includes(String.fromCharCode(type & ~refFlag));
  const isShort = name.length < 256 && name.every((byte) => byte < 0x80);
  const code = (isShort ? (isInterned ? "Z" : "z") : isInterned ? "t" : "u").charCodeAt(0) | flag;
  if (isShort) return Buffer.concat([Buffer.from([code, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt8(code, 0);
  head.writeInt32LE(name.length, 1);
  return Buffer.concat([head, name]);
}
