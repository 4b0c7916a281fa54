// The data of the report: decoded from the JSON in the page, and looked up by point, cluster and feature.

const report = JSON.parse(document.getElementById("report-data").textContent);
const { model, features, classes, clusters, profile, choice } = report;

/** Decodes numbers from base64. The prefix "f8:" marks numbers beyond single precision, stored as f64. */
function decode(text, Type) {
  const wide = text.startsWith("f8:");
  const binary = atob(wide ? text.slice(3) : text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new (wide ? Float64Array : Type)(bytes.buffer);
}

/** Thousands stand apart from 10 000 on, so that years look like years. */
const joined = (text) => text.replace(/(?<![\d\u202f])(\d)\u202f(\d{3})(?![\d\u202f])/g, "$1$2");

/** A sentence of the program as the page writes it: no line breaks between a number and its per cent sign. */
const said = (text) => joined(text).replace(/(\d) %/g, "$1\u00a0%").replace(/(under|over) (\d+\u00a0%)/g, "$1\u00a0$2");

/** Calls a function at most once, when its value is first needed. */
function once(make) {
  let made;
  return () => (made ??= make());
}

/** An object whose typed arrays are decoded when they are first used. */
function arrays(source, types) {
  const decoded = { count: source.count };
  for (const [name, Type] of Object.entries(types)) {
    const get = source[name] === null ? () => null : once(() => decode(source[name], Type));
    Object.defineProperty(decoded, name, { get });
  }
  return decoded;
}

const listed = arrays(report.listed, {
  row: Uint32Array,
  cluster: Uint32Array,
  competitor: Uint32Array,
  class: Int32Array,
  misplaced: Uint8Array,
  logit: Float64Array,
  probability: Float32Array,
  x: Float32Array,
  y: Float32Array,
  strongest: Uint32Array,
  strongest_relevance: Float32Array,
  detail: Int32Array,
});
const details = arrays(report.details, {
  values: Float64Array,
  filled: Uint8Array,
  scaled: Float32Array,
  relevance: Float64Array,
  versus: Uint32Array,
  contrast: Float32Array,
  contrast_logit: Float64Array,
  absorbed: Float64Array,
  contrast_absorbed: Float64Array,
});
const strongestCount = report.listed.strongest_count;
const everyPoint = d3.range(listed.count);
const everyFeature = d3.range(features.length);

const rowOf = (matrix, row) => matrix.subarray(row * features.length, (row + 1) * features.length);

/** For every cluster, the class that it is called by, or null; null if no cluster is called by a class. */
const oneToOne =
  classes === null || report.agreeing === null ? null : clusters.map((found) => (found.class === null ? null : classes[found.class]));

/** The index of the class that a cluster is called by, or null. */
const classOf = (cluster) => {
  const name = oneToOne === null ? null : (oneToOne[cluster] ?? null);
  const at = name === null ? -1 : classes.indexOf(name);
  return at < 0 ? null : at;
};

/** Whether a point is of another class than its cluster; never, where clusters are not called by classes. */
const isMisplaced = (point) => oneToOne !== null && listed.misplaced !== null && listed.misplaced[point] === 1;

function pointOfRow(row) {
  const point = d3.bisectLeft(listed.row, row);
  return listed.row[point] === row ? point : null;
}

/** The listed points of every cluster. */
const membersOf = once(() => d3.group(everyPoint, (point) => listed.cluster[point]));

/**
 * The points that are nearly in another cluster: of every cluster as many as its profile counts, those with the smallest logits.
 * None if not all rows are listed, because then it is unknown which these are.
 */
const ambiguousPoints = once(() => {
  if (listed.count < report.total) return new Set();
  const countOf = (cluster, members) => Math.round(profile.clusters[cluster].ambiguous * members.length);
  const found = ([cluster, members]) => d3.sort(members, (point) => listed.logit[point]).slice(0, countOf(cluster, members));
  return new Set(Array.from(membersOf()).flatMap(found));
});

const isAmbiguous = (point) => ambiguousPoints().has(point);

function strongestOf(point) {
  return d3
    .range(point * strongestCount, (point + 1) * strongestCount)
    .map((at) => ({ feature: listed.strongest[at], relevance: listed.strongest_relevance[at] }));
}

/** The clusters that the file contrasts a point with: all others, or the nearest of many. */
const contrastsOf = (point) => {
  const { contrasts } = report.details;
  const detail = listed.detail[point];
  return detail < 0 ? [] : details.versus.subarray(detail * contrasts, (detail + 1) * contrasts);
};

const pairs = new Map(profile.versus.map((entry) => [`${entry.a},${entry.b}`, entry]));

/** What the file has of a cluster against another one, seen from the first; null if it has nothing. */
function pairOf(own, other) {
  const entry = pairs.get(`${Math.min(own, other)},${Math.max(own, other)}`);
  if (entry === undefined) return null;
  const at = own < other ? 0 : 1;
  const sign = at === 0 ? 1 : -1;
  return {
    sentence: said(entry.sentences[at]),
    relevance: decode(entry.contrasts[at], Float64Array),
    logit: entry.logits[at],
    differences: entry.differences.map((found) => ({
      ...found,
      own: at === 0 ? found.own : found.other,
      other: at === 0 ? found.other : found.own,
      difference: sign * found.difference,
    })),
  };
}

/** The clusters that the file compares with a cluster. */
const comparedWith = (own) =>
  clusters.map(({ cluster }) => cluster).filter((other) => other !== own && pairOf(own, other) !== null);

/** The name of a cluster: its label if the clusters come from labels, else its number. */
const clusterName = (cluster) => (report.names === null ? String(cluster) : report.names[cluster]);
const centroid = report.centroid_based ? "centroid" : "mean of the members";

/** The parts of a logit that belong to no feature. */
const partsOf = (amounts, row) =>
  report.absorbed.map((name, at) => ({ name, value: amounts[row * report.absorbed.length + at] }));

/** The explanation of a point: against all competitors (versus = null) or against one. */
function explanationOf(point, versus) {
  const detail = listed.detail[point];
  const own = listed.cluster[point];
  const other = versus ?? listed.competitor[point];
  const place = contrastsOf(point).indexOf(other);
  const slot = detail * report.details.contrasts + place;
  return {
    own,
    other,
    values: rowOf(details.values, detail),
    filled: details.filled === null ? null : rowOf(details.filled, detail),
    scaled: rowOf(details.scaled, detail),
    sentence: said(report.details.sentences[detail][place]),
    relevance: versus === null ? rowOf(details.relevance, detail) : rowOf(details.contrast, slot),
    parts: partsOf(versus === null ? details.absorbed : details.contrast_absorbed, versus === null ? detail : slot),
    logit: versus === null ? listed.logit[point] : details.contrast_logit[slot],
    limit: (versus === null ? relevanceLimit() : contrastLimit()) || 1,
  };
}

/** The largest absolute value, 0 of none. */
function largest(numbers) {
  let maximum = 0;
  for (const number of numbers) maximum = Math.max(maximum, Math.abs(number));
  return maximum;
}

/** Zero and most of the numbers: the few that lie far beyond the others would flatten what is drawn on the same scale. */
function usualExtent(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const [low, high] = [Math.min(0, sorted[0] ?? 0), Math.max(0, sorted.at(-1) ?? 0)];
  const rare = Math.ceil(0.02 * (sorted.length - 1));
  const [lowest, highest] = [Math.min(0, sorted[rare] ?? 0), Math.max(0, sorted.at(-1 - rare) ?? 0)];
  const reach = highest - lowest;
  if (reach === 0) return [low, high];
  return [low < lowest - 2 * reach ? lowest - reach / 4 : low, high > highest + 2 * reach ? highest + reach / 4 : high];
}

const usualLimit = (numbers) => largest(usualExtent(numbers));

/** The usual limit of rows of relevances that share a scale. */
const limitOfRows = (matrix) => usualLimit(d3.range(matrix.length / features.length).map((row) => largest(rowOf(matrix, row))));

const relevanceLimit = once(() => limitOfRows(details.relevance));
const contrastLimit = once(() => limitOfRows(details.contrast));
const listedLimit = once(() => largest(listed.strongest_relevance));
const listedUsual = once(() => usualLimit(listed.strongest_relevance));
const scaledExtent = once(() => usualExtent(details.scaled));

