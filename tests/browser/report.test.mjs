// Uses the page of `neuralize demo --report` as a person would and compares it with the CSV files of the same run.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.NEURALIZE ?? resolve(here, "../../target/release/neuralize");
const sources = resolve(here, "../../crates/neuralize/src/report");
const scratch = mkdtempSync(join(tmpdir(), "neuralize-report-"));
const folder = process.env.REPORT_FOLDER ? resolve(process.env.REPORT_FOLDER) : scratch;
const misplaced = [60, 61, 68, 70, 73, 83, 92, 95, 118];

let browser;
let wine;
let relevance;
let predictions;
let features;

// ---------------------------------------------------------------- helpers

const parseCsv = (text) => {
  const [header, ...lines] = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(header.map((name, at) => [name, Number(cells[at])])));
};

const readTable = (name) => parseCsv(readFileSync(join(folder, name), "utf8"));
const pageText = (file = "wine.html") => readFileSync(join(folder, file), "utf8");
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers) => sum(numbers) / numbers.length;
/** The number that a text of the page begins with: its minus, the thin spaces between thousands and a per cent sign are for people. */
const numberIn = (text) => Number.parseFloat(text.replaceAll("−", "-").replaceAll("\u202f", ""));

function close(actual, expected, tolerance, what) {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not ${expected}`);
}

/** A test with a page of its own, which must ask for nothing but its file and complain about nothing. */
function pageTest(title, { change, file = "wine.html", hash = "", skip = false, ...options }, body) {
  test(title, { skip }, async () => {
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 1600, height: 1000 },
      colorScheme: "light",
      reducedMotion: "reduce",
      ...options,
    });
    try {
      const page = await context.newPage();
      const address = pathToFileURL(change ? rewritten(change) : join(folder, file)).href;
      const noise = [];
      page.on("request", (request) => {
        const { protocol } = new URL(request.url());
        if (request.url().split("#")[0] !== address && !["blob:", "data:"].includes(protocol))
          noise.push(request.url());
      });
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) noise.push(message.text());
      });
      page.on("pageerror", (error) => noise.push(error.stack));
      page.setDefaultTimeout(5000);
      await page.goto(address + hash);
      await body(page);
      assert.deepEqual(noise, []);
    } finally {
      await context.close();
    }
  });
}

/** Asked of the page itself: `page.url()` is told of a new hash only afterwards. */
const openHash = (page) => page.evaluate(() => location.hash);
const heading = (page) => page.locator("#point-heading").textContent();
const tableRows = (page) =>
  page.$$eval("#point-table tbody tr", (rows) => rows.map((row) => Number(row.dataset.row)));
const barValues = (page, kind) =>
  page.$$eval(`#bars .bar.${kind}`, (bars) =>
    Object.fromEntries(bars.map((bar) => [bar.dataset.feature, Number(bar.dataset.value)])),
  );

/** Every chart in sight is drawn for the width it has; the page follows a change of the window in the next frame. */
async function drawn(page) {
  await page.waitForFunction(() => {
    const charts = [...document.querySelectorAll(".plot, .chart")].filter((chart) => chart.checkVisibility());
    const widths = charts.map((chart) => chart.querySelector("svg")?.viewBox.baseVal.width);
    return charts.every((chart, at) => chart.clientWidth > 0 && chart.clientWidth === widths[at]);
  });
}

async function opened(page, row) {
  await page.waitForFunction(
    (wanted) => document.querySelector("#point-heading").textContent === wanted,
    `Point ${row}`,
  );
}

async function centreOf(page, row) {
  const point = page.locator(`.point[data-row="${row}"]`);
  await point.scrollIntoViewIfNeeded();
  const box = await point.boundingBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

async function clickPoint(page, row) {
  await page.mouse.click(...(await centreOf(page, row)));
}

/** The page shows the relevances of this row, all of them, as relevance.csv has them. */
async function assertRelevances(page, row) {
  await opened(page, row);
  const shown = await barValues(page, "relevance");
  assert.deepEqual(Object.keys(shown).sort(), [...features].sort());
  for (const name of features)
    close(shown[name], relevance[row][name], 1e-6, `relevance of ${name} at ${row}`);
}

/** Scaled as the demonstration scales: every feature to the range 0 to 1. */
function scaledWine() {
  const ranges = features.map((name) => {
    const column = wine.map((row) => row[name]);
    return [name, Math.min(...column), Math.max(...column)];
  });
  return wine.map((row) =>
    Object.fromEntries(ranges.map(([name, low, high]) => [name, (row[name] - low) / (high - low)])),
  );
}

/** What a contrast must be, from the data and the clusters alone: how much nearer the own centre is. */
function contrastOf(row, other) {
  const scaled = scaledWine();
  const centre = (cluster, name) =>
    mean(scaled.filter((_, at) => predictions[at].cluster === cluster).map((each) => each[name]));
  const own = predictions[row].cluster;
  return Object.fromEntries(
    features.map((name) => [
      name,
      (scaled[row][name] - centre(other, name)) ** 2 - (scaled[row][name] - centre(own, name)) ** 2,
    ]),
  );
}

/** The page with other data in it, written as the program writes them. */
function rewritten(change) {
  const text = pageText();
  const open = '<script type="application/json" id="report-data">';
  const from = text.indexOf(open) + open.length;
  const to = text.indexOf("</script>", from);
  const report = JSON.parse(text.slice(from, to));
  change(report);
  const path = join(scratch, `${change.name}.html`);
  writeFileSync(
    path,
    text.slice(0, from) + JSON.stringify(report).replaceAll("<", "\\u003c") + text.slice(to),
  );
  return path;
}

/** The data in the page, as the program wrote them. */
function reportData(file) {
  const text = pageText(file);
  const open = '<script type="application/json" id="report-data">';
  const from = text.indexOf(open) + open.length;
  return JSON.parse(text.slice(from, text.indexOf("</script>", from)));
}

const members = (cluster) => wine.filter((_, at) => predictions[at].cluster === cluster);
const column = (rows, name) => rows.map((row) => row[name]);
/** Standard deviation with a divisor of n − less. */
const deviation = (numbers, less = 0) =>
  Math.sqrt(sum(numbers.map((number) => (number - mean(numbers)) ** 2)) / (numbers.length - less));

/** A share as the page writes it. */
const percentText = (share) => `${Math.round(100 * share)}\u00a0%`;

/** A sentence of the program as the page writes it: thousands apart from 10 000 on, and per cent signs beside their numbers. */
const asWritten = (text) =>
  text.replace(/(?<![\d\u202f])(\d)\u202f(\d{3})(?![\d\u202f])/g, "$1$2").replace(/(\d) %/g, "$1\u00a0%");

/** A number that a text rounds: it differs by at most half of its last digit. */
function roundsTo(text, number, what) {
  const decimals = text.includes(".") ? text.split(".")[1].length : 0;
  close(numberIn(text), number, 0.5001 * 10 ** -decimals, what);
}

const clusters = () => [...new Set(predictions.map((row) => row.cluster))].sort((a, b) => a - b);

// ---------------------------------------------------------------- start and end

/** A page of ten clusters of the wines, of which most do not come back when rows are drawn again. */
function makeTen() {
  const [data, model, output] = ["wine.csv", "ten", "ten.html"].map((name) => join(folder, name));
  execFileSync(program, ["fit", data, "--drop", "target", "--clusters", "10", "--model", model], { stdio: "pipe" });
  execFileSync(program, ["report", data, "--model", model, "--output", output], { stdio: "pipe" });
}

before(async () => {
  if (!process.env.REPORT_FOLDER) {
    execFileSync(program, ["demo", "--out", folder, "--report", join(folder, "wine.html")], {
      stdio: "pipe",
    });
    makeTen();
  }
  wine = readTable("wine.csv");
  relevance = readTable("relevance.csv");
  predictions = readTable("predictions.csv");
  features = Object.keys(wine[0]).filter((name) => name !== "target");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
});

// ---------------------------------------------------------------- the file

test("the file is small and names no host outside D3", () => {
  assert.ok(statSync(join(folder, "wine.html")).size < 3e6);
  const library = readFileSync(join(sources, "d3.min.js"), "utf8").trim();
  const text = pageText();
  assert.ok(text.includes(library), "D3 is embedded whole");
  assert.doesNotMatch(text.replace(library, ""), /https?:\/\//);
  const plain = (words) => words.replace(/\s+/g, " ");
  for (const paragraph of readFileSync(join(sources, "d3.LICENSE"), "utf8").trim().split("\n\n")) {
    assert.ok(plain(text).includes(plain(paragraph)), "the licence of D3 is in the file");
  }
});

pageTest("loads, and holds no handler in an attribute", {}, async (page) => {
  assert.equal(await page.locator(".point").count(), wine.length);
  assert.equal(await page.locator("#count").textContent(), `${wine.length} of ${wine.length} points shown`);
  assert.match(await page.locator("#lead").textContent(), /^178 rows in 3 clusters, found by .* 13 features: /);
  assert.ok((await page.locator("#trust-words li").count()) > 0);
  const handlers = await page.$$eval("*", (all) =>
    all.flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith("on")),
  );
  assert.deepEqual(handlers, []);
  const levels = await page.$$eval("h1, h2, h3, h4", (all) =>
    all.map((element) => Number(element.tagName[1])),
  );
  assert.equal(levels[0], 1);
  levels
    .slice(1)
    .forEach((level, at) => assert.ok(level <= levels[at] + 1, "no level of heading is skipped"));
});

// ---------------------------------------------------------------- the point

pageTest("a click on a point of the map shows its relevances", {}, async (page) => {
  for (const row of [70, 0, 131, 177, ...misplaced]) {
    await clickPoint(page, row);
    await assertRelevances(page, row);
    assert.equal(await openHash(page), `#point=${row}`);
  }
});

pageTest("a click on a row of the table shows its relevances", {}, async (page) => {
  for (const row of [3, 21, 49]) {
    await page.locator(`#point-table tr[data-row="${row}"] td.features`).click();
    await assertRelevances(page, row);
    assert.equal(
      await page.locator("#point-table tr[aria-current='true']").getAttribute("data-row"),
      String(row),
    );
    assert.ok(
      await page
        .locator("#point-heading")
        .evaluate(
          (element) =>
            element.getBoundingClientRect().top >= 0 && element.getBoundingClientRect().bottom <= innerHeight,
        ),
    );
  }
});

pageTest("the values are those of the data, in their own units", {}, async (page) => {
  for (const row of [70, 118, 5]) {
    await clickPoint(page, row);
    await opened(page, row);
    const exact = await barValues(page, "value");
    const rows = await page.$$eval("#bars .row", (all) =>
      all.map((each) => [
        each.querySelector(".bar.value").dataset.feature,
        each.querySelector(".number.plain").textContent,
      ]),
    );
    assert.equal(rows.length, features.length);
    for (const [name, text] of rows) {
      assert.equal(exact[name], wine[row][name]);
      assert.equal(numberIn(text), wine[row][name]);
    }
  }
});

pageTest(
  "bars are as long as their relevances, on the side of their sign",
  { hash: "#point=70" },
  async (page) => {
    const bars = await page.$$eval("#bars .bar.relevance", (all) =>
      all.map((bar) => {
        const { left, right, width } = bar.getBoundingClientRect();
        return {
          left,
          right,
          width,
          value: Number(bar.dataset.value),
          kind: bar.classList.contains("for") ? 1 : -1,
        };
      }),
    );
    const scale = bars[0].width / Math.abs(bars[0].value);
    const zero = bars[0].value > 0 ? bars[0].left : bars[0].right;
    for (const { left, right, width, value, kind } of bars) {
      close(width, scale * Math.abs(value), 0.1, "length of a bar");
      close(value > 0 ? left : right, zero, 0.1, "start of a bar");
      assert.equal(kind, Math.sign(value));
    }
    const sizes = bars.map(({ value }) => Math.abs(value));
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => b - a),
    );

    // The scale is fitted to the point, so that its largest relevance is well visible; or it is the same for all.
    const scales = async () => {
      const found = [];
      for (const row of [70, 0]) {
        await clickPoint(page, row);
        await opened(page, row);
        found.push(
          await page.$eval("#bars .bar.relevance", (bar) => {
            const { width } = bar.getBoundingClientRect();
            return { width, scale: width / Math.abs(bar.dataset.value) };
          }),
        );
      }
      return found;
    };
    const fitted = await scales();
    close(fitted[0].scale / scale, 1, 1e-3, "scale of the point");
    close(fitted[0].width, fitted[1].width, 0.1, "the strongest relevance of every point is as long");
    assert.ok(Math.abs(fitted[0].scale / fitted[1].scale - 1) > 0.05, "the scales differ");
    await page.locator("#relevance-scale").selectOption("all");
    const same = await scales();
    close(same[0].scale / same[1].scale, 1, 1e-3, "scale, the same for all points");
  },
);

pageTest("the waterfall goes from nothing to the logit", { hash: "#point=70" }, async (page) => {
  const steps = await page.$$eval("#waterfall .step", (all) =>
    all.map((bar) => {
      const { left, right } = bar.getBoundingClientRect();
      return { value: Number(bar.dataset.value), left, right };
    }),
  );
  const total = steps.pop();
  assert.equal(steps.length, features.length);
  close(total.value, relevance[70].logit, 1e-6, "logit");
  close(sum(steps.map((step) => step.value)), total.value, 1e-6, "sum of the steps");
  const start = ({ value, left, right }) => (value > 0 ? left : right);
  const end = ({ value, left, right }) => (value > 0 ? right : left);
  close(start(steps[0]), start(total), 0.1, "start of the first step");
  steps.slice(1).forEach((step, at) => close(start(step), end(steps[at]), 0.1, "start of a step"));
  close(end(steps.at(-1)), end(total), 0.1, "end of the last step");
});

pageTest("against one cluster: the contrast of the data, and another than against all", {}, async (page) => {
  for (const row of [70, 0, 118]) {
    await clickPoint(page, row);
    await opened(page, row);
    const all = await barValues(page, "relevance");
    const sentence = new Set();
    for (const other of clusters().filter((cluster) => cluster !== predictions[row].cluster)) {
      await page.locator("#question").selectOption(String(other));
      const shown = await barValues(page, "relevance");
      const expected = contrastOf(row, other);
      for (const name of features)
        close(shown[name], expected[name], 1e-6, `${name} at ${row} against ${other}`);
      const total = await page.locator("#waterfall .total").getAttribute("data-value");
      close(sum(Object.values(shown)), Number(total), 1e-5, "sum of a contrast");
      close(Number(total), sum(Object.values(expected)), 1e-6, "logit of a contrast");
      assert.ok(features.some((name) => Math.abs(shown[name] - all[name]) > 1e-3));
      assert.equal(await openHash(page), `#point=${row}&versus=${other}`);
      sentence.add(await page.locator("#sentence").textContent());
    }
    assert.equal(sentence.size, clusters().length - 1);
    await page.locator("#question").selectOption("");
    const againstAll = await page.locator("#sentence").textContent();
    assert.ok(againstAll.startsWith(`In cluster ${predictions[row].cluster} rather than any other`), againstAll);
    const strongest = features.reduce((most, name) => (all[name] > all[most] ? name : most));
    assert.ok(againstAll.includes(` because of ${strongest} (`) || againstAll.includes(`the largest being ${strongest} (`), againstAll);
    assert.deepEqual(await barValues(page, "relevance"), all);
  }
});

pageTest("order of features and numbers as a table", { hash: "#point=70" }, async (page) => {
  await page.locator("#feature-order").selectOption("data");
  assert.deepEqual(Object.keys(await barValues(page, "relevance")), features);
  await page.locator("#numbers summary").click();
  assert.ok(await page.locator("#numbers table").isVisible());
  const numbers = () =>
    page.$$eval("#numbers tbody tr", (all) =>
      all.map((row) => [...row.children].map((cell) => cell.textContent)),
    );
  const rows = await numbers();
  assert.deepEqual(
    rows.map(([name]) => name),
    features,
  );
  for (const [name, value, shown] of rows) {
    assert.equal(numberIn(value), wine[70][name]);
    close(numberIn(shown), relevance[70][name], 5.1e-5, name);
  }
  await page.locator("#numbers summary").click();
  await clickPoint(page, 0);
  await opened(page, 0);
  const atOnce = await page.$eval("#numbers", (box) => {
    box.querySelector("summary").click();
    return [...box.querySelectorAll("tbody td:nth-child(2)")].map((cell) => cell.textContent);
  });
  assert.deepEqual(
    atOnce.map(numberIn),
    features.map((name) => wine[0][name]),
    "whole as soon as it is open",
  );
});

// ---------------------------------------------------------------- find and filter

pageTest("misclassified only leaves exactly nine", {}, async (page) => {
  await page.locator("#filter-misplaced").check();
  assert.deepEqual(await tableRows(page), misplaced);
  assert.deepEqual(
    await page.$$eval(".point:not(.faded)", (points) =>
      points.map((point) => Number(point.dataset.row)).sort((a, b) => a - b),
    ),
    misplaced,
  );
  assert.equal(await page.locator("#count").textContent(), "9 of 178 points shown");
  const before = await heading(page);
  await clickPoint(page, 0);
  assert.equal(await heading(page), before, "a faded point cannot be hit");
  await clickPoint(page, 70);
  await opened(page, 70);
  await page.locator("#next").click();
  await opened(page, 73);
  await page.locator("#clear").click();
  assert.equal(await page.locator(".point.faded").count(), 0);
});

pageTest("filters by cluster and by probability", {}, async (page) => {
  const expected = (keep) => predictions.filter(keep).map((row) => row.index);
  for (const cluster of clusters()) {
    await page.locator("#filter-cluster").selectOption(String(cluster));
    const rows = expected((row) => row.cluster === cluster);
    assert.deepEqual(await tableRows(page), rows.slice(0, 50));
    assert.equal(await page.locator("#count").textContent(), `${rows.length} of 178 points shown`);
  }
  await page.locator("#filter-probability").fill("0.55");
  const both = expected((row) => row.cluster === clusters().at(-1) && row.probability <= 0.55);
  assert.ok(both.length > 0 && both.length < 50);
  assert.deepEqual(await tableRows(page), both);
  await page.locator("#filter-cluster").selectOption("");
  const some = expected((row) => row.probability <= 0.55);
  assert.deepEqual(
    await page.$$eval(".point:not(.faded)", (points) =>
      points.map((point) => Number(point.dataset.row)).sort((a, b) => a - b),
    ),
    some,
  );
});

pageTest("finds a row by its number, and says when there is none", {}, async (page) => {
  const find = page.locator("#find");
  await find.fill("118");
  await find.press("Enter");
  await assertRelevances(page, 118);
  await find.fill("178");
  await page.locator("#open").click();
  assert.match(await page.locator("#find-message").textContent(), /no row 178.*0 to 177/);
  assert.equal(await heading(page), "Point 118");
  await find.fill("-1.5");
  await find.press("Enter");
  assert.match(await page.locator("#find-message").textContent(), /row number/);
  await find.fill("7");
  await find.press("Enter");
  await opened(page, 7);
  assert.equal(await page.locator("#find-message").textContent(), "");
});

// ---------------------------------------------------------------- the tables

async function allPages(page) {
  const rows = await tableRows(page);
  while ((await page.locator("#page-on").getAttribute("aria-disabled")) !== "true") {
    await page.locator("#page-on").click();
    rows.push(...(await tableRows(page)));
  }
  return rows;
}

pageTest("the table sorts by probability, both ways, on all its pages", {}, async (page) => {
  const header = page.locator("#point-table th", { hasText: "Probability" });
  const ascending = [...predictions].sort((a, b) => a.logit - b.logit).map((row) => row.index);
  await header.locator("button").click();
  assert.equal(await header.getAttribute("aria-sort"), "ascending");
  assert.deepEqual(await allPages(page), ascending);
  assert.ok(await page.locator("#ambiguous-first").isChecked());
  await header.locator("button").click();
  assert.equal(await header.getAttribute("aria-sort"), "descending");
  assert.deepEqual(await allPages(page), [...ascending].reverse());
  assert.equal(await page.locator("#point-table [aria-sort]:not([aria-sort='none'])").count(), 1);
});

pageTest("the table says of a point what the files say", {}, async (page) => {
  const rows = await page.$$eval("#point-table tbody tr", (all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent.trim())),
  );
  assert.equal(rows.length, 50);
  rows.forEach(([row, cluster, kind, probability, logit, , strongest], at) => {
    assert.deepEqual([row, cluster, kind], [at, predictions[at].cluster, wine[at].target].map(String));
    if (predictions[at].probability >= 0.9995) assert.equal(probability, "> 0.999");
    else close(Number(probability), predictions[at].probability, 6e-4, "probability");
    close(Number(logit), predictions[at].logit, 6e-4, "logit");
    const [most] = [...features].sort((a, b) => Math.abs(relevance[at][b]) - Math.abs(relevance[at][a]));
    assert.ok(strongest.startsWith(most));
  });
});

async function download(page) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#download").click()]);
  return readFileSync(await file.path(), "utf8");
}

pageTest(
  "the download holds the relevances of the file, for the points that pass the filter",
  {},
  async (page) => {
    const text = await download(page);
    assert.equal(
      text.split("\n")[0],
      ["index", "cluster", "logit", "probability", "class", ...features].join(","),
    );
    const rows = parseCsv(text);
    assert.equal(rows.length, wine.length);
    rows.forEach((row, at) => {
      assert.deepEqual([row.index, row.cluster, row.class], [at, relevance[at].cluster, wine[at].target]);
      close(row.probability, predictions[at].probability, 1e-6, "probability");
      for (const name of ["logit", ...features])
        close(row[name], relevance[at][name], 1e-12, `${name} at ${at}`);
    });
    await page.locator("#filter-misplaced").check();
    assert.deepEqual(
      parseCsv(await download(page)).map((row) => row.index),
      misplaced,
    );
  },
);

pageTest("the table of features has the means over the relevances of the file", {}, async (page) => {
  const magnitude = (name) => mean(relevance.map((row) => Math.abs(row[name])));
  const rows = () =>
    page.$$eval("#feature-table tbody tr", (all) =>
      all.map((row) => [row.children[0].textContent, Number(row.children[1].textContent)]),
    );
  const strongest = [...features].sort((a, b) => magnitude(b) - magnitude(a));
  assert.deepEqual(
    (await rows()).map(([name]) => name),
    strongest,
  );
  for (const [name, value] of await rows()) close(value, magnitude(name), 5.1e-5, `mean size of ${name}`);
  await page.locator("#feature-table th button", { hasText: "Feature" }).click();
  assert.deepEqual(
    (await rows()).map(([name]) => name),
    [...features].sort(),
  );
});

// ---------------------------------------------------------------- what was found

/** Of every cluster, the rows whose logit is below a tenth of the median. */
const ambiguousRows = () =>
  clusters().map((cluster) => {
    const own = predictions.filter((row) => row.cluster === cluster);
    const logits = column(own, "logit").sort((a, b) => a - b);
    const middle = (logits[Math.floor((logits.length - 1) / 2)] + logits[Math.floor(logits.length / 2)]) / 2;
    return own.filter(({ logit }) => logit < middle / 10).map(({ index }) => index);
  });

pageTest(
  "the first screen says how many clusters, how large, what they are, and how sure",
  { viewport: { width: 1400, height: 900 } },
  async (page) => {
    const sizes = clusters().map((cluster) => members(cluster).length);
    const lines = await page.$$eval("#found-clusters li", (all) =>
      all.map((line) => ({
        name: line.querySelector(".cluster-name").textContent,
        size: line.querySelector(".size").textContent,
        bar: line.querySelector(".size-bar span").getBoundingClientRect().width,
        words: line.querySelector(".found-words").textContent,
      })),
    );
    assert.equal(lines.length, clusters().length);
    lines.forEach(({ name, size, bar, words }, cluster) => {
      assert.ok(name.startsWith(`Cluster ${cluster}`));
      assert.equal(size, `${sizes[cluster]} rows, ${percentText(sizes[cluster] / wine.length)}`);
      close(bar / lines[0].bar, sizes[cluster] / sizes[0], 0.02, "length of the bar of a size");
      assert.ok(features.some((feature) => words.includes(feature)), "a sentence on the features");
      const [, own, overall] = /\(([\d\u202f.−]+)(?: on average)?, ([\d\u202f.−]+)/.exec(words);
      const named = features.find((feature) => words.includes(`${feature} (${own}`));
      roundsTo(own, mean(column(members(cluster), named)), `mean of ${named}`);
      roundsTo(overall, mean(column(wine, named)), `overall mean of ${named}`);
    });

    const ambiguous = ambiguousRows().map((rows) => rows.length);
    const sure = await page.locator("#sure").textContent();
    const all = sum(ambiguous);
    assert.ok(all > 0);
    assert.match(sure, new RegExp(`${all} of 178 rows? (is|are) ambiguous \\(${Math.round((100 * all) / 178)}\\s%\\)`));
    const isOneMost = Math.max(...ambiguous) > all / 2;
    assert.match(sure, isOneMost ? /(it is|all are|most are) in cluster \d,/ : /they are in clusters \d(, \d)* and \d,/);
    assert.match(sure, /169 of 178 rows are in the cluster of their class/);
    assert.match(await page.locator("#overview-note").textContent(), /shows (only )?\d+\s% of the variance/);
    for (const part of ["#lead", "#found-clusters", "#sure", "#overview svg"]) {
      const { bottom } = await page.locator(part).evaluate((element) => element.getBoundingClientRect());
      assert.ok(bottom <= 900, `${part} ends at ${bottom}`);
    }
  },
);

pageTest("ambiguous rows have a faint fill on both maps, and the captions say so", {}, async (page) => {
  const ambiguous = ambiguousRows();
  const marked = await page.$$eval(".point.ambiguous", (all) => all.map((point) => Number(point.dataset.row)));
  assert.deepEqual(marked.sort((a, b) => a - b), ambiguous.flat().sort((a, b) => a - b));
  const [row] = ambiguous.flat();
  const fillOf = (at) => page.$eval(`.point[data-row="${at}"]`, (point) => getComputedStyle(point).fill);
  const other = predictions.findIndex(({ cluster, index }) => cluster === predictions[row].cluster && !marked.includes(index));
  assert.notEqual(await fillOf(row), await fillOf(other));
  // Every symbol of a path begins with a move.
  const drawnOver = await page.$$eval("#overview .ambiguous", (all) => all.map((path) => path.getAttribute("d").split("M").length - 1));
  assert.deepEqual(drawnOver, ambiguous.map((rows) => rows.length));
  for (const caption of ["#legend", "#overview-note"]) assert.match(await page.locator(caption).textContent(), /faint fill/);
  await page.mouse.move(...(await centreOf(page, row)));
  assert.match(await page.locator("#tip").textContent(), /; ambiguous/);
});

/** The page lists some of the rows only. */
function someListed(report) {
  report.total = 1000;
}

pageTest("no row is marked as ambiguous if not all are listed", { change: someListed }, async (page) => {
  assert.equal(await page.locator(".point.ambiguous").count(), 0);
  for (const caption of ["#legend", "#overview-note"]) assert.doesNotMatch(await page.locator(caption).textContent(), /faint/);
});

/** As many clusters as wanted, with long sentences; the points are in the first three. */
function withClusters(report, number) {
  const many = (list) => Array.from({ length: number }, (_, at) => structuredClone(list[at % list.length]));
  report.clusters = many(report.clusters).map((cluster, at) => ({ ...cluster, cluster: at, ambiguous: [0, 1, 2] }));
  report.profile.clusters = many(report.profile.clusters);
  report.profile.clusters.forEach((cluster) => (cluster.sentence = Array(5).fill(cluster.sentence).join(" ")));
  report.plane.centroids = many(report.plane.centroids);
  report.profile.classes = null;
  Object.assign(report, { classes: null, label: null, agreeing: null });
  Object.assign(report.listed, { class: null, misplaced: null });
}

const sixClusters = (report) => withClusters(report, 6);
const tenClusters = (report) => withClusters(report, 10);

for (const change of [sixClusters, tenClusters]) {
  pageTest(`${change.name} are on the first screen`, { change, viewport: { width: 1400, height: 900 } }, async (page) => {
    for (const part of ["#found-clusters", "#sure", "#overview svg"]) {
      const { bottom } = await page.locator(part).evaluate((element) => element.getBoundingClientRect());
      assert.ok(bottom <= 900, `${part} ends at ${bottom}`);
    }
    assert.equal(await page.locator("#found-clusters li .size").count(), change === tenClusters ? 10 : 6);
    const line = page.locator("#found-clusters li").nth(3);
    const words = line.locator(".found-words span");
    const isWhole = () => words.evaluate((element) => element.scrollHeight <= element.clientHeight + 1);
    const place = () => line.evaluate((element) => element.getBoundingClientRect().height);
    assert.ok(!(await isWhole()), "a long sentence is cut");
    const before = await place();
    await line.hover();
    assert.ok(await isWhole(), "whole under the pointer");
    await page.mouse.move(1, 1);
    assert.ok(!(await isWhole()));
    await line.locator("a").focus();
    assert.ok(await isWhole(), "whole with the focus");
    assert.equal(await place(), before, "nothing moves");
    await page.keyboard.press("Enter");
    const card = page.locator(".card").nth(3);
    assert.equal(await card.locator(".card-words").innerText(), await words.textContent());
    await page.waitForFunction(() => document.querySelector("#cluster-3").getBoundingClientRect().top < 100);
  });
}

/** Row 70 is a cluster of its own, at its centroid. */
function clusterOfOne(report) {
  const decoded = (name) => Buffer.from(report.listed[name], "base64");
  const [own, x, y] = ["cluster", "x", "y"].map(decoded);
  wine.forEach((_, row) => own.writeUInt32LE(row === 70 ? 2 : row % 2, 4 * row));
  report.listed.cluster = own.toString("base64");
  report.plane.centroids[2] = [x.readFloatLE(4 * 70), y.readFloatLE(4 * 70)];
}

pageTest("the only row of a cluster is not under the name of the cluster", { change: clusterOfOne, hash: "#point=0" }, async (page) => {
  const [left, top] = await centreOf(page, 70);
  const marks = await page.$$eval("#map .centroid", (all) =>
    all.map((each) => ({
      cross: each.querySelector("path").checkVisibility(),
      name: each.querySelector("text").getBoundingClientRect(),
    })),
  );
  assert.deepEqual(marks.map(({ cross }) => cross), [true, true, false]);
  assert.ok(marks[2].name.left > left + 4 && Math.abs(marks[2].name.top - top) < 30, "the name is beside the row");
  const { mark, name } = await page.evaluate(() => ({
    mark: document.querySelectorAll("#overview .members")[2].getBoundingClientRect(),
    name: document.querySelectorAll("#overview .centroid text")[2].getBoundingClientRect(),
  }));
  assert.ok(mark.width > 3 && (name.left >= mark.right || name.right <= mark.left), "the name is beside the mark");
  assert.ok(Math.abs(name.left - mark.left) < 30);
});

pageTest("a click on the first map opens the row under it", {}, async (page) => {
  const { points, box } = await page.evaluate(() => {
    const svg = document.querySelector("#overview svg");
    svg.scrollIntoView();
    const { left, top, width } = svg.getBoundingClientRect();
    return { points: [...document.querySelectorAll("#overview .members")].map((path) => path.getAttribute("d")), box: { left, top, width } };
  });
  assert.equal(points.length, clusters().length);
  const size = await page.locator("#overview svg").evaluate((svg) => svg.viewBox.baseVal.width);
  // The first mark of the first cluster is its first row: a circle begins at its right end.
  const [, x, y] = /^M([\d.]+),([\d.]+)/.exec(points[0]);
  const scale = box.width / size;
  await page.mouse.click(box.left + (Number(x) - 3) * scale, box.top + Number(y) * scale);
  await assertRelevances(page, predictions.findIndex((row) => row.cluster === 0));
});

// ---------------------------------------------------------------- what each cluster is

pageTest("cards: bars of high and low are those of the data", {}, async (page) => {
  const cards = await page.$$eval(".card", (all) =>
    all.map((card) => ({
      heading: card.querySelector(".card-head").textContent,
      rows: [...card.querySelectorAll(".numbers .row")].map((row) => {
        const bar = row.querySelector(".bar");
        const { left, width } = bar.getBoundingClientRect();
        return {
          name: bar.dataset.feature,
          value: Number(bar.dataset.value),
          left,
          width,
          isHigh: bar.classList.contains("high"),
          own: row.querySelector(".own").textContent,
          overall: row.querySelector(".plain").textContent,
        };
      }),
      sides: [...card.querySelectorAll(".numbers .hint")].map((text) => text.textContent),
    })),
  );
  assert.equal(cards.length, clusters().length);
  cards.forEach(({ heading: title, rows, sides }, cluster) => {
    assert.ok(title.includes(`${members(cluster).length} rows`));
    assert.ok(sides.includes("← low") && sides.includes("high →"), "high and low in words");
    assert.ok(rows.length >= 5);
    const zero = Math.min(...rows.filter((row) => row.isHigh).map((row) => row.left));
    const scale = rows[0].width / Math.abs(rows[0].value);
    for (const { name, value, left, width, isHigh, own, overall } of rows) {
      const [here, everywhere] = [column(members(cluster), name), column(wine, name)];
      close(value, (mean(here) - mean(everywhere)) / deviation(everywhere), 1e-6, `difference of ${name}`);
      assert.equal(isHigh, value > 0);
      close(width, scale * Math.abs(value), 0.1, "length of a bar");
      if (rows.some((row) => row.isHigh)) close(isHigh ? left : left + width, zero, 0.1, "start of a bar");
      roundsTo(own, mean(here), `mean of ${name}`);
      roundsTo(overall, mean(everywhere), `overall mean of ${name}`);
    }
  });
});

pageTest("cards: rows to look at, rule, and what sets a cluster apart", {}, async (page) => {
  const cards = await page.$$eval(".card", (all) =>
    all.map((card) => ({
      facts: Object.fromEntries(
        [...card.querySelectorAll(".card-facts > div")].map((line) => [
          line.querySelector("dt").textContent,
          line.querySelector("dd").textContent,
        ]),
      ),
      links: [...card.querySelectorAll("a[data-row]")].map((link) => [Number(link.dataset.row), link.hash]),
    })),
  );
  const { profile } = reportData();
  cards.forEach(({ facts, links }, cluster) => {
    assert.ok(links.length >= 6);
    for (const [row, hash] of links) {
      assert.equal(predictions[row].cluster, cluster);
      assert.equal(hash, `#point=${row}`);
    }
    const own = relevance.filter((row) => row.cluster === cluster);
    const logit = mean(own.map((row) => row.logit));
    const strongest = [...features].sort((a, b) => mean(column(own, b)) - mean(column(own, a)));
    const apart = strongest.slice(0, 3).map((name) => `${name} (${percentText(mean(column(own, name)) / logit)})`);
    assert.ok(facts["Set apart by"].startsWith(apart.join(", ")), facts["Set apart by"]);
    const { rule } = profile.clusters[cluster];
    assert.ok(facts["Rule, approximate"].includes(asWritten(rule.text)));
    const conditions = rule.text.slice(0, rule.text.lastIndexOf(":")).split(" and ");
    const holds = (row) =>
      conditions.every((condition) => {
        const number = (text) => numberIn(text);
        const between = /^([\d\u202f.−]+) < (.+) ≤ ([\d\u202f.−]+)$/.exec(condition);
        if (between) return row[between[2]] > number(between[1]) && row[between[2]] <= number(between[3]);
        const [, name, sign, limit] = /^(.+) (>|≤) ([\d\u202f.−]+)$/.exec(condition);
        return sign === ">" ? row[name] > number(limit) : row[name] <= number(limit);
      });
    const found = wine.filter(holds);
    const right = members(cluster).filter(holds);
    close(right.length / members(cluster).length, rule.coverage, 1e-9, "coverage");
    close(right.length / found.length, rule.precision, 1e-9, "precision");
  });
  const [row] = cards[0].links[0];
  await page.locator(".card a[data-row]").first().click();
  await assertRelevances(page, row);
});

pageTest("cards: mean relevances are those of the file, on demand", {}, async (page) => {
  for (const summary of await page.locator(".card summary").all()) await summary.click();
  await drawn(page);
  const cards = await page.$$eval(".card", (all) =>
    all.map((card) => [...card.querySelectorAll(".bar.mean")].map((bar) => [bar.dataset.feature, Number(bar.dataset.value)])),
  );
  cards.forEach((means, cluster) => {
    assert.equal(means.length, features.length);
    const own = relevance.filter((row) => row.cluster === cluster);
    for (const [name, value] of means) close(value, mean(column(own, name)), 1e-6, `mean of ${name}`);
  });
});

/** Shares of a category, and of the yes of a flag, in every cluster. */
function withShares(report) {
  report.kinds = report.features.map(() => ({ kind: "number" }));
  report.kinds[0] = { kind: "category", values: ["red", "white"] };
  report.kinds[1] = { kind: "flag" };
  for (const cluster of report.profile.clusters) {
    cluster.columns = [
      { feature: 0, value: "red", own: 0.97, overall: 0.625, median: null, difference: 0.7, v: 6.1 },
      { feature: 0, value: "white", own: 0.03, overall: 0.375, median: null, difference: -0.7, v: -6.1 },
      { feature: 1, value: "yes", own: 0, overall: 0.004, median: null, difference: -0.1, v: null },
      ...cluster.columns.filter(({ feature }) => feature > 1),
    ];
  }
}

pageTest("cards: shares of categories beside those of all rows", { change: withShares }, async (page) => {
  const rows = await page.locator(".card").first().locator(".values .row").evaluateAll((all) =>
    all.map((row) => [
      row.querySelector(".name").firstChild.textContent,
      row.querySelector(".own").textContent,
      row.querySelector(".plain").textContent,
      row.querySelector(".bar").classList.contains("high"),
    ]),
  );
  assert.deepEqual(rows, [
    [`${features[0]}: red`, "97\u00a0%", "63\u00a0%", true],
    [`${features[0]}: white`, "3\u00a0%", "38\u00a0%", false],
    [`${features[1]}: yes`, "0\u00a0%", "under\u00a01\u00a0%", false],
  ]);
  const [bar, line] = await page.$$eval(".card .values .row", ([row]) =>
    [".bar", ".overall"].map((selector) => row.querySelector(selector).getBoundingClientRect()).map(({ left, right, width }) => ({ left, right, width })),
  );
  close((line.left - bar.left) / bar.width, 0.625 / 0.97, 0.02, "place of the line");
});

/** One number far beyond the others: a difference of a cluster, and a value of row 70. */
function withOutlier(report) {
  report.profile.clusters[0].columns[0].difference = 400;
  const scaled = Buffer.from(report.details.scaled, "base64");
  scaled.writeFloatLE(1000, 4 * (70 * features.length + 2));
  report.details.scaled = scaled.toString("base64");
}

pageTest("a number far beyond the others does not flatten a chart", { change: withOutlier, hash: "#point=70" }, async (page) => {
  for (const [chart, name, number] of [
    [".card:first-child .numbers", null, "400"],
    ["#bars", features[2], "1000"],
  ]) {
    const [most, others, end] = await page.evaluate(
      ([host, feature]) => {
        const bars = [...document.querySelectorAll(`${host} rect.bar:not(.relevance)`)];
        const width = (bar) => bar.getBoundingClientRect().width;
        const most = feature === null ? bars[0] : bars.find((bar) => bar.dataset.feature === feature);
        return [width(most), bars.filter((bar) => bar !== most).map(width), most.parentElement.querySelector(".beyond").textContent];
      },
      [chart, name],
    );
    assert.equal(end, number, "the true number is at the end of the bar");
    assert.ok(Math.max(...others) > 0.3 * most, `${chart}: ${Math.max(...others)} of ${most}`);
    assert.ok(Math.max(...others) < most);
    assert.equal(await page.locator(`${chart} .beyond`).count(), 1);
  }
  assert.deepEqual(await badTexts(page), []);
});

/** The page shows the stability that its data have, of the whole and of every cluster; nothing where they have none. */
async function assertStability(page, { profile }) {
  const shown = await page.$$eval("#found-clusters li", (lines) =>
    lines.map((line) => {
      const grade = line.querySelector(".grade");
      return grade && { words: grade.textContent, isWeak: grade.classList.contains("weak"), weight: getComputedStyle(grade).fontWeight };
    }),
  );
  const facts = await page.$$eval(".card-facts", (cards) =>
    cards.map((card) => {
      const line = [...card.children].find((each) => each.querySelector("dt").textContent === "Stability");
      return line?.querySelector("dd").textContent ?? null;
    }),
  );
  profile.clusters.forEach(({ grade, stability }, cluster) => {
    const isWeak = grade !== null && !grade.startsWith("stable");
    assert.deepEqual(shown[cluster], grade === null ? null : { words: grade, isWeak, weight: isWeak ? "600" : "400" });
    assert.equal(facts[cluster], stability);
    if (grade !== null) assert.equal(/\d\.\d\d/.exec(grade)[0], /\d\.\d\d/.exec(stability)[0], "one number in both places");
  });
  const sure = await page.locator("#sure dt:has-text('How sure?') + dd").textContent();
  assert.ok(sure.startsWith(profile.stability ?? "Not known: whether the clusters come back"), sure);
}

const isWeak = ({ grade }) => !grade.startsWith("stable");

pageTest("stability: clusters that come back", {}, async (page) => {
  const report = reportData();
  assert.deepEqual(report.profile.clusters.map(isWeak), [false, false, false]);
  await assertStability(page, report);
});

pageTest("stability: clusters that do not come back", { file: "ten.html", skip: Boolean(process.env.REPORT_FOLDER) }, async (page) => {
  const report = reportData("ten.html");
  assert.equal(report.profile.clusters.length, 10);
  assert.ok(report.profile.clusters.some(({ grade }) => grade.startsWith("unstable")));
  await assertStability(page, report);
});

/** A model of an older program. */
function withoutStability(report) {
  report.profile.stability = null;
  for (const cluster of report.profile.clusters) Object.assign(cluster, { stability: null, grade: null });
}

/** The stability of one cluster is unknown. */
function withoutOneStability(report) {
  Object.assign(report.profile.clusters[1], { stability: null, grade: null });
}

/** So few rows that only one cluster is large enough to be judged, and a number that was given. */
function ofFewRows(report) {
  withoutStability(report);
  report.choice = null;
  report.clusters.forEach((cluster, at) => (cluster.points = at === 0 ? 9 : 3));
}

pageTest("stability: too few rows", { change: ofFewRows }, async (page) => {
  const sure = await page.locator("#sure").textContent();
  assert.match(sure, /cannot be told \(too few rows, since only one cluster has 5 or more\)/);
});

/** A number that was given. */
function withGivenNumber(report) {
  report.choice = null;
}

pageTest("a number that was given is not taken for sound", { change: withGivenNumber }, async (page) => {
  const sure = await page.locator("#sure").textContent();
  assert.match(sure, /The number 3 was given, and not checked: “neuralize choose” compares it/);
  assert.match(sure, /Every cluster comes back .* That clusters come back does not say that 3 is the right number\./);
});

for (const change of [withoutStability, withoutOneStability]) {
  pageTest(`stability: ${change.name}`, { change }, async (page) => {
    const report = reportData();
    change(report);
    await assertStability(page, report);
  });
}

pageTest("clusters and known classes: shares, counts and two indices", {}, async (page) => {
  const kinds = [...new Set(column(wine, "target"))].sort((a, b) => a - b);
  const counts = clusters().map((cluster) => kinds.map((kind) => members(cluster).filter((row) => row.target === kind).length));
  const rows = await page.$$eval("#class-table tbody tr", (all) =>
    all.map((row) => [...row.querySelectorAll("td")].map((cell) => [cell.firstChild.textContent, cell.querySelector("small").textContent.trim()])),
  );
  rows.forEach((cells, cluster) =>
    cells.forEach(([share, number], kind) => {
      assert.equal(number, String(counts[cluster][kind]));
      const exact = counts[cluster][kind] / members(cluster).length;
      if (exact > 0.005 && exact < 0.995) assert.equal(share, percentText(exact));
    }),
  );
  const pairs = (number) => (number * (number - 1)) / 2;
  const rowSums = counts.map(sum);
  const columnSums = kinds.map((_, kind) => sum(counts.map((row) => row[kind])));
  const together = sum(counts.flat().map(pairs));
  const [a, b] = [sum(rowSums.map(pairs)), sum(columnSums.map(pairs))];
  const expected = (a * b) / pairs(wine.length);
  const rand = (together - expected) / ((a + b) / 2 - expected);
  const entropy = (numbers) => -sum(numbers.filter((n) => n > 0).map((n) => (n / wine.length) * Math.log(n / wine.length)));
  const conditional = (sums) => entropy(counts.flat()) - entropy(sums);
  const homogeneity = 1 - conditional(rowSums) / entropy(columnSums);
  const completeness = 1 - conditional(columnSums) / entropy(rowSums);
  const v = (2 * homogeneity * completeness) / (homogeneity + completeness);
  const [first, second, third] = await page.locator("#class-words li").allTextContents();
  assert.ok(first.startsWith(`Adjusted Rand index ${rand.toFixed(2)}:`), first);
  assert.ok(second.startsWith(`V-measure ${v.toFixed(2)}:`), second);
  assert.ok(second.includes(`homogeneity ${homogeneity.toFixed(2)}`) && second.includes(`completeness ${completeness.toFixed(2)}`));
  assert.match(third, /nearly one to one/);
});

/** Clusters that are not those of the known classes. */
function notOneToOne(report) {
  report.profile.classes.one_to_one = null;
  Object.assign(report, { agreeing: null });
  report.listed.misplaced = null;
  for (const cluster of report.clusters) cluster.class = null;
}

pageTest(
  "no cluster is called by a class unless they are one to one",
  { change: notOneToOne, hash: "#point=70" },
  async (page) => {
    assert.equal(await page.locator("#filter-misplaced").isVisible(), false);
    assert.equal(await page.locator(".ring").count(), 0);
    assert.ok(await page.locator("#class-table").isVisible());
    const text = await page.locator("body").innerText();
    assert.doesNotMatch(text, /misclassified|matched class|≠/i);
    assert.match(text, /not one to one/);
    await page.mouse.move(...(await centreOf(page, 70)));
    assert.doesNotMatch(await page.locator("#tip").textContent(), /misclassified/);
  },
);

// ---------------------------------------------------------------- one cluster against another

pageTest("a cluster against another: differences and relevances of the data", {}, async (page) => {
  const bars = (id) =>
    page.$$eval(`${id} .bar`, (all) => all.map((bar) => [bar.dataset.feature, Number(bar.dataset.value)]));
  const sentences = new Set();
  for (const own of clusters()) {
    await page.locator("#versus-a").selectOption(String(own));
    for (const other of clusters().filter((cluster) => cluster !== own)) {
      await page.locator("#versus-b").selectOption(String(other));
      sentences.add(await page.locator("#versus-sentence").textContent());
      const differences = await bars("#versus-differences");
      assert.ok(differences.length >= 5);
      for (const [name, value] of differences) {
        const [a, b] = [own, other].map((cluster) => column(members(cluster), name));
        const pooled = Math.sqrt(
          ((a.length - 1) * deviation(a, 1) ** 2 + (b.length - 1) * deviation(b, 1) ** 2) / (a.length + b.length - 2),
        );
        close(value, (mean(a) - mean(b)) / pooled, 1e-6, `${name}: ${own} against ${other}`);
      }
      const steps = await bars("#versus-relevances");
      const [total, logit] = steps.pop();
      assert.equal(total, "mean logit");
      const rows = predictions.map((_, row) => row).filter((row) => predictions[row].cluster === own);
      const contrasts = rows.map((row) => contrastOf(row, other));
      for (const [name, value] of steps) close(value, mean(column(contrasts, name)), 1e-6, `${name}: ${own} rather than ${other}`);
      assert.equal(steps.length, features.length);
      close(sum(steps.map(([, value]) => value)), logit, 1e-6, "sum of the relevances");
    }
  }
  assert.equal(sentences.size, clusters().length * (clusters().length - 1));
  const last = await page.locator("#versus-sentence").textContent();
  const chosen = async () => [await page.locator("#versus-a").inputValue(), await page.locator("#versus-b").inputValue()];
  const before = await chosen();
  await page.locator("#versus-swap").click();
  assert.deepEqual(await chosen(), [...before].reverse());
  assert.notEqual(await page.locator("#versus-sentence").textContent(), last);
  await page.locator(".card a", { hasText: "Compare" }).first().click();
  assert.equal((await chosen())[0], "0");
});

pageTest("the address keeps which cluster is compared with which", { hash: "#versus=2,0" }, async (page) => {
  const chosen = async () => [await page.locator("#versus-a").inputValue(), await page.locator("#versus-b").inputValue()];
  assert.deepEqual(await chosen(), ["2", "0"]);
  assert.match(await page.locator("#versus-sentence").textContent(), /^Cluster 2 rather than 0:/);
  assert.ok(await page.locator("#versus-heading").evaluate((heading) => {
    const { top, bottom } = heading.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  }));
  assert.ok((await heading(page)).startsWith("Point "));
  await page.locator("#versus-b").selectOption("1");
  assert.equal(await openHash(page), "#versus=2,1");
  await page.locator("#versus-swap").click();
  assert.equal(await openHash(page), "#versus=1,2");
  await page.reload();
  assert.deepEqual(await chosen(), ["1", "2"]);
  await clickPoint(page, 70);
  await opened(page, 70);
  assert.deepEqual(await chosen(), ["1", "2"], "a point leaves the pair as it is");
  await page.goBack();
  await page.waitForFunction(() => location.hash === "#versus=1,2");
  for (const [wrong, words] of [
    ["#versus=1,1", /^Cluster 1 cannot be compared with itself\. Shown instead: Cluster 1 rather than 2:/],
    ["#versus=0,9", /^There is no cluster number 9: .* 3 clusters, .* Shown instead: Cluster 1 rather than 2:/],
  ]) {
    await page.evaluate((hash) => (location.hash = hash), wrong);
    await page.locator("#versus-sentence", { hasText: words }).waitFor();
    assert.deepEqual(await chosen(), ["1", "2"]);
  }
  const link = page.locator(".card a", { hasText: "Compare" }).first();
  const hash = await link.evaluate((each) => each.hash);
  await link.click();
  await page.waitForFunction((wanted) => wanted.endsWith(document.querySelector("#versus-b").value), hash);
  assert.deepEqual(await chosen(), hash.replace("#versus=", "").split(","));
});

/** One pair is not in the file, as of many clusters. */
function withoutPair(report) {
  report.profile.versus = report.profile.versus.filter(({ a, b }) => a !== 0 || b !== 2);
}

pageTest("an address of a pair that the file lacks says so", { change: withoutPair, hash: "#versus=2,0" }, async (page) => {
  const sentence = () => page.locator("#versus-sentence").textContent();
  assert.match(await sentence(), /^This file does not compare cluster 2 with cluster 0: .* Shown instead: Cluster 0 rather than 1:/);
  await page.locator("#versus-swap").click();
  assert.match(await sentence(), /^Cluster 1 rather than 0:/);
  assert.equal(await openHash(page), "#versus=1,0");
});

pageTest("the open point stays when a page is loaded again at a pair", { hash: "#point=70&versus=0" }, async (page) => {
  const question = await page.locator("#question").inputValue();
  const isKept = async () => {
    assert.equal(await heading(page), "Point 70");
    assert.equal(await page.locator("#question").inputValue(), question);
    assert.equal(await page.locator("#point-origin").textContent(), "");
  };
  await page.locator("#versus-b").selectOption("2");
  await page.locator("#versus-swap").click();
  assert.match(await openHash(page), /^#versus=/);
  await page.reload();
  await isKept();
  await page.locator(".card a", { hasText: "Compare" }).first().click();
  assert.match(await openHash(page), /^#versus=/);
  await page.reload();
  await isKept();
  await page.goto(page.url().split("#")[0]);
  await page.waitForFunction(() => document.querySelector("#point-origin").textContent !== "");
  await page.locator("#versus-swap").click();
  await page.reload();
  assert.match(await page.locator("#point-origin").textContent(), /most ambiguous point|point nearest to a boundary/);
  assert.match(await page.locator("#find-label").textContent(), /counted from 0/);
});

// ---------------------------------------------------------------- how many clusters

function withChoice(report) {
  const candidate = (clusters, silhouette, stability, failed) => ({
    clusters,
    inertia: 100 / clusters,
    silhouette,
    silhouette_error: null,
    judged_silhouette: silhouette,
    without: 0.2,
    calinski_harabasz: 80.5,
    davies_bouldin: null,
    gap: -0.5,
    gap_error: 0.01,
    stability,
    stability_spread: 0.05,
    smallest: clusters === 4 ? 2 : 40,
    valley: 0.5,
    gain: (silhouette - 0.2) / 0.8,
    failed,
  });
  report.choice = {
    sentence: "3 clusters: the only number that counts",
    recommended: 3,
    rows: 5000,
    sampled: 1000,
    candidates: [candidate(2, 0.25, 0.61, ["stability", "valley"]), candidate(3, 0.4, 0.97, []), candidate(4, 0.21, 0.9, ["size", "gain"])],
  };
}

pageTest("how many clusters: only if it was looked into", {}, async (page) => {
  assert.equal(await page.locator("#choice").isVisible(), reportData().choice !== null);
  assert.equal(await page.locator(".contents a[href='#choice']").isVisible(), reportData().choice !== null);
});

pageTest("how many clusters: the sentence, the curves, and what failed in words", { change: withChoice }, async (page) => {
  for (const place of ["#choice-sentence", "#sure"]) {
    assert.ok((await page.locator(place).textContent()).includes("3 clusters: the only number that counts."));
  }
  const rows = await page.$$eval("#choice-table tbody tr", (all) =>
    all.map((row) => [row.className, ...[...row.children].map((cell) => cell.textContent)]),
  );
  assert.equal(rows.length, 3);
  assert.match(rows[0].join("|"), /\|2\|not stable \(0\.61\); rows do not thin out between its clusters\|0\.250\|/);
  assert.match(rows[1].join("|"), /recommended\|3\|recommended; passes all checks\|0\.400\|.*0\.97 ± 0\.05.*\|–\|−0\.500 ± 0\.010\|/);
  assert.match(rows[2].join("|"), /\|4\|a cluster of only 2 rows; little better than data without clusters\|/);
  assert.equal(await page.locator("#curves figure").count(), 3);
  const heights = await page.$$eval("#curves figure:first-child .mark", (marks) => marks.map((mark) => Number(mark.getAttribute("cy"))));
  close((heights[2] - heights[0]) / (heights[0] - heights[1]), 0.04 / 0.15, 1e-6, "heights of the marks");
  assert.match(await page.locator("#choice-note").textContent(), /1000 of 5000 rows/);
});

/** Slightly less stable than needed, a spread above 1, and no lonely rows. */
function nearlyStable(report) {
  withChoice(report);
  report.choice.lonely = 0;
  const [candidate, stable] = report.choice.candidates;
  candidate.stability = 0.7993;
  stable.stability_spread = 0.4;
}

pageTest("how many clusters: rounding does not contradict the verdict, and no stability is above 1", { change: nearlyStable }, async (page) => {
  const row = await page.locator("#choice-table tbody tr").first().textContent();
  assert.ok(row.includes("not stable (0.79)") && row.includes("0.79 ± 0.05"), row);
  const curve = page.locator("#curves figure", { hasText: "Stability" });
  const labels = await curve.locator(".axis").last().locator(".tick").allTextContents();
  assert.equal(Math.max(...labels.map(Number)), 1);
  const [frame, ...whiskers] = await curve.evaluate((figure) =>
    [figure.querySelector("svg"), ...figure.querySelectorAll(".whisker")].map((part) => part.getBoundingClientRect().top),
  );
  assert.ok(whiskers.length > 0 && Math.min(...whiskers) >= frame);
  assert.doesNotMatch(await page.locator("#choice-note").textContent(), /lonely/);
});

/** The choice among mixtures, and one of a single number. */
function withBic(report) {
  withChoice(report);
  report.choice.candidates.forEach((candidate, at) => (candidate.bic = 30000 - 1000 * at));
}

function withOneCandidate(report) {
  withBic(report);
  report.choice.candidates = report.choice.candidates.slice(1, 2);
}

pageTest("how many clusters: BIC of mixtures", { change: withBic }, async (page) => {
  const titles = await page.locator("#choice-table th").allTextContents();
  const cells = await page.locator("#choice-table tbody tr").first().locator("td").allTextContents();
  assert.equal(cells[titles.indexOf("BIC")], "30\u202f000");
  const curve = page.locator("#curves figure", { hasText: "BIC" });
  assert.match(await curve.textContent(), /smaller is better/);
  const heights = await curve.locator(".mark").evaluateAll((marks) => marks.map((mark) => Number(mark.getAttribute("cy"))));
  assert.ok(heights[2] - heights[0] > 60, "the axis does not begin at 0");
});

pageTest("how many clusters: one number alone has a table and no curves", { change: withOneCandidate }, async (page) => {
  assert.equal(await page.locator("#curves figure").count(), 0);
  assert.equal(await page.locator("#choice-table tbody tr").count(), 1);
});

/** No number is clear. */
function withoutRecommendation(report) {
  withChoice(report);
  Object.assign(report.choice, { recommended: null, sentence: "no clear number of clusters: resampled rows give other clusters" });
}

/** Another number than that of the page. */
function withOtherRecommendation(report) {
  withChoice(report);
  Object.assign(report.choice, { recommended: 2, sentence: "2 clusters: the only number that counts" });
}

pageTest("how many clusters: no number is clear", { change: withoutRecommendation }, async (page) => {
  assert.equal(
    await page.locator("#choice-sentence").textContent(),
    "No clear number of clusters: resampled rows give other clusters. This page shows 3.",
  );
  assert.equal(await page.locator("tr.recommended, .mark.recommended").count(), 0);
});

pageTest("how many clusters: another number is recommended", { change: withOtherRecommendation }, async (page) => {
  assert.equal(
    await page.locator("#choice-sentence").textContent(),
    "This page shows 3; recommended are 2 clusters: the only number that counts.",
  );
});

/** The clusters were found in other rows. */
function withOtherRows(report) {
  withChoice(report);
  report.profile.fitted = "The clusters were found in 300 rows, not in exactly these.";
}

pageTest("clusters that were found in other rows are said to be", { change: withOtherRows }, async (page) => {
  for (const place of ["#lead", "#sure", "#choice-sentence"]) {
    assert.ok((await page.locator(place).textContent()).includes("found in 300 rows, not in exactly these."), place);
  }
});

/** Many clusters leave no room for what figures mean. */
function manyWithFigures(report) {
  withClusters(report, 6);
  withChoice(report);
  Object.assign(report.choice, { recommended: 6, sentence: "6 clusters: stable (ARI 0.90), with the best silhouette (0.50)" });
}

pageTest("what the figures of the choice mean is one step away", { change: manyWithFigures }, async (page) => {
  await page.locator("#sure a[href='#choice']").click();
  assert.match(await page.locator("#choice-sentence").textContent(), /ARI: how far .* Silhouette: how much nearer/);
});

// ---------------------------------------------------------------- names

/** Names of rows: two that are alike, a number that is another row's, and one with a row of its own. */
function withNames(report) {
  report.listed.names = wine.map((_, row) => (row < 30 ? `Barolo ${row}` : row === 40 ? "Single Malt" : row === 50 ? "Lot 7 of 900" : `wine no ${row}`));
}

pageTest("finds a point by its number or by a part of its name", { change: withNames }, async (page) => {
  const find = async (text) => {
    await page.locator("#find").fill(text);
    await page.locator("#find").press("Enter");
  };
  const message = () => page.locator("#find-message").textContent();
  await find("118");
  await opened(page, "118 (wine no 118)");
  await find("sINGLE m");
  await opened(page, "40 (Single Malt)");
  assert.equal(await message(), "");
  await find("barolo");
  assert.match(await message(), /30 points with “barolo” in the name; the first 20/);
  assert.equal(await heading(page), "Point 40 (Single Malt)");
  assert.equal(await page.locator("#find-results a").count(), 20);
  await page.locator("#find-results a").nth(3).click();
  await opened(page, "3 (Barolo 3)");
  assert.equal(await page.locator("#find-results a").count(), 0);
  await find("900");
  await opened(page, "50 (Lot 7 of 900)");
  await find("grappa");
  assert.match(await message(), /No listed point has “grappa” in its name/);
  await find("4000");
  assert.match(await message(), /no row 4000/);
  await find("barolo 1");
  assert.match(await message(), /11 points/);
  await page.locator("#clear").click();
  assert.equal(await page.locator("#find-results a").count(), 0);

  const names = await page.$$eval("#point-table tbody tr", (rows) => rows.map((row) => row.children[1].textContent));
  assert.deepEqual(names.slice(0, 3), ["Barolo 0", "Barolo 1", "Barolo 2"]);
  assert.ok((await page.locator(".card a[data-row]").allTextContents()).every((text) => /Barolo|wine no|Single|Lot/.test(text)));
  const [header, first] = (await download(page)).split("\n");
  assert.ok(header.startsWith("index,name,cluster,logit,probability,class,"));
  assert.ok(first.startsWith("0,Barolo 0,"));
});

/** Texts that a spreadsheet would take for formulas, and numbers that begin like them. */
function withFormulas(report) {
  report.listed.names = wine.map((_, row) => ["=1+1", "+cmd|x", "-2+3", "@sum", "\tx", "\rx", "plain", "-5", "a=b"][row % 9]);
  report.features = report.features.map((name, at) => (at === 0 ? "=alcohol" : name));
  report.names = ["@one", "-two", "three"];
  report.classes = ["+a", "b", "-1"];
  report.profile.classes.names = report.classes;
  report.profile.classes.one_to_one = null;
}

pageTest("the download holds no formulas, and numbers as they are", { change: withFormulas }, async (page) => {
  const text = await download(page);
  const [header] = text.split("\n");
  assert.ok(header.includes(",'=alcohol,") && !/[,\n][=+@]/.test(text));
  const lines = text.replaceAll('"\'\r', "'").split("\n").slice(1, 9).map((line) => line.split(","));
  assert.deepEqual(
    lines.map(([, name]) => name.replaceAll('"', "")),
    ["'=1+1", "'+cmd|x", "'-2+3", "'@sum", "'\tx", "'x", "plain", "-5"],
  );
  lines.forEach(([row, , cluster, logit], at) => {
    assert.equal(row, String(at));
    assert.equal(cluster, ["'@one", "'-two", "three"][predictions[at].cluster]);
    close(Number(logit), predictions[at].logit, 1e-12, "logit");
  });
  const kinds = new Set(text.split("\n").slice(1).filter((line) => line.includes(",plain,")).map((line) => line.split(",")[5]));
  assert.deepEqual([...kinds].sort(), ["'+a", "-1", "b"]);
  assert.match(text, /,-\d/, "negative relevances stay numbers");
});

// ---------------------------------------------------------------- groups

function withGroups(report) {
  report.groups = [
    { name: "acids", features: [1, 2, 3] },
    { name: "colour", features: [9, 10] },
  ];
}

pageTest("groups share a row, which opens into their features", { change: withGroups, hash: "#point=70" }, async (page) => {
  const inside = [1, 2, 3].map((at) => features[at]);
  const sumOf = (row, names) => sum(names.map((name) => row[name]));
  const acids = sumOf(relevance[70], inside);
  const folded = await barValues(page, "relevance");
  assert.equal(Object.keys(folded).length, features.length - 3);
  close(folded.acids, acids, 1e-6, "relevance of a group");
  close(sum(Object.values(folded)), relevance[70].logit, 1e-6, "sum with groups");
  const steps = () =>
    page.$$eval("#waterfall .step:not(.total)", (all) => Object.fromEntries(all.map((bar) => [bar.dataset.feature, Number(bar.dataset.value)])));
  close((await steps()).acids, acids, 1e-6, "step of a group");

  // The keyboard opens it, and the focus stays on it.
  const fold = page.locator("#bars .fold", { hasText: "acids" });
  assert.equal(await fold.getAttribute("aria-expanded"), "false");
  await fold.focus();
  await page.keyboard.press("Enter");
  assert.equal(await fold.getAttribute("aria-expanded"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.group), "0");
  const open = await barValues(page, "relevance");
  assert.equal(Object.keys(open).length, features.length);
  close(open.acids, acids, 1e-6, "an open group keeps its row");
  for (const name of inside) close(open[name], relevance[70][name], 1e-6, name);
  const single = await steps();
  assert.ok(!("acids" in single));
  const ends = (selector) =>
    page.$$eval(selector, (all) => {
      const boxes = all.map((bar) => bar.getBoundingClientRect());
      return [Math.min(...boxes.map(({ left }) => left)), Math.max(...boxes.map(({ right }) => right))];
    });
  const span = await ends("#waterfall .span");
  const own = await ends(inside.map((name) => `#waterfall .step[data-feature="${name}"]`).join(", "));
  assert.ok(span[0] >= own[0] - 0.1 && span[1] <= own[1] + 0.1, "an open group spans steps of its features");
  close(sum(Object.values(single)), relevance[70].logit, 1e-6, "steps of an open group");
  assert.ok((await page.locator("#feature-table th.inside").count()) === 3);

  const magnitude = (names) => sum(names.map((name) => mean(relevance.map((row) => Math.abs(row[name])))));
  const cell = await page.locator("#feature-table tr", { hasText: "acids" }).locator("td").first().textContent();
  close(numberIn(cell), magnitude(inside), 6e-5, "mean size of a group");
  for (const cluster of clusters()) {
    const own = relevance.filter((row) => row.cluster === cluster);
    const card = page.locator(".card").nth(cluster);
    await card.locator("summary").click();
    const bar = await card.locator(".bar.mean[data-feature='acids']").getAttribute("data-value");
    close(Number(bar), mean(own.map((row) => sumOf(row, inside))), 1e-6, "mean relevance of a group");
  }
  const versus = await page.$$eval("#versus-relevances .step", (all) => all.map((bar) => bar.dataset.feature));
  assert.ok(versus.includes("colour") && !versus.includes("acids") && versus.includes(inside[0]));

  await page.locator("#waterfall .fold").filter({ hasText: "▾" }).click();
  assert.ok("acids" in (await steps()), "an open group closes again");
  await page.locator("#grouping input[value='features']").check();
  assert.deepEqual(Object.keys(await barValues(page, "relevance")).sort(), [...features].sort());
  assert.equal(await page.locator(".fold").count(), 0);
  await page.locator("#grouping input[value='groups']").check();
  assert.ok("acids" in (await barValues(page, "relevance")));
});

pageTest("no switch without groups", {}, async (page) => {
  assert.equal(await page.locator("#grouping").isVisible(), reportData().groups !== null);
});

// ---------------------------------------------------------------- ways through the page

pageTest("the keyboard alone opens a point and moves on", {}, async (page) => {
  const focused = (selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 150; presses++) {
      await page.keyboard.press("Tab");
      if (await focused(selector)) return;
    }
    assert.fail(`no way to ${selector} by Tab`);
  };
  await page.keyboard.press("Tab");
  assert.ok(await focused(".skip"));
  await tabTo(".point");
  const start = Number(await page.evaluate(() => document.activeElement.dataset.row));
  assert.ok(await page.locator("#tip").isVisible());
  await page.keyboard.press("ArrowRight");
  await opened(page, start + 1);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.row), String(start + 1));
  await page.keyboard.press("Enter");
  assert.ok(await focused("#point-heading"));
  await page.keyboard.press("ArrowRight");
  await assertRelevances(page, start + 2);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await assertRelevances(page, start);
  await tabTo("#next");
  await page.keyboard.press("Enter");
  await opened(page, start + 1);
  assert.ok(await focused("#next"));
  await tabTo("#point-table a");
  await page.keyboard.press("Enter");
  await assertRelevances(page, 0);
  assert.ok(await focused("#point-heading"));
});

pageTest(
  "a deep link opens its point, the back button the one before",
  { hash: "#point=70" },
  async (page) => {
    await assertRelevances(page, 70);
    await clickPoint(page, 0);
    await opened(page, 0);
    await page.locator("#next").click();
    await opened(page, 1);
    await page.goBack();
    await opened(page, 0);
    await page.goBack();
    await assertRelevances(page, 70);
    await page.goForward();
    await opened(page, 0);
  },
);

pageTest("a deep link to a contrast, and one to nowhere", { hash: "#point=70&versus=0" }, async (page) => {
  const versus = predictions[70].cluster === 0 ? "" : "0";
  assert.equal(await page.locator("#question").inputValue(), versus);
  await page.evaluate(() => {
    location.hash = "#point=4000";
  });
  await page.locator("#find-message", { hasText: "no row 4000" }).waitFor();
  assert.equal(await heading(page), "Point 70");
});

pageTest("the map tells about a point under the pointer, zooms, moves and comes back", {}, async (page) => {
  const start = await centreOf(page, 70);
  await page.mouse.move(...start);
  const tip = await page.locator("#tip").textContent();
  assert.ok(tip.startsWith("Point 70"));
  assert.match(tip, /cluster \d, class 1: misclassified/);
  await page.locator("#zoom-in").click();
  const enlarged = await centreOf(page, 70);
  assert.ok(Math.hypot(enlarged[0] - start[0], enlarged[1] - start[1]) > 5);
  await page.mouse.move(enlarged[0] + 30, enlarged[1] - 90);
  await page.mouse.down();
  await page.mouse.move(enlarged[0] - 10, enlarged[1] - 120, { steps: 4 });
  await page.mouse.up();
  const moved = await centreOf(page, 70);
  close(moved[0] - enlarged[0], -40, 1, "horizontal way");
  close(moved[1] - enlarged[1], -30, 1, "vertical way");
  await clickPoint(page, 70);
  await assertRelevances(page, 70);
  await page.locator("#zoom-reset").click();
  const back = await centreOf(page, 70);
  close(back[0], start[0], 0.5, "place after the reset");
  assert.match(await page.locator("#map").textContent(), /PC 1 \(\d+\s% of the variance\)/);
});

// ---------------------------------------------------------------- layout

/** Texts of the open point's charts that overlap each other or leave their chart. */
const badTexts = (page) =>
  page.evaluate(() => {
    const bad = [];
    for (const svg of document.querySelectorAll(".chart svg")) {
      if (!svg.checkVisibility()) continue;
      const outer = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")]
        .filter((text) => text.getBoundingClientRect().width > 0)
        .map((text) => ({ name: text.firstChild.textContent, box: text.getBoundingClientRect() }));
      texts.forEach(({ name, box }, at) => {
        if (box.left < outer.left - 1 || box.right > outer.right + 1) bad.push(`${name} leaves the chart`);
        for (const other of texts.slice(at + 1)) {
          const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
          const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
          if (across > 1 && down > 2) bad.push(`${name} over ${other.name}`);
        }
      });
    }
    return bad;
  });

for (const width of [360, 400, 1000, 1400, 1600]) {
  pageTest(`fits ${width} pixels`, { hash: "#point=70", viewport: { width, height: 900 } }, async (page) => {
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.ok((await page.locator("#bars text").count()) > 3 * features.length);
    assert.deepEqual(await badTexts(page), []);
    await clickPoint(page, 118);
    await assertRelevances(page, 118);
    assert.ok(
      await page
        .locator("#point-heading")
        .evaluate(
          (element) =>
            element.getBoundingClientRect().top >= 0 && element.getBoundingClientRect().bottom <= innerHeight,
        ),
      "the opened point is in view",
    );
  });
}

/** Every visible text with less contrast than WCAG asks for; colours are read off a canvas. */
const faintTexts = (page) =>
  page.evaluate(() => {
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const luminance = (colours) => {
      pen.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
      }
      const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((part) =>
        part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element) =>
      element === null ? [] : [...behind(element.parentElement), getComputedStyle(element).backgroundColor];
    const faint = [];
    let seen = 0;
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "",
      );
      if (
        !own ||
        !element.checkVisibility() ||
        element.closest("[aria-disabled='true'], title, script, .unseen, .skip")
      )
        continue;
      const style = getComputedStyle(element);
      const back = behind(element);
      const pair = [
        luminance(back),
        luminance([...back, element instanceof SVGElement ? style.fill : style.color]),
      ];
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      seen++;
      if (ratio < 4.5) faint.push(`${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return { faint, seen, back: luminance(behind(document.body)) };
  });

for (const colorScheme of ["light", "dark"]) {
  pageTest(`${colorScheme}: every text stands out`, { hash: "#point=70", colorScheme }, async (page) => {
    const { faint, seen, back } = await faintTexts(page);
    assert.deepEqual(faint, []);
    assert.ok(seen > 400);
    assert.ok(colorScheme === "dark" ? back < 0.03 : back > 0.9, `background ${back}`);
  });
}

pageTest(
  "on paper: white, without controls, with the open point",
  { hash: "#point=70", colorScheme: "dark" },
  async (page) => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const { faint, back } = await faintTexts(page);
    assert.deepEqual(faint, []);
    assert.equal(back, 1);
    for (const control of await page
      .locator("form, nav, select, #previous, #zoom-in, #download, #pages")
      .all()) {
      assert.ok(!(await control.isVisible()));
    }
    for (const part of [
      "#found-clusters",
      "#sure",
      "#overview svg",
      ".card .numbers svg",
      "#class-table",
      "#versus-sentence",
      "#versus-differences svg",
      "#versus-relevances svg",
      "#trust-words",
      "#facts",
      "#map svg",
      "#point-heading",
      "#bars svg",
      "#waterfall svg",
      ".card >> nth=0",
      "#feature-table",
    ]) {
      assert.ok(await page.locator(part).first().isVisible(), part);
    }
    await page.setViewportSize({ width: 690, height: 1000 });
    await drawn(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  },
);

// ---------------------------------------------------------------- other data than wine

/** Puts quotes, markup and commas into every name of a feature. */
const awkward = (names) => names.map((name, at) => `</script><b>"${name}", & 'so on' ${at}`);

function withoutClasses(report) {
  report.features = awkward(report.features);
  Object.assign(report, { label: null, classes: null, agreeing: null, trust: null });
  Object.assign(report.model, {
    seed: null,
    iterations: null,
    converged: null,
    inertia: null,
    beta: null,
    heuristic_beta: null,
  });
  Object.assign(report.listed, { class: null, misplaced: null });
  for (const cluster of report.clusters) cluster.class = null;
  report.profile.classes = null;
}

const narrow = { width: 360, height: 800 };

pageTest(
  "awkward names are text; no classes, checks, seed or beta",
  { change: withoutClasses, hash: "#point=70", viewport: narrow },
  async (page) => {
    const shown = await barValues(page, "relevance");
    assert.deepEqual(Object.keys(shown).sort(), awkward(features).sort());
    assert.equal(await page.locator("main b").count(), 0);
    assert.equal(await page.locator("#filter-misplaced").isVisible(), false);
    assert.match(await page.locator("#question").textContent(), /nearest competitor only/);
    assert.match(await page.locator("#trust-words").textContent(), /not checked/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual(await badTexts(page), []);
    const [header] = (await download(page)).split("\n");
    assert.ok(
      header.startsWith(`index,cluster,logit,probability,"</script><b>""${features[0]}"", & 'so on' 0",`),
    );
  },
);

/** Of a thousand points 178 are listed, and of those all but row 70 in full. */
function listedOnly(report) {
  const details = Buffer.from(report.listed.detail, "base64");
  details.writeInt32LE(-1, 4 * 70);
  report.listed.detail = details.toString("base64");
  report.details.count -= 1;
  report.total = 1000;
  report.rows = [0, report.total - 1];
}

pageTest(
  "a point that is listed only shows its strongest features, one that is counted only is named as such",
  { change: listedOnly, hash: "#point=70" },
  async (page) => {
    assert.match(
      await page.locator("#coverage").textContent(),
      /1000 points, 177 .* full; 1 .* listed .*; 822 .* counted/,
    );
    assert.match(await page.locator("#point-brief").textContent(), /has no details/);
    assert.equal(await page.locator("#bars").isVisible(), false);
    const bars = await page.$$eval("#brief .bar", (all) =>
      all.map((bar) => [bar.dataset.feature, Number(bar.dataset.value)]),
    );
    assert.ok(bars.length > 0);
    for (const [name, value] of bars) close(value, relevance[70][name], 1e-6, name);
    await page.locator("#find").fill("600");
    await page.locator("#open").click();
    assert.match(await page.locator("#find-message").textContent(), /Row 600 is counted/);
    assert.ok((await download(page)).split("\n")[71].endsWith(",".repeat(features.length)));
    await clickPoint(page, 71);
    await assertRelevances(page, 71);
    await clickPoint(page, 70);
    await opened(page, 70);
    await page.setViewportSize({ width: 700, height: 900 });
    await drawn(page);
  },
);

/** A float32 of every probability that is 1, as that of a sure point becomes when it is rounded. */
function surePoints(report) {
  const ones = Buffer.alloc(4 * wine.length);
  wine.forEach((_, at) => ones.writeFloatLE(at % 2 === 0 ? 1 : 0.99951, 4 * at));
  report.listed.probability = ones.toString("base64");
}

pageTest("no probability is 1", { change: surePoints, hash: "#point=70" }, async (page) => {
  assert.match(await page.locator("#point-facts").textContent(), /Probabilitymore than 0\.999 /);
  const cells = await page.$$eval("#point-table tbody tr", (all) => all.map((row) => row.children[3].textContent));
  assert.deepEqual([...new Set(cells)], ["> 0.999"]);
  await page.mouse.move(...(await centreOf(page, 70)));
  assert.match(await page.locator("#tip").textContent(), /probability more than 0\.999/);
  assert.match(await page.locator("#point-note").textContent(), /depends on the units and the scale of the features/);
});

/** Centroids with the noise of arithmetic. */
function noisyCentroids(report) {
  for (const cluster of report.clusters) {
    cluster.centroid[0] = 12.000000001;
    cluster.centroid[1] = 3e-17;
  }
}

pageTest("centroids show no noise, and the page has one minus", { change: noisyCentroids, hash: "#point=70" }, async (page) => {
  const titles = await page.$$eval("#bars .row", (rows) =>
    Object.fromEntries(
      rows.map((row) => [row.querySelector(".bar").dataset.feature, row.querySelector(".centroid-dot title").textContent]),
    ),
  );
  assert.match(titles[features[0]], /: 12$/);
  assert.match(titles[features[1]], /: 0$/);
  const text = await page.locator("body").innerText();
  assert.deepEqual(text.match(/(^|[\s(])-\d|\de-\d/g), null);
});

const long = "x".repeat(5000);

function withLongNames(report) {
  report.features[0] = long;
  report.label = long;
  report.listed.names = wine.map((_, row) => (row % 2 === 0 ? long : `${long} ${row}`));
  report.names = [long, `${long}y`, "z"];
  report.classes = [long, "b", "c"];
  report.profile.classes.names = report.classes;
  report.profile.classes.one_to_one = [long, "b", "c"];
  report.profile.clusters[0].rule = { text: `${long} > 1: 90 % of the cluster, 80 % right`, coverage: 0.9, precision: 0.8 };
  report.profile.clusters[0].sentence = `Cluster ${long} (61 rows, 34 %): high ${long} (1 on average, 2 overall).`;
  report.groups = [{ name: long, features: [2, 3] }];
  report.title = long;
}

for (const width of [360, 400, 1000, 1400, 1600]) {
  pageTest(
    `a label of 5 kB does not widen the page at ${width} pixels`,
    { change: withLongNames, hash: "#point=70", viewport: { width, height: 900 } },
    async (page) => {
      await drawn(page);
      const { scrolled, inner, height } = await page.evaluate(() => ({
        scrolled: document.documentElement.scrollWidth,
        inner: innerWidth,
        height: document.documentElement.scrollHeight,
      }));
      assert.ok(scrolled <= inner, `${scrolled} pixels`);
      assert.ok(height < 40000, `${height} pixels high`);
      assert.equal(await page.locator("td.name").first().getAttribute("title"), long, "whole on hover");
      assert.deepEqual(await badTexts(page), []);
    },
  );
}

/** Fifty clusters, of which the points are in three. */
function manyClusters(report) {
  const many = (list) => Array.from({ length: 50 }, (_, at) => structuredClone(list[at % list.length]));
  report.clusters = many(report.clusters).map((cluster, at) => ({ ...cluster, cluster: at }));
  report.profile.clusters = many(report.profile.clusters);
  report.plane.centroids = many(report.plane.centroids);
  report.profile.classes = null;
  Object.assign(report, { classes: null, label: null, agreeing: null });
  Object.assign(report.listed, { class: null, misplaced: null });
}

pageTest("of many clusters the first are shown, and all on demand", { change: manyClusters }, async (page) => {
  for (const part of ["#sure", "#overview svg"]) {
    const { bottom } = await page.locator(part).evaluate((element) => element.getBoundingClientRect());
    assert.ok(bottom <= 1000, `${part} is on the first screen`);
  }
  for (const [thing, button] of [
    ["#found-clusters li", "#all-found"],
    [".card", "#all-cards"],
  ]) {
    assert.equal(await page.locator(thing).count(), 12);
    await page.locator(button).click();
    assert.equal(await page.locator(thing).count(), 50);
    await drawn(page);
    await page.locator(button).click();
    assert.equal(await page.locator(thing).count(), 12);
  }
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

/** Names that are long and alike, and categories, as in a table of a survey. */
function withAlikeNames(report) {
  report.features = features.map((_, at) => `annual_household_expenditure_on_goods_${"abcdefghijklm"[at]}_and_services_in_euro`);
  report.kinds = report.features.map(() => ({ kind: "number" }));
  report.features[0] = "Origin";
  report.kinds[0] = { kind: "category", values: ["Europe", "Japan", "USA"] };
  for (const cluster of report.profile.clusters) {
    cluster.columns = [
      ...["Europe", "Japan", "USA"].map((value) => ({ feature: 0, value, own: 0.5, overall: 0.3, median: null, difference: 0.4, v: 5 })),
      ...cluster.columns.filter(({ feature }) => feature > 0),
    ];
  }
}

/** The names in every chart in sight, as they are written. */
const writtenNames = (page) =>
  page.$$eval(".chart", (all) =>
    all.filter((chart) => chart.checkVisibility()).map((chart) => [...chart.querySelectorAll(".name")].map((name) => name.firstChild.data)),
  );

for (const width of [360, 400, 1000, 1400]) {
  pageTest(
    `names that are alike stay apart at ${width} pixels, and short ones whole`,
    { change: withAlikeNames, hash: "#point=70", viewport: { width, height: 900 } },
    async (page) => {
      const charts = await writtenNames(page);
      assert.ok(charts.some((names) => names.length >= features.length));
      for (const names of charts) assert.equal(new Set(names).size, names.length, names.join(" | "));
      const values = await page.$$eval(".card:first-child .values .name", (all) => all.map((name) => name.firstChild.data));
      assert.deepEqual(values, ["Origin: Europe", "Origin: Japan", "Origin: USA"]);
      assert.deepEqual(await badTexts(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      const tables = await page.$$eval(".scroll", (boxes) =>
        boxes
          .filter((box) => box.checkVisibility())
          .map((box) => ({ right: box.getBoundingClientRect().right, isWide: box.scrollWidth > box.clientWidth + 2, goesOn: box.classList.contains("goes-on") })),
      );
      for (const { right, isWide, goesOn } of tables) {
        assert.ok(right <= width);
        assert.equal(goesOn, isWide, "a table that goes on fades out");
      }
    },
  );
}

/** Names of features that differ within pairs of surrogates. */
function withEmojis(report) {
  report.features = features.map((_, at) => `${"😀".repeat(3)}${"household😀expenditure".repeat(8)}${String.fromCodePoint(0x1f600 + at)}${"😀".repeat(40)}`);
}

for (const width of [360, 1000, 1400]) {
  pageTest(
    `no character is cut in two at ${width} pixels`,
    { change: withEmojis, hash: "#point=70", viewport: { width, height: 900 } },
    async (page) => {
      const charts = await writtenNames(page);
      for (const names of charts) assert.equal(new Set(names).size, names.length, names.join(" | "));
      assert.ok(charts.flat().some((name) => name.includes("…")));
      const texts = await page.evaluate(() => document.body.innerText + [...document.querySelectorAll("svg")].map((svg) => svg.textContent));
      assert.ok(texts.isWellFormed());
      assert.deepEqual(await badTexts(page), []);
    },
  );
}

const manyWords = (word, number) => Array.from({ length: number }, (_, at) => `${word} ${at} (1\u202f234)`).join(", ");

/** A sentence and a rule that are too long for a line of the page. */
function withLongWords(report) {
  const [cluster] = report.profile.clusters;
  cluster.sentence = `Cluster 0 (61 rows, 34 %): high ${manyWords("alcohol", 60)}.`;
  cluster.rule = { text: `${manyWords("alcohol", 40)}: 90 % of the cluster, 80 % right`, coverage: 0.9, precision: 0.8 };
}

pageTest("sentences and rules are cut at their end, between words", { change: withLongWords }, async (page) => {
  const places = [
    [".found-words span", `High ${manyWords("alcohol", 60)}.`, ""],
    [".card-words", `High ${manyWords("alcohol", 60)}.`, ""],
    [".card-facts dd", `${manyWords("alcohol", 40)}: 90 % of the cluster, 80 % right`, ": 90\u00a0% of the cluster, 80\u00a0% right"],
  ];
  for (const [place, whole, end] of places) {
    const shown = page.locator(place).first();
    const text = await shown.textContent();
    assert.equal(await shown.getAttribute("title"), asWritten(whole));
    assert.ok(text.endsWith(`…${end}`) && text.length > 300 && text.length < 650, text);
    const start = text.slice(0, text.indexOf("…"));
    assert.ok(asWritten(whole).startsWith(`${start} `), text);
  }
});

for (const width of [360, 400, 700, 1000, 1400, 1600]) {
  pageTest(`no name of a wine is cut at ${width} pixels`, { hash: "#point=70", viewport: { width, height: 900 } }, async (page) => {
    assert.deepEqual((await writtenNames(page)).flat().filter((name) => name.includes("…")), []);
  });
}

/** Many clusters beside a choice: the widest tables. */
function wideTables(report) {
  manyClusters(report);
  withBic(report);
}

pageTest("on paper: tables fit, and charts are drawn for it", { change: wideTables, hash: "#point=70" }, async (page) => {
  const widths = () => page.$eval("#waterfall", (chart) => [chart.clientWidth, chart.querySelector("svg").viewBox.baseVal.width]);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  const [onScreen, onPaper] = await widths();
  assert.notEqual(onPaper, onScreen, "drawn for the paper");
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  assert.deepEqual(await widths(), [onScreen, onScreen], "drawn for the screen again");
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 695, height: 1000 });
  await drawn(page);
  close((await widths())[0], onPaper, 30, "width of a chart on paper");
  const tooWide = await page.$$eval(".scroll > *", (all) =>
    all.filter((table) => table.checkVisibility() && table.getBoundingClientRect().right > innerWidth + 1).map(({ id }) => id),
  );
  assert.deepEqual(tooWide, []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

/** Many more features than a sheet of paper has room for. */
function withManyFeatures(report) {
  const times = 3;
  const many = (list) => Array.from({ length: times * list.length }, (_, at) => list[at % list.length]);
  const wide = (text, Type) => {
    const numbers = new Type(new Uint8Array(Buffer.from(text, "base64")).buffer);
    const rows = Array.from({ length: numbers.length / features.length }, (_, row) => many(Array.from(numbers.subarray(row * features.length, (row + 1) * features.length))));
    return Buffer.from(Type.from(rows.flat()).buffer).toString("base64");
  };
  const { details } = report;
  details.values = wide(details.values, Float64Array);
  details.scaled = wide(details.scaled, Float32Array);
  details.relevance = wide(details.relevance, Float64Array);
  details.contrast = wide(details.contrast, Float32Array);
  if (details.filled !== null) details.filled = wide(details.filled, Uint8Array);
  report.features = many(report.features).map((name, at) => `${name} no ${at}`);
  const parts = ["mean_relevance", "deviation", "mean_magnitude", "centroid", "centroid_scaled"];
  for (const cluster of report.clusters) for (const part of parts) cluster[part] = many(cluster[part]);
  report.overall.mean_magnitude = many(report.overall.mean_magnitude);
  for (const entry of report.profile.versus) entry.contrasts = entry.contrasts.map((text) => wide(text, Float64Array));
  report.kinds = null;
}

pageTest("on paper: a long chart is cut, and says so", { change: withManyFeatures, hash: "#point=70" }, async (page) => {
  const rows = () => page.locator("#bars .row").count();
  assert.equal(await rows(), 30);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.equal(await rows(), 16);
  assert.match(await page.locator("#bars svg").textContent(), /and 23 more$/);
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  assert.equal(await rows(), 30);
});

pageTest("on paper: heads of tables are those of every sheet", {}, async (page) => {
  await page.emulateMedia({ media: "print" });
  const displays = await page.$$eval("#point-table thead, #point-table thead button", (all) => all.map((part) => getComputedStyle(part).display));
  assert.equal(displays[0], "table-header-group");
  assert.ok(displays.slice(1).every((display) => display === "contents"), "Chromium leaves the boxes of buttons empty");
});

for (const width of [360, 400, 1400]) {
  pageTest(`every axis of a card has two numbers or more at ${width} pixels`, { viewport: { width, height: 900 } }, async (page) => {
    const numbers = await page.$$eval(".card .chart:not(.relevances) svg", (all) => all.map((svg) => svg.querySelectorAll(".axis .tick").length));
    assert.ok(numbers.length > 0 && Math.min(...numbers) > 1, numbers.join());
  });
}

/** Sizes of very different lengths, a large mean in the middle of two numbers, and a year. */
function withSizes(report) {
  report.total = 21178;
  report.clusters.forEach((cluster, at) => (cluster.points = [3, 20000, 1175][at]));
  const [one, two] = report.profile.clusters[0].columns;
  Object.assign(one, { own: 842.5, overall: 217.9 });
  Object.assign(two, { own: 2008.08, overall: 2007.9 });
  report.profile.clusters[0].sentence = "Cluster 0 (3 rows, under 1 %): high year (2\u202f008.1 on average, 2\u202f007.9 overall); all island Biscoe (49 % overall).";
}

pageTest("bars of sizes are aligned, and numbers are written as people do", { change: withSizes }, async (page) => {
  const lefts = await page.$$eval(".size-bar", (bars) => bars.map((bar) => bar.getBoundingClientRect().left));
  for (const left of lefts) close(left, lefts[0], 0.6, "where a bar begins");
  const own = await page.locator(".card").first().locator(".numbers .own").allTextContents();
  assert.deepEqual(own.slice(0, 2), ["842", "2008.1"]);
  assert.equal(
    await page.locator(".found-words").first().textContent(),
    "High year (2008.1 on average, 2007.9 overall); all island Biscoe (49\u00a0% overall).",
  );
  assert.match(await page.locator("#lead").textContent(), /^21\u202f178 rows/);
  const text = await page.evaluate(() => document.querySelector("main").innerText);
  assert.doesNotMatch(text, /\d[ \n]%/);
});
