// The address of the page names the open point or the two clusters compared, so that links, reloading and the back button work.

const addressOf = (point, versus) =>
  `#point=${listed.row[point]}${versus === null ? "" : `&versus=${versus}`}`;

/** Opens a point by changing the address, so that a link leads to it and the back button returns to it. */
function visit(point, { versus = null, replace = false, focus = "panel" } = {}) {
  const address = addressOf(point, versus);
  if (replace) location.replace(address);
  else location.hash = address;
  follow(focus);
}

const addressOfPair = (own, other) => `#versus=${own},${other}`;

/** Compares two clusters; choices in a row make one entry in the history. */
function visitPair(own, other) {
  const address = addressOfPair(own, other);
  if (location.hash.startsWith("#versus=")) location.replace(address);
  else location.hash = address;
  followed = location.hash;
  keepPoint();
  showPair(own, other);
}

function showPair(own, other) {
  state.pair = { own, other };
  changed.call("pair");
}

/** Shows the pair that an address names, or says that the file lacks it. */
function showAddressed(own, other) {
  if (pairOf(own, other) === null) sayUnknownPair(own, other);
  else showPair(own, other);
}

/** Says that the file lacks a pair, where the sentence of the pair would stand, and which pair is shown. */
function sayUnknownPair(own, other) {
  if (state.pair === null) return;
  const { sentence } = pairOf(state.pair.own, state.pair.other);
  d3.select("#versus-sentence").text(`${unknownPairWords(own, other)} Shown instead: ${sentence}`);
}

function unknownPairWords(own, other) {
  const unknown = [own, other].find((cluster) => cluster >= clusters.length);
  if (unknown !== undefined) return `There is no cluster number ${unknown}: this report has ${count(clusters.length, "cluster")}, numbered from 0.`;
  if (own === other) return `Cluster ${clusterTitle(own)} cannot be compared with itself.`;
  return `This file does not compare cluster ${clusterTitle(own)} with cluster ${clusterTitle(other)}: of many clusters, only those that are near are compared.`;
}

let followed = null;
/** The point that the reader has opened, with its question; null while the first one is shown. */
let chosen = null;

/** The address of a pair names no point, so its entry in the history keeps the chosen one for when the page is loaded again. */
const keepPoint = () => history.replaceState(chosen, "");

/** Shows the point that was open before the page was loaded again, or the first one. */
function showKept() {
  const { row = null, versus = null } = history.state ?? {};
  const point = pointOfRow(row);
  if (point === null) return showFirst();
  chosen = { row, versus };
  show(point, versus);
}

/** Shows what the address names: a point or two clusters; and a point in any case, the first one. */
function follow(focus) {
  followed = location.hash;
  const pair = /^#versus=(\d+),(\d+)$/.exec(location.hash);
  if (pair !== null) {
    if (state.point === null) showKept();
    keepPoint();
    showAddressed(Number(pair[1]), Number(pair[2]));
    document.getElementById("versus").scrollIntoView();
    if (focus === "panel") document.getElementById("versus-heading").focus({ preventScroll: true });
    return;
  }
  const found = /^#point=(\d+)(?:&versus=(\d+))?$/.exec(location.hash);
  if (found === null) {
    if (location.hash === "" || state.point === null) showFirst();
    return;
  }
  const row = Number(found[1]);
  const point = pointOfRow(row);
  if (point === null) {
    sayUnknown(row);
    if (state.point === null) showFirst();
    return;
  }
  clearFound();
  d3.select("#point-origin").text("");
  const versus = found[2] === undefined ? null : Number(found[2]);
  chosen = { row, versus };
  show(point, versus);
  arrive(focus);
}

/** Takes away what the last search said. */
function clearFound() {
  d3.select("#find-message").text("");
  d3.select("#find-results").selectAll("*").remove();
}

function sayUnknown(row) {
  d3.select("#find-message").text(unknownWords(row));
}

/** What the report covers, in words. */
function rowsWords() {
  const [first, last] = report.rows;
  return last - first + 1 === report.total
    ? `the data have rows ${first} to ${last}`
    : `this report covers ${count(report.total, "row")} from ${first} to ${last}`;
}

function unknownWords(row) {
  const [first, last] = report.rows;
  if (row < first || row > last) return `There is no row ${row}: ${rowsWords()}.`;
  if (last - first + 1 !== report.total) return `Row ${row} is not listed in this file: ${rowsWords()}.`;
  return `Row ${row} is counted in the summaries of the clusters, but not listed in this file.`;
}

function showFirst() {
  chosen = null;
  show(firstPoint(), null);
  const what = state.point !== null && isAmbiguous(state.point) ? "most ambiguous point" : "point nearest to a boundary";
  d3.select("#point-origin").text(`The ${what}, shown until you choose another.`);
}

function show(point, versus) {
  const competitor = isOther(point, versus) ? versus : null;
  if (point === null || (state.point === point && state.versus === competitor)) return;
  state.point = point;
  state.versus = competitor;
  changed.call("point");
  d3.select("#announcement").text(describe(point));
}

const isOther = (point, versus) => versus !== null && contrastsOf(point).includes(versus);

/** The point whose assignment is closest to a tie; the page opens it if the address names none. */
function firstPoint() {
  const candidates = everyPoint.filter((point) => listed.detail[point] >= 0);
  return d3.least(candidates.length > 0 ? candidates : everyPoint, (point) => listed.logit[point]) ?? null;
}

/** Brings the panel of the open point into view. */
function arrive(focus) {
  const panel = document.getElementById("point");
  const heading = document.getElementById("point-heading");
  const { top, bottom } = heading.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) panel.scrollIntoView({ block: "start" });
  if (focus === "panel") heading.focus({ preventScroll: true });
}

/** Opens the next or the previous point among those that pass the filter. */
function step(by, options) {
  const at = state.ordered.indexOf(state.point);
  const next = state.ordered[at < 0 && by < 0 ? state.ordered.length - 1 : at + by];
  if (next === undefined) return;
  visit(next, { versus: isOther(next, state.versus) ? state.versus : null, focus: "stay", ...options });
}

let walked = null;

/** A step by an arrow key; steps in a row make one entry in the history. */
function walk(by) {
  step(by, { replace: location.hash === walked });
  walked = location.hash;
}
