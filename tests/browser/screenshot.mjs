// A picture of a page: node screenshot.mjs PAGE.html[#point=70] PICTURE.png|.pdf WIDTH HEIGHT [SELECTOR AT THE TOP] [OPTIONS]
//   --only SELECTOR  the first element that matches, alone       --full  the whole page, whatever its height
//   --dark           with dark colours                           --click SELECTOR  clicked before the picture
// A .pdf is the page as it is printed on A4.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, click: { type: "string" }, full: { type: "boolean" }, dark: { type: "boolean" } },
});
const [target, picture, width, height, top = "body"] = positionals;
const [file, hash] = target.split("#");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({
  viewport: { width: Number(width), height: Number(height) },
  deviceScaleFactor: 1.25,
  colorScheme: values.dark ? "dark" : "light",
  reducedMotion: "reduce",
});
await page.goto(`${pathToFileURL(resolve(file))}${hash ? `#${hash}` : ""}`);
if (values.click) await page.locator(values.click).first().click();
await page.evaluate((selector) => document.querySelector(selector).scrollIntoView(), top);
if (picture.endsWith(".pdf")) await page.pdf({ path: picture, format: "A4", printBackground: true });
else if (values.only) await page.locator(values.only).first().screenshot({ path: picture });
else await page.screenshot({ path: picture, fullPage: values.full });
await browser.close();
