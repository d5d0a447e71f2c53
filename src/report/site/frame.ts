import { createHash } from "node:crypto";
import { html, type Markup, raw } from "../html/markup.ts";
import { style } from "../html/style.ts";
import { siteStyle } from "./style.ts";

const ownStyle = `${style}${siteStyle}`;
const styleHash = createHash("sha256").update(ownStyle).digest("base64");
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`;

/** One page of the site, without its frame. */
export interface PageParts {
  /** Already spelled out. */
  readonly title: string;
  readonly kicker: string;
  readonly lead: Markup;
  /** The way back up, the root first; the page itself is left out. */
  readonly trail: readonly { readonly title: string; readonly href: string }[];
  readonly body: Markup;
  /** How many folders below the root the page is. */
  readonly depth: 0 | 1 | 2;
  readonly siteTitle: string;
}

/** A whole page: it loads nothing, runs no script and allows no style but its own, named by hash. */
export function renderPage(page: PageParts): string {
  const up = "../".repeat(page.depth);
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<link rel="alternate" type="application/atom+xml" title="Changes" href="${up}feed.xml">
<title>${page.title} – ${page.siteTitle}</title>
<style>${raw(ownStyle)}</style>
</head>
<body class="site">
<a class="skip" href="#main">To the content</a>
<header>
<nav class="top" aria-label="Site"><a class="home" href="${up}index.html">${page.siteTitle}</a> <a href="${up}runs/index.html">Runs</a> <a href="${up}feed.xml">Feed</a> <a href="${up}data.json">Data</a></nav>
${trail(page)}
<p class="kicker">${page.kicker}</p>
<h1>${page.title}</h1>
<div class="lead">${page.lead}</div>
</header>
<main id="main" tabindex="-1">
${page.body}</main>
<footer><p>Equality is evaluated per platform. A platform that upstream never released is no match: it has nothing to match, and counts in no share of reproduced platforms.</p></footer>
</body>
</html>
`;
  return markup;
}

function trail({ trail: steps, title }: PageParts): Markup {
  if (steps.length === 0) return html``;
  return html`<nav class="trail" aria-label="Breadcrumb"><ol>${steps.map(({ title, href }) => html`<li><a href="${href}">${title}</a></li>`)}<li aria-current="page">${title}</li></ol></nav>`;
}
