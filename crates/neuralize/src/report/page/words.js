// Numbers and names as the page writes them, in the words of the terminal.

d3.formatDefaultLocale({ decimal: ".", thousands: "\u202f", grouping: [3], currency: ["", ""], percent: "\u00a0%", minus: "−" });

/** The minus of an exponent is that of a number. */
const withMinus = (text) => text.replaceAll("-", "−");

/** A format of d3, with thousands as the page writes them. */
const formatAs = (specifier) => {
  const format = d3.format(specifier);
  return (number) => joined(format(number));
};

/** The format of the ticks of a scale. */
const joinedTicks = (scale, number) => {
  const format = scale.tickFormat(number);
  return (tick) => joined(format(tick));
};

const whole = formatAs(",");
const small = (number) => withMinus(d3.format(".2~g")(number));

/** A share in per cent, in one line; only none is 0 %, only all are 100 %. */
function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 0 && share > 0) return "under\u00a01\u00a0%";
  if (rounded === 100 && share < 1) return "over\u00a099\u00a0%";
  return `${rounded}\u00a0%`;
}

const count = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A format of about four digits at the given size, so that the numbers of a column align. */
function formatFor(size, sign = "") {
  const exponent = size > 0 ? Math.floor(Math.log10(size)) : 0;
  if (exponent < -3) {
    const format = d3.format(`${sign}.3e`);
    return (number) => withMinus(format(number));
  }
  if (exponent > 5) return d3.formatPrefix(`${sign},.${3 - (exponent % 3)}`, size);
  return formatAs(`${sign},.${Math.max(0, 3 - exponent)}f`);
}

/** A value as a person writes it: integers in full, other numbers with at most six digits. */
function plain(value) {
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return withMinus(text);
}

/** A number whose last digit becomes even where it lies in the middle of two, as in the sentences of the program. */
function evenHalf(value, decimals) {
  const isHalf = Math.abs(value * 2 ** (decimals + 1)) % 2 === 1;
  const isOdd = Math.round(Math.abs(value) * 10 ** decimals) % 2 === 1;
  return isHalf && isOdd ? value - (Math.sign(value) / 4) * 10 ** -decimals : value;
}

/** A number with so many digits, integers and thousands in full. */
function withDigits(value, digits) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return withMinus(value.toExponential(digits - 1)).replace("+", "");
  const leading = size === 0 ? 0 : Math.floor(Math.log10(size));
  const decimals = Number.isInteger(value) ? 0 : Math.max(0, digits - 1 - leading);
  return formatAs(`,.${decimals}f`)(evenHalf(value, decimals));
}

/** Two numbers, with as many digits (three to six) as it takes to see how far apart they are. */
function pair(one, other) {
  const unit = (value, digits) =>
    Number.isInteger(value) ? 0 : Math.min(1, 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1));
  const isFine = (digits) => [one, other].every((value) => unit(value, digits) <= 0.6 * Math.abs(one - other));
  const digits = [3, 4, 5, 6].find(isFine) ?? 3;
  return [withDigits(one, digits), withDigits(other, digits)];
}

/** So many of the characters, from the beginning and from the end: long names often differ in one of them only. */
function withoutMiddle(characters, left) {
  const end = characters.slice(characters.length - Math.floor(left / 2));
  return `${characters.slice(0, Math.ceil(left / 2)).join("").trimEnd()}…${end.join("").trimStart()}`;
}

/** A text of at most so many characters; where it is cut, the whole one belongs into a title. */
function brief(text, length = 60) {
  const characters = text.length <= length ? [] : Array.from(text);
  return characters.length <= length ? text : withoutMiddle(characters, length - 1);
}

/** A sentence of at most so many characters, cut at its end: without its middle it would join a value to another column. */
function withoutEnd(text, length) {
  const characters = text.length <= length ? [] : Array.from(text);
  if (characters.length <= length) return text;
  const start = characters.slice(0, length - 1).join("");
  // Not within a word or a number, unless that is most of the text.
  const end = start.lastIndexOf(" ");
  return `${(end > start.length / 2 ? start.slice(0, end) : start).trimEnd()}…`;
}

/** Writes a text into elements: cut if it is very long, and then whole on hover. */
const writeCut = (selection, text, length, cut) =>
  selection
    .text((datum) => cut(text(datum), length))
    .attr("title", (datum) => (cut(text(datum), length) === text(datum) ? null : text(datum)));

/** Writes a name, which may continue in another line where it has a joint: after an underscore, a full stop or a hyphen. */
const writeName = (selection, name, length) =>
  writeCut(selection, name, length, brief).each(function () {
    const pieces = this.textContent.split(/(?<=[_.-])(?=[^_.-])/);
    if (pieces.length > 1) this.replaceChildren(...pieces.flatMap((piece, at) => (at === 0 ? [piece] : [document.createElement("wbr"), piece])));
  });
const writeSentence = (selection, words, length) => writeCut(selection, words, length, withoutEnd);

/** A value of a feature as text: a number, a category, a date, yes or no. */
function valueText(feature, value, format = plain) {
  const of = report.kinds === null ? { kind: "number" } : report.kinds[feature];
  if (of.kind === "category") return value < 0 ? "another value" : of.values[Math.round(value)];
  if (of.kind === "date") return new Date(Math.round(value * 86400) * 1000).toISOString().replace(/T00:00:00.*|\.000Z/, "").replace("T", " ");
  if (of.kind === "flag") {
    const share = Math.round(100 * value);
    return share === 0 ? "no" : share === 100 ? "yes" : `${share}\u00a0% yes`;
  }
  return format(value);
}

/** A mean or a share (of a value of a category, of yes) beside another one, as two texts. */
function pairText({ feature, value }, one, other) {
  if (value !== null) return [percent(one), percent(other)];
  const { kind } = report.kinds === null ? { kind: "number" } : report.kinds[feature];
  return kind === "date" ? [valueText(feature, one), valueText(feature, other)] : pair(one, other);
}

/** The name of a column, or of a value of it. */
const columnName = ({ feature, value }) => (value === null ? features[feature] : `${features[feature]}: ${value}`);

/** The largest absolute value of a feature that the file has. */
const magnitudeOf = (feature) =>
  largest([
    ...clusters.map((cluster) => cluster.centroid[feature]),
    ...d3.range(details.count).map((detail) => details.values[detail * features.length + feature]),
  ]);

/** A value of a centroid, without the noise of rounding. */
function centroidText(feature, value) {
  const isNoise = Math.abs(value) < 0.01 && Math.abs(value) < 1e-9 * magnitudeOf(feature);
  return valueText(feature, isNoise ? 0 : value);
}

/** A value of a point, with a word if it stands for a missing one. */
const pointValueText = (feature, { values, filled }) =>
  valueText(feature, values[feature]) + (filled !== null && filled[feature] === 1 ? " (filled in)" : "");

const formatLogit = once(() => formatFor(listedLimit()));

/** The logit of a point: with digits of its own where it is small among the others. */
function logitText(point) {
  const logit = listed.logit[point];
  return (100 * Math.abs(logit) < listedLimit() ? formatFor(Math.abs(logit)) : formatLogit())(logit);
}
const formatListed = once(() => formatFor(listedLimit(), "+"));

/** Three digits. No probability is 1: one that would round to it is said to be larger than 0.999. */
const formatProbability = (probability, than = "more than") =>
  probability >= 0.9995 ? `${than} 0.999` : probability.toFixed(3);

const className = (index) => (index === null || index < 0 ? "none" : brief(classes[index]));
const betaWords =
  model.beta === null ? "nearest competitor only" : `all competitors (beta ${plain(model.beta)})`;
const scaleWords = {
  none: "without scaling",
  minmax: "each scaled to the range 0 to 1",
  standard: "each scaled to mean 0 and standard deviation 1",
  robust: "each scaled to median 0 and interquartile range 1",
};

/** How the features were scaled; a category has no mean of its own. */
function scalingText() {
  const hasCategories = report.kinds?.some(({ kind }) => kind === "category") ?? false;
  const categories = hasCategories && model.scale === "standard" ? "; a category weighs as much as a number" : "";
  return scaleWords[model.scale] + categories;
}

const rowNames = report.listed.names ?? null;

/** The number of a point, with its name if it has one. */
const pointTitle = (point) =>
  rowNames === null ? `Point ${listed.row[point]}` : `Point ${listed.row[point]} (${brief(rowNames[point], 160)})`;

/** How often every name occurs. */
const nameCounts = once(() => d3.rollup(rowNames ?? [], (same) => same.length, String));

/** The name of a row, with its number where others have that name; or its number alone. */
const rowTitle = (row) => {
  const point = pointOfRow(row);
  if (rowNames === null || point === null || rowNames[point] === "") return `row ${row}`;
  const name = rowNames[point];
  return nameCounts().get(name) > 1 ? `${brief(name, 36)} (row ${row})` : name;
};

const clusterTitle = (cluster, length = 60) => brief(clusterName(cluster), length);

function describe(point) {
  const kind = classes === null ? "" : `, class ${className(listed.class[point])}`;
  return (
    `${pointTitle(point)}, cluster ${clusterTitle(listed.cluster[point])}${kind}` +
    `, probability ${formatProbability(listed.probability[point])}` +
    `, logit ${logitText(point)}` +
    (isAmbiguous(point) ? ", ambiguous" : "")
  );
}

/** The parts of a listed point's logit that belong to no feature, if the file has the point in full. */
function partsWords(point) {
  const detail = listed.detail[point];
  const shown = detail < 0 ? [] : partsOf(details.absorbed, detail).filter(({ value }) => value !== 0);
  const format = formatFor(relevanceLimit() || 1, "+");
  const words = shown.map(({ name, value }) => `${name} ${format(value)}`).join(", ");
  return words && `including ${words}`;
}

const strongestWords = (point) =>
  strongestOf(point)
    .map(({ feature, relevance }) => `${brief(features[feature])} ${formatListed()(relevance)}`)
    .join(", ");
