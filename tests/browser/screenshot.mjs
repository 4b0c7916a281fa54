// A picture of a page: node screenshot.mjs PAGE.html[#point=70] PICTURE.png WIDTH HEIGHT [SELECTOR AT THE TOP]
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [target, picture, width, height, top = "body"] = process.argv.slice(2);
const [file, hash] = target.split("#");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({
  viewport: { width: Number(width), height: Number(height) },
  deviceScaleFactor: 1.25,
  reducedMotion: "reduce",
});
await page.goto(`${pathToFileURL(resolve(file))}${hash ? `#${hash}` : ""}`);
await page.evaluate((selector) => document.querySelector(selector).scrollIntoView(), top);
await page.screenshot({ path: picture });
await browser.close();
