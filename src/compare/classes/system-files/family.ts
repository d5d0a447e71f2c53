import type { ContentClass } from "../class.ts";
import { accountBackups } from "./account-backups.ts";
import { alternativesLog } from "./alternatives-log.ts";
import { aptCache } from "./apt-cache.ts";
import { aptHistoryLog } from "./apt-history-log.ts";
import { aptLists } from "./apt-lists.ts";
import { aptTermLog } from "./apt-term-log.ts";
import { caBundleOrder } from "./ca-bundle-order.ts";
import { debconfCache } from "./debconf-cache.ts";
import { dpkgAvailable } from "./dpkg-available.ts";
import { dpkgBackups } from "./dpkg-backups.ts";
import { dpkgLocks } from "./dpkg-locks.ts";
import { dpkgLog } from "./dpkg-log.ts";
import { fontconfigCache } from "./fontconfig-cache.ts";
import { ldSoCache } from "./ld-so-cache.ts";
import { ldconfigAuxCache } from "./ldconfig-aux-cache.ts";
import { loginRecords } from "./login-records.ts";
import { machineId } from "./machine-id.ts";
import { manDbIndex } from "./man-db-index.ts";
import { randomSeed } from "./random-seed.ts";
import { shadowLastchg } from "./shadow-lastchg.ts";
import { snakeoil } from "./snakeoil.ts";
import { sshHostKey } from "./ssh-host-key.ts";

/** The classes of files of the system that tools write when packages are installed. No two know one path. */
export const systemFileClasses: readonly ContentClass[] = [
  dpkgLog,
  alternativesLog,
  aptHistoryLog,
  aptTermLog,
  loginRecords,
  ldconfigAuxCache,
  ldSoCache,
  aptLists,
  aptCache,
  debconfCache,
  dpkgBackups,
  dpkgAvailable,
  dpkgLocks,
  accountBackups,
  machineId,
  randomSeed,
  sshHostKey,
  snakeoil,
  shadowLastchg,
  caBundleOrder,
  fontconfigCache,
  manDbIndex,
];
