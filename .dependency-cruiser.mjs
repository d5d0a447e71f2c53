// Layers point one way: commands -> rebuild -> stages -> adapters -> vocabulary.
const stages = "^src/(source|toolchain|upstream|build|normalise|compare|smoke|publish|attest|mirror|sbom|escrow|audit|add|history|promote|report|plan)/";
const adapters = "^src/(oci|process|git|debian|store|engine|sign)/";

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "adapters-know-no-stage", severity: "error", from: { path: adapters }, to: { path: `${stages}|^src/(rebuild|commands|recipe)/` } },
    { name: "stages-know-no-command", severity: "error", from: { path: stages }, to: { path: "^src/(rebuild|nightly|commands)/" } },
    { name: "rebuild-knows-no-command", severity: "error", from: { path: "^src/(rebuild|nightly)/" }, to: { path: "^src/commands/" } },
    { name: "compare-stands-alone", severity: "error", from: { path: "^src/compare/" }, to: { path: "^src/", pathNot: "^src/(compare|oci)/|^src/(concurrency|errors|json)\\.ts$" } },
    { name: "oci-process-git-know-no-recipe", severity: "error", from: { path: "^src/(oci|process|git)/" }, to: { path: "^src/", pathNot: "^src/(oci|process|git)/|^src/(errors|json|events)\\.ts$" } },
    { name: "execa-in-process-only", severity: "error", from: { path: "^src/", pathNot: "^src/process/" }, to: { path: "node_modules/execa" } },
    { name: "simple-git-in-git-only", severity: "error", from: { path: "^src/", pathNot: "^src/git/" }, to: { path: "node_modules/simple-git" } },
    { name: "no-test-code-in-product", severity: "error", from: { path: "^src/" }, to: { path: "^(test|scripts)/" } },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js"], exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
