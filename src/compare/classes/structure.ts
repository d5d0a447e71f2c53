import type { ClassDescription } from "./class.ts";
import { configKeyOrder } from "./config/key-order.ts";
import { attestationChildren } from "./index/attestation-children.ts";
import { indexAnnotations } from "./index/index-annotations.ts";
import { indexArtifactChildren } from "./index/index-artifact-children.ts";
import { indexChildOrder } from "./index/index-child-order.ts";
import { indexFields } from "./index/index-fields.ts";
import { indexInlineData } from "./index/index-inline-data.ts";
import { indexKeyOrder } from "./index/index-key-order.ts";
import { indexMediaType } from "./index/index-media-type.ts";
import { indexNested } from "./index/index-nested.ts";
import { emptyLayers } from "./layer/empty-layers.ts";
import { entryDuplicates } from "./layer/entry-duplicates.ts";
import { entryOrder } from "./layer/entry-order.ts";
import { entryTimes } from "./layer/entry-times.ts";
import { layerSplit } from "./layer/layer-split.ts";
import { modeTypeBits } from "./layer/mode-type-bits.ts";
import { namePrefix } from "./layer/name-prefix.ts";
import { ownerNames } from "./layer/owner-names.ts";
import { paxTimes } from "./layer/pax-times.ts";
import { tarDialect } from "./layer/tar-dialect.ts";
import { tarHeaders } from "./layer/tar-headers.ts";
import { tarPadding } from "./layer/tar-padding.ts";
import { whiteoutForm } from "./layer/whiteout-form.ts";
import { whiteoutTimes } from "./layer/whiteout-times.ts";
import { layerCompression } from "./manifest/layer-compression.ts";
import { manifestAnnotations } from "./manifest/manifest-annotations.ts";
import { manifestFields } from "./manifest/manifest-fields.ts";
import { manifestKeyOrder } from "./manifest/manifest-key-order.ts";
import { mediaType } from "./manifest/media-type.ts";

/** Classes of differences in how an image is put together, which levels of equality normalise away. */
export const structureClasses: readonly ClassDescription[] = [
  layerCompression,
  manifestAnnotations,
  mediaType,
  manifestFields,
  manifestKeyOrder,
  configKeyOrder,
  entryOrder,
  entryTimes,
  whiteoutTimes,
  paxTimes,
  namePrefix,
  modeTypeBits,
  ownerNames,
  tarDialect,
  tarPadding,
  tarHeaders,
  entryDuplicates,
  emptyLayers,
  whiteoutForm,
  layerSplit,
  attestationChildren,
  indexChildOrder,
  indexNested,
  indexAnnotations,
  indexMediaType,
  indexInlineData,
  indexArtifactChildren,
  indexFields,
  indexKeyOrder,
];
