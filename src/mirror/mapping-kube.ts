import { nameOf, prefixBefore, type RegistryPair } from "./mapping-names.ts";

/** The keys of a repo list, by what they stand for (kubernetes, test/utils/image/manifest.go). */
const keysOfRegistry: Readonly<Record<string, readonly string[]>> = {
  "docker.io/library": ["dockerLibraryRegistry"],
  "gcr.io/authenticated-image-pulling": ["gcAuthenticatedRegistry"],
  "gcr.io/k8s-authenticated-test": ["privateRegistry"],
  "mcr.microsoft.com": ["microsoftRegistry"],
  "registry.k8s.io": ["gcRegistry", "gcEtcdRegistry"],
  "registry.k8s.io/build-image": ["buildImageRegistry"],
  "registry.k8s.io/cloud-provider-gcp": ["cloudProviderGcpRegistry"],
  "registry.k8s.io/e2e-test-images": ["promoterE2eRegistry"],
  "registry.k8s.io/sig-storage": ["sigStorageRegistry"],
};

/**
 * A repo list for Kubernetes' end-to-end tests: each key is a place whose images are
 * elsewhere, under the names that they had there. What cannot be said so is in `notices`:
 * images of other places, images under other names, and places that are in two now.
 */
export function kubeTestRepoList(pairs: readonly RegistryPair[]): {
  readonly keys: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
} {
  const keys = new Map<string, string>();
  const notices: string[] = [];
  for (const { from, to } of pairs) {
    const [name, target] = [nameOf(from), nameOf(to)];
    // the longest that fits: registry.k8s.io/e2e-test-images before registry.k8s.io
    const registry = Object.keys(keysOfRegistry)
      .filter((place) => name.startsWith(`${place}/`))
      .toSorted((a, b) => b.length - a.length)[0];
    if (registry === undefined) {
      notices.push(`${name}: no key of a repo list stands for where it is`);
      continue;
    }
    const rest = name.slice(registry.length + 1);
    const place = prefixBefore(target, rest);
    if (place === undefined) {
      notices.push(
        `${name}: a repo list keeps an image's name, and ${target} does not end in ${rest}; to map it, write to: ${rest}`,
      );
      continue;
    }
    for (const key of keysOfRegistry[registry] ?? []) {
      const earlier = keys.get(key);
      if (earlier !== undefined && earlier !== place)
        notices.push(`${name}: ${key} is ${earlier} already, and this image is in ${place}`);
      else keys.set(key, place);
    }
  }
  return { keys: Object.fromEntries([...keys].toSorted(([a], [b]) => (a < b ? -1 : 1))), notices };
}
