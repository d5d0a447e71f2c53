import { z } from "zod";

// The rules of SPDX 2.3 (its JSON schema is closed: no field beside those it has), for the fields that an image can need.
const id = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const text = z.string().min(1);
const lengths: Readonly<Record<string, number>> = { SHA1: 40, SHA256: 64, SHA512: 128 };
const checksum = z
  .strictObject({ algorithm: z.enum(["SHA1", "SHA256", "SHA512"]), checksumValue: z.string().regex(/^[0-9a-f]+$/) })
  .refine(({ algorithm, checksumValue }) => checksumValue.length === lengths[algorithm]);
const externalRef = z.union([
  z.strictObject({
    referenceCategory: z.literal("PACKAGE-MANAGER"),
    referenceType: z.literal("purl"),
    referenceLocator: z.string().regex(/^pkg:[a-z]+\/[!-~]+$/),
  }),
  z.strictObject({
    referenceCategory: z.literal("PERSISTENT-ID"),
    referenceType: z.literal("swh"),
    referenceLocator: z.string().regex(/^swh:1:(?:dir|rev):[0-9a-f]{40}$/),
  }),
]);
const location = z.union([
  z.enum(["NOASSERTION", "NONE"]),
  z.string().regex(/^(?:(?:git|hg|svn|bzr)\+)?[a-z]+:\/\/[!-~]+$/),
]);

const spdxPackage = z.strictObject({
  SPDXID: id,
  name: text,
  versionInfo: text.optional(),
  packageFileName: text.optional(),
  downloadLocation: location,
  homepage: z.url().optional(),
  // with true a verification code over every file would have to be there
  filesAnalyzed: z.literal(false),
  licenseConcluded: text,
  licenseDeclared: text,
  licenseComments: text.optional(),
  copyrightText: text,
  primaryPackagePurpose: z
    .string()
    .regex(
      /^(?:OTHER|INSTALL|ARCHIVE|FIRMWARE|APPLICATION|FRAMEWORK|LIBRARY|CONTAINER|SOURCE|DEVICE|OPERATING_SYSTEM|FILE)$/,
    ),
  supplier: z
    .string()
    .regex(/^(?:Person|Organization): .+$/)
    .optional(),
  sourceInfo: text.optional(),
  comment: text.optional(),
  checksums: z.array(checksum).optional(),
  externalRefs: z.array(externalRef).optional(),
});

const relationship = z.strictObject({
  spdxElementId: id,
  relatedSpdxElement: id,
  relationshipType: z
    .string()
    .regex(
      /^(?:DESCRIBES|CONTAINS|STATIC_LINK|GENERATED_FROM|EXPANDED_FROM_ARCHIVE|BUILD_TOOL_OF|BUILD_DEPENDENCY_OF|OTHER)$/,
    ),
  comment: text.optional(),
});

/** A document as SPDX 2.3 wants it, with every reference to something that it has. */
export const spdxRules = z
  .strictObject({
    spdxVersion: z.literal("SPDX-2.3"),
    dataLicense: z.literal("CC0-1.0"),
    SPDXID: z.literal("SPDXRef-DOCUMENT"),
    name: text,
    // an absolute URI without a fragment (6.5)
    documentNamespace: z.url().refine((uri) => !uri.includes("#") && /^[!-~]+$/.test(uri)),
    comment: text.optional(),
    creationInfo: z.strictObject({ created: time, creators: z.array(z.string().regex(/^Tool: \S+-\S+$/)).min(1) }),
    documentDescribes: z.array(id).min(1),
    packages: z.array(spdxPackage).min(1),
    relationships: z.array(relationship),
  })
  .superRefine(({ packages, relationships, documentDescribes }, context) => {
    const ids = new Set(["SPDXRef-DOCUMENT", ...packages.map(({ SPDXID }) => SPDXID)]);
    if (ids.size !== packages.length + 1) context.addIssue({ code: "custom", message: "an SPDXID is given twice" });
    const named = relationships.flatMap(({ spdxElementId, relatedSpdxElement }) => [spdxElementId, relatedSpdxElement]);
    for (const name of [...documentDescribes, ...named])
      if (!ids.has(name)) context.addIssue({ code: "custom", message: `${name} is nowhere in the document` });
  });

/** A document of {@link spdxRules}. */
export type SpdxDocument = z.infer<typeof spdxRules>;
