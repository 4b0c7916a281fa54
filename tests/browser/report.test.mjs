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
const pageText = () => readFileSync(join(folder, "wine.html"), "utf8");
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers) => sum(numbers) / numbers.length;
const numberIn = (text) => Number(text.replace("−", "-"));

function close(actual, expected, tolerance, what) {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not ${expected}`);
}

/** A test with a page of its own, which must ask for nothing but its file and complain about nothing. */
function pageTest(title, { change, hash = "", ...options }, body) {
  test(title, async () => {
    const context = await browser.newContext({
      offline: true,
      viewport: { width: 1600, height: 1000 },
      colorScheme: "light",
      reducedMotion: "reduce",
      ...options,
    });
    try {
      const page = await context.newPage();
      const address = pathToFileURL(change ? rewritten(change) : join(folder, "wine.html")).href;
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

const clusters = () => [...new Set(predictions.map((row) => row.cluster))].sort((a, b) => a - b);

// ---------------------------------------------------------------- start and end

before(async () => {
  if (!process.env.REPORT_FOLDER) {
    execFileSync(program, ["demo", "--out", folder, "--report", join(folder, "wine.html")], {
      stdio: "pipe",
    });
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
  assert.match(await page.locator("#lead").textContent(), /178 points .* 3 clusters .* 13 features/);
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

    await clickPoint(page, 0);
    await opened(page, 0);
    const first = await page.$eval(
      "#bars .bar.relevance",
      (bar) => bar.getBoundingClientRect().width / Math.abs(bar.dataset.value),
    );
    close(first / scale, 1, 1e-3, "scale, the same for all points");
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
    close(Number(probability), predictions[at].probability, 6e-4, "probability");
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

pageTest("clusters and features: means over the relevances of the file", {}, async (page) => {
  const cards = await page.$$eval(".card", (all) =>
    all.map((card) => ({
      facts: card.querySelector(".facts").textContent,
      means: [...card.querySelectorAll(".bar.mean")].map((bar) => [
        bar.dataset.feature,
        Number(bar.dataset.value),
      ]),
      links: [...card.querySelectorAll("a")].map((link) => Number(link.textContent)),
    })),
  );
  assert.equal(cards.length, clusters().length);
  cards.forEach(({ facts, means, links }, cluster) => {
    const members = relevance.filter((row) => row.cluster === cluster);
    assert.ok(facts.includes(`Points${members.length} `));
    assert.ok(means.length > 0 && links.length > 0);
    for (const [name, value] of means)
      close(value, mean(members.map((row) => row[name])), 1e-6, `mean of ${name}`);
    for (const row of links) assert.equal(predictions[row].cluster, cluster);
  });
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

  await page.locator(".card a").first().click();
  await assertRelevances(page, cards[0].links[0]);
});

// ---------------------------------------------------------------- ways through the page

pageTest("the keyboard alone opens a point and moves on", {}, async (page) => {
  const focused = (selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 60; presses++) {
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
  assert.match(await page.locator("#map").textContent(), /PC 1 \(\d+ % of the variance\)/);
});

// ---------------------------------------------------------------- layout

/** Texts of the open point's charts that overlap each other or leave their chart. */
const badTexts = (page) =>
  page.evaluate(() => {
    const bad = [];
    for (const svg of document.querySelectorAll("#bars svg, #waterfall svg")) {
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

for (const width of [360, 1000, 1600]) {
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
      /1,000 points, 177 .* full; 1 .* listed .*; 822 .* counted/,
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
