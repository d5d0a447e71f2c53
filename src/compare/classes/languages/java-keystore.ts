import { isKeystore, readTrustStore, writeTrustStore } from "../../formats/keystore.ts";
import type { ContentClass } from "../class.ts";

/** The password of every JDK's cacerts. */
const usualPassword = "changeit";

/** When, and in which order, certificates were put into a Java trust store. */
export const javaKeystore: ContentClass = {
  name: "java-keystore",
  version: 1,
  meaning: "the certificates of a Java trust store were put in at another time or in another order",
  normalises:
    "certificates are sorted by alias, their dates set to zero, and the digest made anew; only for the type JKS, the " +
    "password changeit, which the file's digest must be for, and stores without private keys",
  safety: "Java finds certificates by alias and trusts the same ones; every alias and certificate is kept",
  applies: ({ bytes }) => isKeystore(bytes),
  normalise({ bytes }) {
    const store = readTrustStore(bytes, usualPassword);
    if (!store) return undefined;
    const entries = store.entries.toSorted((left, right) => left.alias.compare(right.alias));
    return writeTrustStore({ ...store, entries }, usualPassword);
  },
};
