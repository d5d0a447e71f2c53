import type { Comparison } from "./types.ts";

/** A comparison in a few lines for a terminal: the level, then each platform and what differs. */
export function summariseComparison(comparison: Comparison): string[] {
  const lines = [comparison.level === "different" ? "different" : `equal at level ${comparison.level}`];
  const width = Math.max(0, ...comparison.platforms.map((platform) => platform.platform.length));
  for (const { platform, level, differences } of comparison.platforms) {
    lines.push(`  ${platform.padEnd(width)}  ${level}`);
    for (const difference of differences) {
      const mark = difference.weight === "benign" ? "·" : "✗";
      const paths = difference.paths.slice(0, 3).join(", ");
      const more = difference.count > 3 && difference.paths.length > 0 ? `, ${difference.count - 3} more` : "";
      lines.push(`    ${mark} ${difference.class}${paths === "" ? "" : ` ${paths}${more}`}: ${difference.detail}`);
    }
  }
  if (comparison.onlyLeft.length > 0) lines.push(`  only ${comparison.left} has ${comparison.onlyLeft.join(", ")}`);
  if (comparison.onlyRight.length > 0) lines.push(`  only ${comparison.right} has ${comparison.onlyRight.join(", ")}`);
  return lines.map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]/gu, "�"));
}
