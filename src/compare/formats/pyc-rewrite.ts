import { type MarshalObject, refFlag } from "./pyc-marshal.ts";

interface Frame {
  readonly object: MarshalObject;
  /** The object's children in the order in which they are written. */
  readonly children: readonly MarshalObject[];
  next: number;
  /** Up to where the object's own bytes are copied. */
  from: number;
}

interface Output {
  readonly source: Buffer;
  readonly bytes: Buffer;
  readonly shared: ReadonlySet<MarshalObject>;
  /** Shared objects that are written, each with its index. */
  readonly written: Map<MarshalObject, number>;
  readonly open: Frame[];
  at: number;
}

const referenceType = "r".charCodeAt(0);

/**
 * Writes a marshalled code object anew, of the same length: FLAG_REF on those objects that are
 * referred to and on no other, each where it is first met, indexes in that order. What
 * Python loads from it shares the same objects in the same places. `order` gives the
 * children of a container in the order in which they shall stand; only of frozen sets may it
 * be another than they have.
 */
export function rewriteMarshalledCode(
  source: Buffer,
  objects: readonly MarshalObject[],
  order: (object: MarshalObject) => readonly MarshalObject[],
): Buffer {
  const shared = new Set(objects.flatMap(({ target }) => target ?? []));
  const output: Output = { source, bytes: Buffer.from(source), shared, written: new Map(), open: [], at: 0 };
  const [first] = objects;
  if (!first) return output.bytes;
  output.at = first.start;
  writeObject(output, first, order);
  for (let frame = output.open.at(-1); frame; frame = output.open.at(-1)) {
    const child = frame.children[frame.next];
    const place = frame.object.children[frame.next];
    copy(output, frame.from, place ? place.start : frame.object.end);
    if (child && place) {
      frame.from = place.end;
      frame.next += 1;
      writeObject(output, child, order);
    } else output.open.pop();
  }
  return output.bytes;
}

function writeObject(
  output: Output,
  reference: MarshalObject,
  order: (object: MarshalObject) => readonly MarshalObject[],
): void {
  const object = reference.target ?? reference;
  const index = output.written.get(object);
  if (index !== undefined) {
    output.bytes.writeUInt8(referenceType, output.at);
    output.bytes.writeInt32LE(index, output.at + 1);
    output.at += 5;
    return;
  }
  const isShared = output.shared.has(object);
  if (isShared) output.written.set(object, output.written.size);
  output.bytes.writeUInt8(object.type.charCodeAt(0) | (isShared ? refFlag : 0), output.at);
  output.at += 1;
  // an object without children is its own bytes and nothing else
  if (object.children.length === 0) copy(output, object.start + 1, object.end);
  else output.open.push({ object, children: order(object), next: 0, from: object.start + 1 });
}

function copy(output: Output, from: number, to: number): void {
  output.source.copy(output.bytes, output.at, from, to);
  output.at += to - from;
}
