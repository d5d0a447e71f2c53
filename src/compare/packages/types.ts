/** A package as a database of the image has it. */
export interface InstalledPackage {
  readonly database: "dpkg" | "apk" | "rpm";
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  /** Without a slash before them. */
  readonly files: readonly string[];
}
