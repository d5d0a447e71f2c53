/** What an object is, as far as the fields of code objects tell it apart. */
type Kind = "code" | "tuple" | "text" | "bytes" | "other";

/** Where an object stands: a field that takes one kind, the name of the source file, or anywhere else. */
type Role = Kind | "filename" | "any";

/** An object as it stands in a marshalled stream. */
export interface MarshalObject {
  /** Marshal's letter for it, without FLAG_REF. */
  readonly type: string;
  readonly kind: Kind;
  readonly role: Role;
  /** Offset of its type byte. */
  readonly start: number;
  /** Offset behind its last byte; -1 while it is being read. */
  end: number;
  readonly isFlagged: boolean;
  /** What a TYPE_REF stands for. */
  readonly target?: MarshalObject;
  /** The fields of a code object that are objects; the elements of a tuple or a frozen set. */
  readonly children: MarshalObject[];
}

interface Frame {
  readonly object: MarshalObject | undefined;
  /** The fields of a code object; nothing in tuples and frozen sets. */
  readonly fields: readonly (Role | "int")[] | undefined;
  readonly count: number;
  next: number;
}

interface Walk {
  readonly bytes: Buffer;
  readonly codeFields: readonly (Role | "int")[];
  readonly open: Frame[];
  readonly objects: MarshalObject[];
  readonly flagged: MarshalObject[];
  at: number;
}

/** As in CPython's marshal.c. */
const maxDepth = 2000;
const maxObjects = 1_000_000;
/** FLAG_REF of marshal.c. */
export const refFlag = 0x80;

const fixedSizes: Readonly<Record<string, number>> = { i: 4, g: 8, y: 16, N: 0, T: 0, F: 0, ".": 0, S: 0 };
const kinds: Readonly<Record<string, Kind>> = {
  c: "code",
  "(": "tuple",
  ")": "tuple",
  s: "bytes",
  u: "text",
  t: "text",
  a: "text",
  A: "text",
  z: "text",
  Z: "text",
  ">": "other",
  l: "other",
  i: "other",
  g: "other",
  y: "other",
  N: "other",
  T: "other",
  F: "other",
  S: "other",
  ".": "other",
};
/** The singletons take no index. */
const neverFlagged = "NTF.Sr";

/** The fields of code objects in the order of marshal.c; undefined for versions it is not known of. */
function codeFieldsOf(minor: number): readonly (Role | "int")[] | undefined {
  const ints = (count: number): "int"[] => Array.from({ length: count }, () => "int");
  if (minor < 6 || minor > 13) return undefined;
  if (minor < 11) {
    const tuples: Role[] = ["tuple", "tuple", "tuple", "tuple", "tuple"];
    return [...ints(minor < 8 ? 5 : 6), "bytes", ...tuples, "filename", "text", "int", "bytes"];
  }
  return [...ints(5), "bytes", "tuple", "tuple", "tuple", "bytes", "filename", "text", "text", "int", "bytes", "bytes"];
}

/**
 * Every object of the marshalled code object that fills `bytes` from `start` to the end, in
 * the order of their type bytes, in the format (marshal version 4) that compilers of Python 3.6 to 3.13
 * write. Nothing for another version, for types that no compiler puts into
 * bytecode, for what CPython would refuse, and for more than a million objects.
 */
export function readMarshalledCode(bytes: Buffer, start: number, minor: number): MarshalObject[] | undefined {
  const codeFields = codeFieldsOf(minor);
  if (!codeFields) return undefined;
  const first: Frame = { object: undefined, fields: ["code"], count: 1, next: 0 };
  const walk: Walk = { bytes, codeFields, open: [first], objects: [], flagged: [], at: start };
  for (let frame: Frame | undefined = first; frame; frame = walk.open.at(-1)) {
    if (frame.next === frame.count) {
      if (frame.object) frame.object.end = walk.at;
      walk.open.pop();
    } else if (!readField(walk, frame)) return undefined;
  }
  return walk.at === bytes.length ? walk.objects : undefined;
}

function readField(walk: Walk, frame: Frame): boolean {
  const role = frame.fields ? frame.fields[frame.next] : "any";
  frame.next += 1;
  if (role === "int") return skip(walk, 4);
  const object = role && readObject(walk, role);
  if (!object || walk.objects.length >= maxObjects) return false;
  walk.objects.push(object);
  frame.object?.children.push(object);
  return true;
}

function readObject(walk: Walk, role: Role): MarshalObject | undefined {
  const start = walk.at;
  const byte = readByte(walk);
  if (byte === undefined) return undefined;
  const isFlagged = (byte & refFlag) !== 0;
  const type = String.fromCharCode(byte & ~refFlag);
  if (isFlagged && neverFlagged.includes(type)) return undefined;
  const target = type === "r" ? readTarget(walk) : undefined;
  const kind = target ? target.kind : kinds[type];
  if (!kind || (role !== "any" && kind !== (role === "filename" ? "text" : role))) return undefined;
  const object: MarshalObject = {
    type,
    kind,
    role,
    start,
    end: -1,
    isFlagged,
    children: [],
    ...(target && { target }),
  };
  // the index is taken when the type is read, before anything inside the object takes one
  if (isFlagged) walk.flagged.push(object);
  if (!target && "c()>".includes(type)) return openContainer(walk, object) ? object : undefined;
  const size = target ? 0 : readSize(walk, type);
  const from = walk.at;
  if (size === undefined || !skip(walk, size)) return undefined;
  if ("aAzZ".includes(type) && !isAscii(walk.bytes.subarray(from, walk.at))) return undefined;
  object.end = walk.at;
  return object;
}

/** CPython refuses a reference to what is not there yet; one to what is still open, no compiler writes. */
function readTarget(walk: Walk): MarshalObject | undefined {
  const index = readInt(walk);
  const target = index === undefined ? undefined : walk.flagged[index];
  return target && target.end !== -1 ? target : undefined;
}

function openContainer(walk: Walk, object: MarshalObject): boolean {
  const fields = object.type === "c" ? walk.codeFields : undefined;
  const count = fields ? fields.length : object.type === ")" ? readByte(walk) : readInt(walk);
  // every element takes a byte at least
  if (count === undefined || count < 0 || count > walk.bytes.length - walk.at) return false;
  if (walk.open.length > maxDepth) return false;
  walk.open.push({ object, fields, count, next: 0 });
  return true;
}

function readSize(walk: Walk, type: string): number | undefined {
  if (type in fixedSizes) return fixedSizes[type];
  if (type === "z" || type === "Z") return readByte(walk);
  const size = readInt(walk);
  // a long's size is its count of 15-bit digits, negative when the number is
  return type === "l" && size !== undefined ? Math.abs(size) * 2 : size;
}

function readByte(walk: Walk): number | undefined {
  const from = walk.at;
  return skip(walk, 1) ? walk.bytes[from] : undefined;
}

function readInt(walk: Walk): number | undefined {
  const from = walk.at;
  return skip(walk, 4) ? walk.bytes.readInt32LE(from) : undefined;
}

function skip(walk: Walk, size: number): boolean {
  if (size < 0 || size > walk.bytes.length - walk.at) return false;
  walk.at += size;
  return true;
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}
