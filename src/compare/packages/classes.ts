import type { ContentClass } from "../classes/class.ts";
import { apkInstalledOrder } from "./apk-installed-order.ts";
import { dpkgInfoOrder } from "./dpkg-info-order.ts";
import { dpkgStatusOrder } from "./dpkg-status-order.ts";

/** Classes of differences in package databases. */
export const packageClasses: readonly ContentClass[] = [dpkgStatusOrder, dpkgInfoOrder, apkInstalledOrder];
