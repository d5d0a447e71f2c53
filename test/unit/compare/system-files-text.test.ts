import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemFileClasses } from "../../../src/compare/classes/system-files/family.ts";

async function normalised(name: string, path: string, content: Buffer | string): Promise<string | undefined> {
  const found = systemFileClasses.find((one) => one.name === name);
  if (!found) throw new Error(name);
  const file = { path, bytes: Buffer.isBuffer(content) ? content : Buffer.from(content) };
  let left = 256 * 1024 * 1024;
  const context = {
    member: async (_name: string, bytes: Buffer) => bytes,
    remaining: () => left,
    spend(bytes: number) {
      left -= bytes;
    },
  };
  const before = Buffer.from(file.bytes);
  const result = found.applies(file) ? await found.normalise(file, context) : undefined;
  expect(file.bytes.equals(before)).toBe(true);
  return typeof result === "object" ? result.toString("latin1") : result;
}

/** Cuts and flipped bits never throw; the class takes nothing for the whole file that has other lines. */
async function survives(name: string, path: string, content: string): Promise<void> {
  const whole = Buffer.from(content, "latin1");
  for (let length = 0; length <= whole.length; length += 1) await normalised(name, path, whole.subarray(0, length));
  let state = 12345;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2147483648);
  for (let round = 0; round < 2000; round += 1) {
    const copy = Buffer.from(whole);
    for (let flips = 1 + (next() % 3); flips > 0; flips -= 1) copy[next() % copy.length] = next() >> 8;
    await normalised(name, path, copy);
  }
}

type Timed = (day: string, clock: string, end?: string) => string;
const logs: readonly (readonly [name: string, path: string, content: Timed])[] = [
  [
    "dpkg-log",
    "var/log/dpkg.log",
    (day, clock, end = "2.36-9") =>
      [
        "startup archives unpack",
        "install libc6:amd64 <none> 2.36-9",
        "status half-installed libc6:amd64 2.36-9",
        "conffile /etc/ld.so.conf keep",
        "trigproc libc-bin:amd64 2.36-9 <none>",
        `status installed libc6:amd64 ${end}`,
      ]
        .map((event) => `${day} ${clock} ${event}\n`)
        .join(""),
  ],
  [
    "alternatives-log",
    "var/log/alternatives.log",
    (day, clock, end = "/usr/bin/less") =>
      `update-alternatives ${day} ${clock}: run with --quiet --install /usr/bin/pager pager /usr/bin/less 77\n` +
      `update-alternatives ${day} ${clock}: link group pager updated to point to ${end}\n`,
  ],
  [
    "apt-history-log",
    "var/log/apt/history.log",
    (day, clock, end = "curl:amd64 (7.88.1-10)") =>
      `\nStart-Date: ${day}  ${clock}\nCommandline: apt-get install -y curl\nInstall: ${end}\nEnd-Date: ${day}  ${clock}\n`,
  ],
  [
    "apt-term-log",
    "var/log/apt/term.log",
    (day, clock, end = "Setting up curl ...") =>
      `\nLog started: ${day}  ${clock}\n(Reading database ... \r5%\r\n${end}\r\nLog ended: ${day}  ${clock}\n`,
  ],
];

describe.each(logs)("%s", (name, path, content) => {
  const one = content("2025-06-24", "14:36:25");

  test("takes times for one another, and nothing else", async () => {
    const plain = await normalised(name, path, one);
    expect(plain).toBe(content("1970-01-01", "00:00:00"));
    expect(await normalised(name, path, content("2026-12-31", "23:59:60"))).toBe(plain);
    expect(await normalised(name, path, plain ?? "")).toBe(plain);
    expect(await normalised(name, path, content("2025-06-24", "14:36:25", "other"))).not.toBe(plain);
    expect(await normalised(name, path, `${one}${one}`)).not.toBe(plain);
    expect(await normalised(name, path, "")).toBe("");
  });

  test.each([
    ["month 13", content("2025-13-01", "00:00:00")],
    ["hour 24", content("2025-01-01", "24:00:00")],
    ["a zone", content("2025-01-01", "00:00:00Z")],
    ["a line that does not end", one.slice(0, -1)],
    ["another line", `${one}rm -rf /\n`],
    ["a NUL", `${one}\0\n`],
  ])("refuses %s", async (_, other) => {
    expect(await normalised(name, path, other)).toBeUndefined();
  });

  test("knows no other paths", async () => {
    expect(await normalised(name, `${path}.1`, one)).toBeDefined();
    for (const other of [`${path}.gz`, `${path}x`, `x/${path}`, "etc/profile"])
      expect(await normalised(name, other, one)).toBeUndefined();
  });

  test("survives damage", () => survives(name, path, one));
});

test("a session of APT that is still open, or ended twice, is not explained", async () => {
  const [started, ended] = ["Log started: 2025-06-24  14:36:25\n", "Log ended: 2025-06-24  14:36:25\n"];
  for (const other of [started, `${ended}`, `${started}${started}${ended}`, `${started}${ended}${ended}`])
    expect(await normalised("apt-term-log", "var/log/apt/term.log", other)).toBeUndefined();
});

test("login records count as nothing while nobody has logged in", async () => {
  for (const path of ["var/log/lastlog", "var/log/faillog"])
    for (const size of [0, 1, 292, 29200])
      expect(await normalised("login-records", path, Buffer.alloc(size))).toBe("absent");
  for (const path of ["var/log/wtmp", "var/log/btmp"]) {
    expect(await normalised("login-records", path, "")).toBe("absent");
    expect(await normalised("login-records", path, Buffer.alloc(384))).toBeUndefined();
  }
  for (const at of [0, 1, 291]) {
    const records = Buffer.alloc(292);
    records[at] = 1;
    expect(await normalised("login-records", "var/log/lastlog", records)).toBeUndefined();
  }
  expect(await normalised("login-records", "var/log/messages", "")).toBeUndefined();
});

const packages =
  "Package: curl\nVersion: 7.88\nFilename: pool/c.deb\nDescription: a\n tool\n .\n more\n\nPackage: zlib\nVersion: 1\nFilename: pool/z.deb\n";
const release = "Origin: Debian\nDate: Sat, 11 Jul 2026 09:59:52 UTC\nSHA256:\n aa 12 main/binary-amd64/Packages\n";
const signature = "-----BEGIN PGP SIGNATURE-----\n\niQIzBAEB\nCgAdFiEE\n=Zt3k\n-----END PGP SIGNATURE-----\n";
const list = (name: string): string => `var/lib/apt/lists/mirror.example_debian_dists_bookworm_${name}`;
const status = "Package: curl\nStatus: install ok installed\nVersion: 7.88\n";
const config = "Name: tzdata/Areas\nTemplate: tzdata/Areas\nValue: Etc\nVariables:\n  choices = a, b\n\nName: a/b\n";

const nothings: readonly (readonly [name: string, path: string, content: string])[] = [
  ["apt-lists", list("main_binary-amd64_Packages"), packages],
  ["apt-lists", list("main_source_Sources"), "Package: a\nBinary: a, b\nVersion: 1\nDirectory: pool/a\n"],
  ["apt-lists", list("main_i18n_Translation-pt_BR"), "Package: a\nDescription-md5: ab\nDescription-pt_BR: x\n"],
  ["apt-lists", list("Release"), release],
  ["apt-lists", list("Release.gpg"), signature],
  ["apt-lists", list("InRelease"), `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release}${signature}`],
  ["apt-lists", "var/lib/apt/lists/lock", ""],
  ["debconf-cache", "var/cache/debconf/config.dat-old", config],
  ["debconf-cache", "var/cache/debconf/templates.dat-old", "Name: a/b\nDescription: x\n"],
  ["debconf-cache", "var/cache/debconf/passwords.dat-old", ""],
  ["dpkg-backups", "var/lib/dpkg/status-old", status],
  ["dpkg-backups", "var/lib/dpkg/available-old", packages],
  ["dpkg-backups", "var/lib/dpkg/diversions-old", "/usr/bin/a\n/usr/bin/a.real\nlinux-perf\n/b\n/c\n:\n"],
  ["dpkg-backups", "var/lib/dpkg/statoverride-old", "root messagebus 4754 /usr/lib/helper\n#0 mail 2755 /x\n"],
  ["dpkg-available", "var/lib/dpkg/available", packages],
  ["dpkg-available", "var/lib/dpkg/available", ""],
  ["dpkg-locks", "var/lib/dpkg/lock", ""],
  ["dpkg-locks", "var/lib/dpkg/triggers/Lock", ""],
  ["account-backups", "etc/passwd-", "root:x:0:0:root:/root:/bin/bash\n_apt:x:42:65534::/nonexistent:/bin/false\n"],
  ["account-backups", "etc/group-", "root:x:0:\nadm:x:4:syslog,a$\n"],
  ["account-backups", "etc/shadow-", "root:*:20240:0:99999:7:::\nsshd:!:20240::::::\nroot:::0:::::\n"],
  ["account-backups", "etc/gshadow-", "root:*::\nadm:!:root:syslog\n"],
  ["account-backups", "etc/subuid-", "user:100000:65536\n"],
];

describe("counts as nothing", () => {
  test.each(nothings)("%s %s", async (name, path, content) => {
    expect(await normalised(name, path, content)).toBe("absent");
    expect(await normalised(name, `opt/${path}`, content)).toBeUndefined();
    for (const other of [
      "#!/bin/sh\nexec evil\n",
      "\x7fELF\x02\x01\0\0",
      `${content}\0`,
      `${content}\x1b[2J: x\n`,
      "\n\n :\n",
    ])
      expect(await normalised(name, path, other)).toBeUndefined();
    if (content === "") return;
    expect(await normalised(name, path, content.slice(0, -1))).toBeUndefined();
    expect(await normalised(name, path, `${content}more\n`)).toBeUndefined();
    await survives(name, path, content);
  });

  test.each<[string, string, string]>([
    ["apt-lists", list("main_binary-amd64_Packages"), "Package: a\nVersion: 1\n"],
    ["apt-lists", list("main_binary-amd64_Packages"), packages.replace("Version: 1", "Package: 1")],
    ["apt-lists", list("main_binary-amd64_Packages"), ` continued\n${packages}`],
    ["apt-lists", list("Release"), `${release}\n${release}`],
    ["apt-lists", list("Release"), ""],
    ["apt-lists", list("Release.gpg"), signature.replace("iQIz", "i Iz")],
    ["apt-lists", list("InRelease"), release],
    [
      "apt-lists",
      list("InRelease"),
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release}${signature}evil\n`,
    ],
    ["apt-lists", list("other"), packages],
    ["apt-lists", "var/lib/apt/lists/sub/x_Packages", packages],
    ["apt-lists", "var/lib/apt/lists/lock", packages],
    ["debconf-cache", "var/cache/debconf/config.dat", config],
    ["debconf-cache", "var/cache/debconf/passwords.dat-old", "Name: a/b\nValue: secret\n"],
    ["debconf-cache", "var/cache/debconf/config.dat-old", config.replace("Name: a/b", "Nam: a/b")],
    ["dpkg-backups", "var/lib/dpkg/status", status],
    ["dpkg-backups", "var/lib/dpkg/status-old", packages],
    ["dpkg-backups", "var/lib/dpkg/diversions-old", "/a\n/b\nc\n/d\n"],
    ["dpkg-backups", "var/lib/dpkg/statoverride-old", "root root 4798 /usr/lib/helper\n"],
    ["dpkg-locks", "var/lib/dpkg/lock", "1"],
    ["account-backups", "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"],
    ["account-backups", "etc/passwd-", "root:x:0:0:root:/root\n"],
    ["account-backups", "etc/passwd-", "root:x:0:0:root:/root:/bin/bash:more\n"],
    ["account-backups", "etc/passwd-", "root:$1$abc:0:0:root:/root:/bin/bash\n"],
    ["account-backups", "etc/shadow-", "root:$6$salt$hash:20240:0:99999:7:::\n"],
    ["account-backups", "etc/shadow-", "root:*:20240:0:99999:7::\n"],
  ])("but not: %s %s %j", async (name, path, content) => {
    expect(await normalised(name, path, content)).toBeUndefined();
  });
});

describe("shadow-lastchg", () => {
  const line = (day: string, rest = "0:99999:7:::", head = "root:*"): string =>
    `${head}:${day}:${rest}\ndaemon:!:::::::\n`;
  const shadow = (content: string) => normalised("shadow-lastchg", "etc/shadow", content);

  test("takes days for one another where no age is limited", async () => {
    const plain = await shadow(line("20240"));
    expect(plain).toBe(line(""));
    for (const day of ["1", "19000", "20650", ""]) expect(await shadow(line(day))).toBe(plain);
  });

  test.each([
    ["the day that asks for a new password", line("0")],
    ["a hash", line("20240", undefined, "root:$6$a$b")],
    ["no password", line("20240", undefined, "root:")],
    ["a longest age", line("20240", "0:90:7:::")],
    ["a shortest age", line("20240", "7:99999:7:::")],
    ["a day of expiry", line("20240", "0:99999:7::20000:")],
    ["another user", line("20240", undefined, "toor:*")],
    ["another order", line("20240").split("\n").toReversed().slice(1).concat("").join("\n")],
  ])("keeps %s apart", async (_, other) => {
    expect(await shadow(other)).toBeDefined();
    expect(await shadow(other)).not.toBe(await shadow(line("20240")));
  });

  test("does not take days for one another where an age is limited", async () => {
    expect(await shadow(line("20240", "0:90:7:::"))).not.toBe(await shadow(line("20241", "0:90:7:::")));
    expect(await shadow(line("20240", "7:99999:7:::"))).not.toBe(await shadow(line("20241", "7:99999:7:::")));
  });

  test.each([
    ["a field too few", "root:*:20240:0:99999:7::\n"],
    ["a field too many", "root:*:20240:0:99999:7::::\n"],
    ["a day that is no number", "root:*:2024x:0:99999:7:::\n"],
    ["an empty line", `\n${line("1")}`],
    ["a comment", `# x\n${line("1")}`],
  ])("refuses %s", async (_, other) => {
    expect(await shadow(other)).toBeUndefined();
  });

  test("changes nothing but third fields", async () => {
    const field = fc.constantFrom("", "0", "7", "99999", "-1");
    const lines = fc.array(
      fc.tuple(fc.constantFrom("*", "!", "$6$a$b"), fc.nat(99999), fc.array(field, { minLength: 6, maxLength: 6 })),
    );
    await fc.assert(
      fc.asyncProperty(lines, async (entries) => {
        const text = entries.map(([hash, day, rest]) => `u:${hash}:${day}:${rest.join(":")}\n`).join("");
        const others = (content: string): string[] =>
          content.split("\n").map((entry) => entry.split(":").toSpliced(2, 1).join(":"));
        const plain = (await shadow(text)) ?? "";
        expect(others(plain)).toEqual(others(text));
        expect(await shadow(plain)).toBe(plain);
      }),
    );
  });

  test("survives damage", () => survives("shadow-lastchg", "etc/shadow", line("20240")));
});

describe("machine-id and random-seed", () => {
  const machine = (content: string) => normalised("machine-id", "etc/machine-id", content);

  test("every state of a machine id is one form, and nothing else is", async () => {
    const id = "0123456789abcdef0123456789abcdef";
    const form = await machine(`${id}\n`);
    for (const other of [id, "", "\n", "uninitialized\n", `${"f".repeat(32)}\n`])
      expect(await machine(other)).toBe(form);
    for (const other of [
      `${id}0`,
      id.slice(1),
      id.toUpperCase(),
      `${id}\n\n`,
      `${id}\r\n`,
      "uninitialized",
      "0".repeat(32),
      "x",
    ])
      expect(await machine(other)).toBeUndefined();
    expect(await normalised("machine-id", "var/lib/dbus/machine-id", id)).toBe(form);
    expect(await normalised("machine-id", "etc/machine-info", id)).toBeUndefined();
  });

  test("a seed is its size", async () => {
    let state = 1;
    const random = (size: number): Buffer =>
      Buffer.from(Array.from({ length: size }, () => (state = (state * 48271) % 2147483647) >> 8));
    const seed = (bytes: Buffer | string) => normalised("random-seed", "var/lib/systemd/random-seed", bytes);
    expect(await seed(random(512))).toBeDefined();
    expect(await seed(random(512))).toBe(await seed(random(512)));
    expect(await seed(random(513))).not.toBe(await seed(random(512)));
    for (const size of [0, 255, 4097]) expect(await seed(random(size))).toBeUndefined();
    expect(await seed(Buffer.alloc(512))).toBeUndefined();
    expect(await seed("#!/bin/sh\n".repeat(50))).toBeUndefined();
    expect(await normalised("random-seed", "var/lib/seed", random(512))).toBeUndefined();
  });
});

test("every class says what a person must know of it, and has its own name", () => {
  expect(new Set(systemFileClasses.map(({ name }) => name)).size).toBe(systemFileClasses.length);
  for (const { name, version, meaning, normalises, safety } of systemFileClasses) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(version).toBeGreaterThan(0);
    for (const text of [meaning, normalises, safety]) expect(text.length).toBeGreaterThan(20);
  }
});
