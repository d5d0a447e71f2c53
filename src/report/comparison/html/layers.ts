import type { ComparedImage, ComparedLayer } from "../../../compare/types.ts";
import { html, type Markup } from "../../html/markup.ts";
import { digest } from "../../html/parts.ts";
import { visible } from "../visible.ts";
import { plural } from "../words.ts";
import { drawWhatFits, type Room } from "./room.ts";

const maxLayers = 200;

/** One position in the layers of both images. */
interface LayerPair {
  readonly position: number;
  readonly left?: ComparedLayer;
  readonly right?: ComparedLayer;
}

/** The digests of both images, and their layers side by side. */
export function layersOf(left: ComparedImage, right: ComparedImage, name: string, room: Room): Markup {
  const length = Math.max(left.layers.length, right.layers.length);
  const pairs = Array.from({ length }, (_, position): LayerPair => {
    const [a, b] = [left.layers[position], right.layers[position]];
    return { position, ...(a && { left: a }), ...(b && { right: b }) };
  });
  const rows = drawWhatFits(room, pairs, layerRow, maxLayers);
  return html`<details><summary>Digests and ${plural(length, "layer")}</summary>
<table role="table" class="stack sides" aria-label="Digests of ${name}"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Part</th><th scope="col" role="columnheader">First image</th><th scope="col" role="columnheader">Second image</th></tr></thead><tbody role="rowgroup">
${digestRow("Manifest", left.manifest, right.manifest)}${digestRow("Config", left.config, right.config)}${rows}</tbody></table>${
    length > rows.length && html`<p class="soft">and ${plural(length - rows.length, "more layer", "more layers")}</p>`
  }</details>
`;
}

function digestRow(title: string, left: string, right: string): Markup {
  return html`<tr role="row"><th scope="row" role="rowheader">${title}${left === right && html` <span class="note">same</span>`}</th>${cell("first", digest(left))}${cell("second", digest(right))}</tr>
`;
}

function layerRow({ position, left, right }: LayerPair): Markup {
  const same =
    left &&
    right &&
    (left.digest === right.digest ? "same blob" : left.diffId === right.diffId ? "same tar" : undefined);
  return html`<tr role="row"><th scope="row" role="rowheader">Layer ${position}${same !== undefined && html` <span class="note">${same}</span>`}</th>${cell("first", layer(left))}${cell("second", layer(right))}</tr>
`;
}

function layer(found: ComparedLayer | undefined): Markup {
  if (!found) return html`<span class="soft">none</span>`;
  const { digest: blob, size, mediaType, encoder } = found;
  const said = encoder === undefined ? "" : `, ${visible(encoder, 60)}`;
  return html`${digest(blob)}<br><span class="note">${plural(size, "byte")}, ${visible(mediaType, 100)}${said}</span>`;
}

function cell(which: string, content: Markup): Markup {
  return html`<td role="cell"><span class="label" aria-hidden="true">${which}</span>${content}</td>`;
}
