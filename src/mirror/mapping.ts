import { stringify } from "yaml";
import { usageError } from "../errors.ts";
import { parseReference, type RegistryReference } from "../oci/reference.ts";
import { byCodeUnit } from "../recipe/words.ts";
import { kubeTestRepoList } from "./mapping-kube.ts";
import { nameOf, prefixBefore, type RegistryPair } from "./mapping-names.ts";

/** How a mapping is written; `hosts.toml` into a folder, the others into a file. */
export const mappingFormats = ["json", "yaml", "kube-test-repo-list", "registries.conf", "hosts.toml"] as const;
/** One of {@link mappingFormats}. */
export type MappingFormat = (typeof mappingFormats)[number];

/** An image and where its mirror is; both without a tag. */
export interface MappedImage {
  /** `docker.io/library/busybox` */
  readonly from: string;
  /** `registry.example/mirror/busybox`, or `oci:FOLDER/busybox`. */
  readonly to: string;
  /** The tags that are mirrored. */
  readonly tags: readonly string[];
}

/** A mapping as text, with what it cannot say. */
export interface Mapping {
  /** Paths are below the folder that was asked for; empty for the one file of a format that has one. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly notices: readonly string[];
}

/**
 * Where images are, for those who pull them. The same images give the same bytes.
 * - `json`, `yaml`: `old reference: new reference`, with tags
 * - `kube-test-repo-list`: the file that KUBE_TEST_REPO_LIST of Kubernetes' tests names
 * - `registries.conf`: containers-registries.conf(5), version 2
 * - `hosts.toml`: containerd's, in a folder for each registry's host
 * Throws a usage error when the mirror is in OCI layouts, which only the first two can say.
 */
export function renderMapping(format: MappingFormat, images: readonly MappedImage[]): Mapping {
  const sorted = images.toSorted((a, b) => byCodeUnit(a.from, b.from));
  switch (format) {
    case "json":
      return oneFile(`${JSON.stringify(referenceMap(sorted), null, 2)}\n`);
    case "yaml":
      return oneFile(stringify(referenceMap(sorted), { lineWidth: 0 }));
    case "kube-test-repo-list": {
      const { keys, notices } = kubeTestRepoList(sorted.map((image) => pairOf(image, format)));
      return oneFile(Object.keys(keys).length === 0 ? "{}\n" : stringify(keys, { lineWidth: 0 }), notices);
    }
    case "registries.conf":
      return oneFile(registriesConf(sorted.map((image) => pairOf(image, format))));
    case "hosts.toml":
      return hostsToml(sorted.map((image) => pairOf(image, format)));
  }
}

function oneFile(text: string, notices: readonly string[] = []): Mapping {
  return { files: [{ path: "", text }], notices };
}

function referenceMap(images: readonly MappedImage[]): Record<string, string> {
  return Object.fromEntries(
    images.flatMap(({ from, to, tags }) =>
      tags.toSorted(byCodeUnit).map((tag) => [`${from}:${tag}`, `${to}:${tag}`] as const),
    ),
  );
}

function pairOf({ from, to }: MappedImage, format: MappingFormat): RegistryPair {
  const [source, target] = [parseReference(from), parseReference(to)];
  if (source.kind === "registry" && target.kind === "registry") return { from: source, to: target };
  throw usageError(`a mapping in the format ${format} names registries, and ${to} is in a folder`, {
    hint: "mirror to a registry, or write the mapping as json or yaml",
  });
}

/** containers-registries.conf(5): a mirror is tried before the image's own location, by digest and by tag. */
function registriesConf(pairs: readonly RegistryPair[]): string {
  return pairs
    .map(({ from, to }) =>
      [
        "[[registry]]",
        `prefix = ${JSON.stringify(nameOf(from))}`,
        `location = ${JSON.stringify(nameOf(from))}`,
        "",
        "[[registry.mirror]]",
        `location = ${JSON.stringify(nameOf(to))}`,
        ...(isPlain(to) ? ["insecure = true"] : []),
        "",
      ].join("\n"),
    )
    .join("\n");
}

/**
 * containerd asks a mirror for the same repository below one path: it can be told of those
 * images only whose names below the prefix are their names in the source's registry.
 */
function hostsToml(pairs: readonly RegistryPair[]): Mapping {
  const notices: string[] = [];
  const roots = new Map<string, Set<string>>();
  for (const { from, to } of pairs) {
    const prefix = prefixBefore(to.repository, from.repository);
    if (prefix === undefined) {
      notices.push(
        `${nameOf(from)}: containerd keeps an image's name, and ${nameOf(to)} does not end in ${from.repository}; to map it, write to: ${from.repository}`,
      );
      continue;
    }
    const root = `${isPlain(to) ? "http" : "https"}://${to.host}/v2${prefix === "" ? "" : `/${prefix}`}`;
    roots.set(from.host, (roots.get(from.host) ?? new Set()).add(root));
  }
  const files = [...roots].map(([host, mirrors]) => {
    const server = host === "docker.io" ? "https://registry-1.docker.io" : `https://${host}`;
    const tables = [...mirrors].map((root) =>
      [`[host.${JSON.stringify(root)}]`, '  capabilities = ["pull", "resolve"]', "  override_path = true", ""].join(
        "\n",
      ),
    );
    return { path: `${host}/hosts.toml`, text: [`server = ${JSON.stringify(server)}\n`, ...tables].join("\n") };
  });
  return { files, notices };
}

/** Loopback registries are spoken to without TLS, as our own client does. */
function isPlain({ host }: RegistryReference): boolean {
  return /^(localhost|127\.[0-9.]+|\[::1\])(:|$)/.test(host);
}
