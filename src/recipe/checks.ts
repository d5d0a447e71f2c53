import { formatLocation, type Location, type Problem } from "../errors.ts";
import { packageNameOf } from "../debian/version.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { LocatedDocument } from "./document.ts";
import { platformsOf } from "./release-platforms.ts";
import type { LedgerEntry, Recipe, Release, Source, Toolchain, ToolchainLock } from "./schema.ts";
import { packagesOfUpstream } from "./upstream.ts";
import type { DocumentPath } from "./yaml-tree.ts";

/** The documents that a release is put together from; what could not be read is left out. */
export interface ReleaseDocuments {
  readonly recipe: LocatedDocument<Recipe>;
  readonly release: LocatedDocument<Release>;
  readonly source?: LocatedDocument<Source>;
  readonly toolchain?: LocatedDocument<Toolchain>;
  readonly lock?: LocatedDocument<ToolchainLock>;
}

/** Checks what the schema of one file cannot: that recipe, release, source and toolchain speak of the same thing. */
export function checkRelease(documents: ReleaseDocuments): Problem[] {
  return [
    ...checkUpstream(documents),
    ...checkSourcePin(documents),
    ...checkToolchainPin(documents),
    ...checkContexts(documents),
  ];
}

const contextKinds = ["source", "recipe", "toolchain"] as const;

/** Checks that a release pins every context of its recipe, as what the recipe says it is, for every platform. */
function checkContexts({ recipe, release }: ReleaseDocuments): Problem[] {
  const { contexts } = recipe.value;
  const platforms = platformsOf(recipe.value, release.value);
  const pins = release.value.contexts ?? {};
  const hint = pinAgain(recipe, release);
  const problem = (message: string, path: DocumentPath): Problem => ({
    message,
    location: release.locate(path, "key"),
    hint,
  });
  const kindOf = (value: object): string => contextKinds.find((kind) => kind in value) ?? "";
  const wanted = Object.entries(contexts).flatMap(([name, context]): Problem[] => {
    const pin = pins[name];
    if (!pin) {
      const place = formatLocation(recipe.locate(["contexts", name], "key"));
      return [problem(`contexts has no ${name}, which the recipe has (${place})`, ["contexts"])];
    }
    if (kindOf(pin) !== kindOf(context)) {
      return [
        problem(`contexts.${name} pins a ${kindOf(pin)}, and the recipe has a ${kindOf(context)} there`, [
          "contexts",
          name,
        ]),
      ];
    }
    if (!("recipe" in pin)) return [];
    return [...platforms.reproduce, ...platforms.extend]
      .filter((platform) => pin.recipe.manifests[platform] === undefined)
      .map((platform) =>
        problem(`contexts.${name} has no image for ${platform}, which the recipe builds for`, ["contexts", name]),
      );
  });
  const unknown = Object.keys(pins)
    .filter((name) => contexts[name] === undefined)
    .map((name) => problem(`contexts has ${name}, which the recipe has not`, ["contexts", name]));
  return [...wanted, ...unknown];
}

/** What a ledger's entry is for, in words: `package-source apt, brotli`. */
export function ledgerSubject({ input, names }: LedgerEntry): string {
  return `${input} ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
}

/** The entries of a recipe's ledger that expired before `today` (both `YYYY-MM-DD`). */
export function checkLedger(recipe: LocatedDocument<Recipe>, today: string): Problem[] {
  return recipe.value.ledger.flatMap((entry, index) => {
    if (entry.expires >= today) return [];
    const message = `the ledger's entry for ${ledgerSubject(entry)} expired on ${entry.expires}`;
    const hint = `${entry.owner} decides: pin and hold it, or give a later date with a reason that still holds`;
    return [{ message, location: recipe.locate(["ledger", index, "expires"]), hint }];
  });
}

/** The waivers of a recipe that expired before `today` (both `YYYY-MM-DD`). */
export function checkWaivers(recipe: LocatedDocument<Recipe>, today: string): Problem[] {
  return recipe.value.waivers.flatMap((waiver, index) => {
    if (waiver.expires >= today) return [];
    const message = `the waiver for ${waiver.class} expired on ${waiver.expires}`;
    const hint = `${waiver.owner} decides: remove it, or give a later date with a reason that still holds`;
    return [{ message, location: recipe.locate(["waivers", index, "expires"]), hint }];
  });
}

/** Checks a lock's packages: each once, each for an architecture that the lock has. */
export function checkLock(lock: LocatedDocument<ToolchainLock>): Problem[] {
  const { architecture, foreign, packages } = lock.value;
  const architectures = [architecture, "all", ...foreign];
  const seen = new Set<string>();
  return packages.flatMap((file, index): Problem[] => {
    const id = `${file.name}:${file.architecture}`;
    const twice = seen.has(id);
    seen.add(id);
    if (!twice && architectures.includes(file.architecture)) return [];
    const location = lock.locate(["packages", index, "name"]);
    const hint = "locks are written by refoundry toolchain lock";
    const message = twice
      ? `${id} is in the lock twice`
      : `${id} is for none of the lock's architectures: ${architectures.join(", ")}`;
    return [{ message, location, hint }];
  });
}

function checkUpstream({ recipe, release }: ReleaseDocuments): Problem[] {
  const { reproduce } = platformsOf(recipe.value, release.value);
  const { manifests, debian } = release.value.upstream;
  const pinned = Object.keys(manifests) as PlatformName[];
  const again = pinAgain(recipe, release);
  // looked for where something is wrong: that reads the whole file anew
  const place = (): string => formatLocation(recipe.locate(["platforms", "reproduce"], "key"));
  const problem = (message: string, path: DocumentPath, part: "key" | "value" = "key"): Problem => ({
    message,
    location: release.locate(path, part),
    hint: again,
  });
  const found = [
    ...reproduce
      .filter((name) => !pinned.includes(name))
      .map((name) =>
        problem(`upstream.manifests has no ${name}, which the recipe reproduces (${place()})`, [
          "upstream",
          "manifests",
        ]),
      ),
    ...pinned
      .filter((name) => !reproduce.includes(name))
      .map((name) =>
        problem(`upstream.manifests has ${name}, which the recipe does not reproduce (${place()})`, [
          "upstream",
          "manifests",
          name,
        ]),
      ),
  ];
  if (!("debian" in recipe.value.upstream)) {
    return debian
      ? [...found, problem("upstream.debian is given, and the recipe's upstream is an image", ["upstream", "debian"])]
      : found;
  }
  if (!debian)
    return [
      ...found,
      problem("upstream.debian is missing: the recipe's upstream is put together from Debian packages", ["upstream"]),
    ];
  const packaged = debian.map((file) => file.platform);
  const wanted = packagesOfUpstream(recipe.value.upstream.debian);
  const given = debian.map(
    ({ path, platform }) => `${wanted.length === 1 ? wanted[0] : packageNameOf(path)} for ${platform}`,
  );
  return [
    ...found,
    ...reproduce
      .flatMap((name) => wanted.map((each) => ({ name, each })))
      .filter(({ name, each }) => !given.includes(`${each} for ${name}`))
      .map(({ name, each }) =>
        problem(`upstream.debian has no package ${each} for ${name}, which the recipe reproduces (${place()})`, [
          "upstream",
          "debian",
        ]),
      ),
    ...packaged.flatMap((name, index) => {
      if (given.indexOf(given[index] ?? "") < index)
        return [
          problem(`upstream.debian has ${given[index]} twice`, ["upstream", "debian", index, "platform"], "value"),
        ];
      if (reproduce.includes(name)) return [];
      return [
        problem(
          `upstream.debian has ${name}, which the recipe does not reproduce (${place()})`,
          ["upstream", "debian", index, "platform"],
          "value",
        ),
      ];
    }),
  ];
}

function checkSourcePin({ recipe, release, source }: ReleaseDocuments): Problem[] {
  if (!source) return [];
  const wanted = source.value.import.kind === "debian";
  const given = release.value.source.debian !== undefined;
  if (wanted === given) return [];
  const hint = pinAgain(recipe, release);
  const place = formatLocation(source.locate(["import"], "key"));
  return wanted
    ? [
        {
          message: `source.debian is missing: the source is imported from a Debian package (${place})`,
          location: release.locate(["source"], "key"),
          hint,
        },
      ]
    : [
        {
          message: `source.debian is given, and the source is a git repository (${place})`,
          location: release.locate(["source", "debian"], "key"),
          hint,
        },
      ];
}

function checkToolchainPin({ recipe, release, toolchain, lock }: ReleaseDocuments): Problem[] {
  if (!toolchain) return [];
  const pin = release.value.toolchain;
  const hint = pinAgain(recipe, release);
  const location = (): Location => release.locate(["toolchain", "digest"]);
  if ("image" in toolchain.value) {
    const digest = toolchain.value.image.slice(toolchain.value.image.lastIndexOf("@") + 1);
    if (pin.lock !== undefined) {
      return [
        {
          message: "toolchain.lock is given, and the toolchain is a pinned image",
          location: release.locate(["toolchain", "lock"]),
          hint,
        },
      ];
    }
    if (pin.digest === digest) return [];
    return [
      { message: `toolchain.digest is not the digest of the toolchain's image, ${digest}`, location: location(), hint },
    ];
  }
  if ("recipe" in toolchain.value) {
    if (pin.lock === undefined && pin.version !== undefined) return [];
    const message = `${toolchain.value.toolchain} is the recipe ${toolchain.value.recipe}: toolchain.version is needed, and no lock`;
    return [{ message, location: release.locate(["toolchain"], "key"), hint }];
  }
  if (pin.lock === undefined) {
    return [
      {
        message: `toolchain.lock is missing: ${toolchain.value.toolchain} is made from locked packages`,
        location: release.locate(["toolchain"], "key"),
        hint,
      },
    ];
  }
  if (!lock || lock.value.digest === pin.digest) return [];
  const place = formatLocation(lock.locate(["digest"]));
  return [
    {
      message: `toolchain.digest is not the digest that the lock ${pin.lock} gives, ${lock.value.digest} (${place})`,
      location: location(),
      hint,
    },
  ];
}

function pinAgain(recipe: LocatedDocument<Recipe>, release: LocatedDocument<Release>): string {
  return `if the recipe is right, write the release anew: refoundry pin ${recipe.value.image} ${release.value.version}`;
}
