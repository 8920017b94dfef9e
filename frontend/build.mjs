// Bundles the pages' scripts and styles: `node build.mjs OUTPUT_FOLDER`. Called by khien.web.build.
//
// Every entry is one self-contained file. Nothing is split into shared chunks, because Django gives the files their
// hashed names afterwards and would not find the imports between them.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import esbuild from "esbuild";
import * as sass from "sass";

const here = import.meta.dirname;
const output = resolve(process.argv[2] ?? join(here, "dist"));
const modules = join(here, "node_modules");

// khien: every page · charts: pages with a map or chart · scanner: pages that read a code · decoder: only when the
// browser has no barcode reader of its own · checkpoint, offline: the officer's pages ·
// worker: keeps the page without network
const ENTRIES = ["khien", "charts", "scanner", "decoder", "checkpoint", "offline", "worker"];

// Two subsets are enough for Vietnamese and English; weight 600 carries headings, 400 text.
const FONTS = ["vietnamese", "latin"].flatMap((set) => [400, 600].map((w) => `be-vietnam-pro-${set}-${w}-normal.woff2`));

// Signs that components draw in the style sheet (sorting arrows, a cross): plain shapes, no marks.
const ICONS = ["arrow-down", "arrow-up", "arrow-up-down", "cross"];

async function scripts() {
  await esbuild.build({
    entryPoints: ENTRIES.map((name) => join(here, "src", `${name}.ts`)),
    outdir: output,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
}

async function styles() {
  const { css } = sass.compile(join(here, "styles", "khien.scss"), {
    style: "compressed",
    loadPaths: [modules],
    quietDeps: true,
  });
  await writeFile(join(output, "khien.css"), css);
}

async function files() {
  await mkdir(join(output, "fonts"));
  const fonts = join(modules, "@fontsource", "be-vietnam-pro", "files");
  await Promise.all(FONTS.map((name) => cp(join(fonts, name), join(output, "fonts", name))));
  await cp(join(modules, "zxing-wasm", "dist", "reader", "zxing_reader.wasm"), join(output, "zxing_reader.wasm"));
  const icons = join(modules, "nhsuk-frontend", "dist", "nhsuk", "assets", "images");
  await Promise.all(ICONS.map((name) => cp(join(icons, `nhsuk-icon-${name}.svg`), join(output, "icons", `nhsuk-icon-${name}.svg`))));
  await cp(join(here, "assets"), output, { recursive: true });
  await licences();
}

// What the bundles contain, under which licence, with the licence's words.
async function licences() {
  const texts = [];
  for (const name of ["@fontsource/be-vietnam-pro", "nhsuk-frontend", "htmx.org", "echarts", "zrender", "zxing-wasm"]) {
    const folder = join(modules, name);
    const found = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)(\.|$)/i.test(file));
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const words = await Promise.all(found.map((file) => readFile(join(folder, file), "utf8")));
    texts.push([`${name} ${about.version} (${about.license})`, ...words].join("\n\n"));
  }
  await writeFile(join(output, "LICENCES.txt"), texts.join(`\n\n${"=".repeat(80)}\n\n`));
}

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
await Promise.all([scripts(), styles(), files()]);
