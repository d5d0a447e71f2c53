import type { ContentClass } from "../class.ts";
import { accountBackup } from "./account-backup.ts";
import { alternativesLog } from "./alternatives-log.ts";
import { aptCache } from "./apt-cache.ts";
import { aptHistoryLog } from "./apt-history-log.ts";
import { aptLists } from "./apt-lists.ts";
import { aptTermLog } from "./apt-term-log.ts";
import { caBundleOrder } from "./ca-bundle-order.ts";
import { dpkgBackup } from "./dpkg-backup.ts";
import { dpkgLog } from "./dpkg-log.ts";
import { ldconfigAuxCache } from "./ldconfig-aux-cache.ts";
import { loginRecords } from "./login-records.ts";
import { machineId } from "./machine-id.ts";
import { randomSeed } from "./random-seed.ts";
import { shadowLastchg } from "./shadow-lastchg.ts";
import { sshHostKey } from "./ssh-host-key.ts";

/** Classes of differences in files that the system itself writes. */
export const systemFileClasses: readonly ContentClass[] = [
  accountBackup,
  alternativesLog,
  aptCache,
  aptHistoryLog,
  aptLists,
  aptTermLog,
  caBundleOrder,
  dpkgBackup,
  dpkgLog,
  ldconfigAuxCache,
  loginRecords,
  machineId,
  randomSeed,
  shadowLastchg,
  sshHostKey,
];
