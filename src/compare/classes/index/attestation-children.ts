import type { ClassDescription } from "../class.ts";

/** Attestations beside the images: in-toto statements of BuildKit. */
export const attestationChildren: ClassDescription = {
  name: "attestation-children",
  version: 1,
  meaning: "attestations beside the images: in-toto statements of BuildKit",
  normalises: "children that hold attestations are left out",
  safety: "runtimes never choose them: they are for the platform unknown/unknown",
};
