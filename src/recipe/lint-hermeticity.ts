import type { Location } from "../errors.ts";
import { splitDockerfile } from "./dockerfile-lines.ts";
import type { LocatedDocument } from "./document.ts";
import type { Report } from "./lint-rules.ts";
import type { Recipe } from "./schema.ts";
import { quoted } from "./words.ts";

const vendorHint = "vendor what it gets into the source, or put it into the toolchain: builds have no network";

/** Commands that go to the network, at the beginning of a command; what keeps them off it is allowed. */
const networkCommands: readonly { readonly pattern: RegExp; readonly unless?: RegExp }[] = [
  { pattern: /^(curl|wget|scp|rsync|ftp|aria2c)\b/ },
  { pattern: /^(apt|apt-get|aptitude)\s+(-\S+\s+)*(update|install|upgrade|dist-upgrade|source)\b/ },
  { pattern: /^apk\s+(-\S+\s+)*(add|update|upgrade)\b/, unless: /--no-network/ },
  { pattern: /^(dnf|microdnf|yum|zypper)\s+(-\S+\s+)*(install|update|upgrade)\b/ },
  { pattern: /^git\s+(-\S+\s+)*(clone|fetch|pull)\b/ },
  { pattern: /^git\s+(-\S+\s+)*submodule\s+update\b/ },
  { pattern: /^(python3?\s+-m\s+)?pip3?\s+(install|download|wheel)\b/, unless: /--no-index/ },
  { pattern: /^npm\s+(ci|install|i)\b/, unless: /--offline/ },
  { pattern: /^(yarn|pnpm)\s+(install|add)\b/, unless: /--offline/ },
  { pattern: /^go\s+(get|mod\s+download)\b/ },
  { pattern: /^cargo\s+(fetch|install)\b/, unless: /--offline/ },
  { pattern: /^(bundle|gem)\s+install\b/, unless: /--local/ },
];
const clock = /(\$\(|`)\s*date\b(?![^)`]*(\s-(d|r)\b|\s--(date|reference)\b|SOURCE_DATE_EPOCH))/;

/**
 * Tells of commands in a Dockerfile that would go to the network or ask for the time.
 * A shell's text is not fully understood here: this explains early, and the build's own
 * lack of a network is the barrier.
 */
export function checkCommands(text: string, file: string, report: Report): void {
  // cheap and rarely true, where splitting a shell's text is neither
  for (const { name, rest, line } of splitDockerfile(text, file).instructions) {
    if (name !== "RUN") continue;
    const location: Location = { file, line };
    for (const command of rest.split(/&&|\|\||[;|\n(){}]|\bthen\b|\bdo\b|\belse\b|`/)) {
      const words = command
        .trim()
        .replace(/^(!|exec|command|env|sudo|time|if|while|until)\s+/, "")
        .replace(/^([A-Za-z_]\w*=\S*\s+)+/, "");
      const found = networkCommands.find(({ pattern, unless }) => pattern.test(words) && !unless?.test(words));
      if (!found) continue;
      const [shown = ""] = found.pattern.exec(words) ?? [];
      report("dockerfile-network", {
        message: `RUN has ${quoted(shown)}, which goes to the network`,
        location,
        hint: vendorHint,
      });
    }
    if (clock.test(rest)) {
      report("dockerfile-clock", {
        message: "RUN asks for the time of the build, which is another one each time",
        location,
        hint: 'use date -u -d "@$SOURCE_DATE_EPOCH", and declare ARG SOURCE_DATE_EPOCH',
      });
    }
  }
}

/** Tells of build arguments that can only be meant to be fetched. */
export function checkArguments(recipe: LocatedDocument<Recipe>, report: Report): void {
  for (const [name, value] of Object.entries(recipe.value.build.args)) {
    if (!/^(https?|ftp|git|ssh):\/\//i.test(value)) continue;
    report("dockerfile-network", {
      message: `build.args.${name}: ${quoted(value)} is an address, and builds have no network`,
      location: recipe.locate(["build", "args", name]),
      hint: vendorHint,
    });
  }
}
