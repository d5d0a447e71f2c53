import type { ConfigClass } from "./config-class.ts";
import { configArgsEscaped } from "./args-escaped.ts";
import { configAuthor } from "./author.ts";
import { configCreated } from "./created.ts";
import { configEmpty } from "./empty.ts";
import { configEnvOrder } from "./env-order.ts";
import { configHistory } from "./history.ts";
import { configHistoryCreated } from "./history-created.ts";
import { configLegacy } from "./legacy.ts";
import { configVariant } from "./variant.ts";

/** Classes of differences in configs, in the order in which they normalise. */
export const configClasses: readonly ConfigClass[] = [
  configCreated,
  configHistoryCreated,
  configHistory,
  configAuthor,
  configLegacy,
  configVariant,
  configArgsEscaped,
  configEmpty,
  configEnvOrder,
];
